//! What clients do: they ask, ask again, and give up.

use super::client::{Deed, Does, UnderWay};
use super::packet::{Outcome, Packet, Reply, Request, What};
use super::{Event, World};
use crate::scenario::meters::name_of;

/// How long a client waits for an answer before it asks again.
const ATTEMPT_MS: u64 = 2_500;

impl World {
    /// A client does the next thing that it does.
    pub(super) fn turn(&mut self, client: usize) {
        if self.clients[client].under_way.is_some() || !self.is_open {
            return;
        }
        let has_more_to_do = !self.clients[client].habits.is_empty();
        let pays = !has_more_to_do || self.random.permille(500);
        if pays && let Some(order) = self.clients[client].to_pay.pop() {
            self.ask(client, "payment", What::Pay(order), 20_000);
            return;
        }
        if self.clients[client].habits.is_empty() {
            // It does what the scenario says.
            return;
        }
        let total: u64 = self.clients[client].habits.iter().map(|habit| habit.weight).sum();
        let mut drawn = self.random.below(total);
        let habit = *self.clients[client]
            .habits
            .iter()
            .find(|habit| {
                let is_it = drawn < habit.weight;
                drawn = drawn.wrapping_sub(habit.weight);
                is_it
            })
            .expect("the draw is below the sum");
        let what = match habit.does {
            Does::Read { first, count } => What::Read(first + self.random.below(count)),
            Does::Write { first, count } => {
                let key = first + self.random.below(count);
                What::Write(key, self.fresh_value(0))
            }
            Does::Advance { first } => {
                let (order, step) = self.clients[client].order;
                // Each client has a hundred orders, one after the other.
                let key = first + client as u64 * 100 + order % 100;
                let value = self.fresh_value(step);
                self.clients[client].order =
                    if step == 4 { (order + 1, 0) } else { (order, step + 1) };
                What::Write(key, value)
            }
            Does::Look { first } => {
                let other = self.random.below(self.clients.len() as u64);
                let (order, _) = self.clients[other as usize].order;
                What::Read(first + other * 100 + order % 100)
            }
            Does::Pay => What::Pay(self.order_number(client)),
            Does::Buy => What::Buy,
        };
        if self.clients[client].roams {
            let servers = self.servers.len() as u64;
            self.clients[client].asks = self.random.below(servers) as usize;
        }
        self.ask(client, habit.class, what, habit.within_ms);
    }

    /// A value that nobody has written yet, that says which step of an order it is.
    pub(crate) const fn fresh_value(&mut self, step: u64) -> u64 {
        self.values += 1;
        self.values * 8 + step
    }

    /// The number of the next order of a client, that no other one has.
    fn order_number(&mut self, client: usize) -> u64 {
        let made = &mut self.clients[client].orders_made;
        *made += 1;
        client as u64 * 1_000_000 + *made
    }

    /// A client makes a request, now.
    pub(crate) fn ask(&mut self, client: usize, class: &'static str, what: What, within_ms: u64) {
        let (now, preferred) = (self.now, name_of(self.preferred(class, what, within_ms)));
        let asker = &mut self.clients[client];
        asker.number += 1;
        let token = if self.has_tokens { asker.token.to_string() } else { String::new() };
        let request = Request {
            client,
            number: asker.number,
            class,
            what,
            made_at: now,
            due: now + within_ms,
            token,
        };
        let deed = match what {
            What::Read(key) => Some((key, None, false)),
            What::Write(key, value) => Some((key, Some(value), true)),
            What::Pay(_) | What::Buy => None,
        };
        let deed = deed.map(|(key, value, is_write)| {
            let (level, is_done) = (None, false);
            asker.deeds.push(Deed { key, value, is_write, level, is_done });
            asker.deeds.len() - 1
        });
        let server = asker.asks;
        let phase = self.meters.present();
        asker.under_way = Some(UnderWay { request, preferred, phase, server, deed, attempts: 0 });
        self.meters.at(phase, preferred).asked += 1;
        self.attempt(client);
    }

    /// The request under way is sent, perhaps once more.
    fn attempt(&mut self, client: usize) {
        let (now, count) = (self.now, self.servers.len());
        let under_way = self.clients[client].under_way.as_mut().expect("there is one");
        under_way.attempts += 1;
        let (request, server) = (under_way.request.clone(), under_way.server);
        let (number, attempt) = (request.number, under_way.attempts);
        let again_at = request.due.min(now + ATTEMPT_MS);
        self.send(count + client, server, Packet::Ask(request));
        self.queue.push(again_at, Event::Overdue { client, number, attempt });
    }

    pub(super) fn overdue(&mut self, client: usize, number: u64, attempt: u64) {
        let now = self.now;
        let count = self.servers.len();
        let reads = self.clients[client].is_reading();
        let asker = &mut self.clients[client];
        let Some(under_way) = asker.under_way.as_mut().filter(|under_way| {
            under_way.request.number == number && under_way.attempts == attempt
        }) else {
            return;
        };
        if now >= under_way.request.due {
            let UnderWay { preferred, phase, request: Request { what, .. }, .. } = *under_way;
            self.meters.at(phase, preferred).unanswered += 1;
            self.failed(client, preferred, what);
            self.rest(client);
            return;
        }
        // What changes something is asked for where it was asked for first.
        if reads && asker.roams {
            under_way.server = (under_way.server + 1) % count;
        }
        self.attempt(client);
    }

    /// The client takes an answer.
    pub(super) fn answered(&mut self, client: usize, reply: Reply) {
        let (now, asker) = (self.now, &mut self.clients[client]);
        let Some(under_way) =
            asker.under_way.as_mut().filter(|held| held.request.number == reply.number)
        else {
            return;
        };
        if let Some(token) = &reply.token {
            let sent = under_way.request.token.parse().unwrap_or_default();
            let answer = token.parse().expect("a server made it");
            asker.token.replace(&sent, &answer).expect("of one realm");
        }
        let UnderWay { preferred, phase, deed, request: Request { what, .. }, .. } = *under_way;
        match reply.outcome {
            Outcome::Elsewhere(server) => {
                if asker.roams && under_way.attempts < 6 {
                    under_way.server = server;
                    self.attempt(client);
                    return;
                }
                self.meters.at(phase, preferred).refused += 1;
                self.failed(client, preferred, what);
            }
            Outcome::Unknown => {
                // It is asked again under the same number, when this attempt is overdue.
                return;
            }
            Outcome::Refused => {
                self.meters.at(phase, preferred).refused += 1;
                self.failed(client, preferred, what);
            }
            Outcome::Done { level, value, staleness } => {
                let took = now - under_way.request.made_at;
                let level = name_of(level);
                self.weak_payments += u64::from(matches!(what, What::Pay(_)) && level != "strong");
                if let Some(deed) = deed {
                    let deed = &mut asker.deeds[deed];
                    (deed.level, deed.is_done) = (Some(level), true);
                    deed.value = if deed.is_write { deed.value } else { value };
                }
                self.meters.at(phase, preferred).answered += 1;
                let meter = self.meters.at(phase, level);
                meter.latency.add(took);
                if let Some((age, lacking)) = staleness {
                    meter.age_ms.add(age);
                    meter.lacking.add(lacking);
                }
                if what == What::Buy {
                    let order = self.order_number(client);
                    self.clients[client].to_pay.push(order);
                }
            }
        }
        self.rest(client);
    }

    /// A request came to nothing, as far as the client knows.
    fn failed(&mut self, client: usize, preferred: &str, what: What) {
        if let What::Pay(order) = what {
            // It may have been done all the same: it is asked for again, under its number.
            self.clients[client].to_pay.push(order);
        }
        let is_at_home = !self.clients[client].roams && preferred != "strong";
        self.failed_at_home += u64::from(is_at_home);
    }

    /// Buyers who are not charged yet pay, and nobody does anything else, until all have or some
    /// minutes have passed.
    pub(crate) fn settle_payments(&mut self) {
        self.clients.iter_mut().for_each(|client| client.habits.clear());
        self.set_open(true);
        let until = self.now + 300_000;
        let owes = |client: &super::Client| !client.to_pay.is_empty() || client.under_way.is_some();
        while self.clients.iter().any(owes) && self.now < until {
            self.run_for(1_000);
        }
        self.set_open(false);
        self.run_for(20_000);
    }

    /// How many orders buyers were told of, and how many of these the engine has no charge for.
    pub(crate) fn bought(&mut self) -> (u64, u64) {
        let books = self.books();
        let orders = |(number, client): (usize, &super::Client)| {
            (1..=client.orders_made).map(move |order| number as u64 * 1_000_000 + order)
        };
        let all: Vec<u64> = self.clients.iter().enumerate().flat_map(orders).collect();
        let unpaid = all.iter().filter(|order| !books.has_charged(**order)).count();
        (all.len() as u64, unpaid as u64)
    }

    /// The client is done with a request, and waits until it wants the next thing.
    fn rest(&mut self, client: usize) {
        let now = self.now;
        self.clients[client].under_way = None;
        let pause = (self.clients[client].every_ms / self.haste).max(1);
        let jitter = self.random.below(pause / 4 + 1);
        let asker = &mut self.clients[client];
        asker.next_at = now.max(asker.next_at + pause) + jitter;
        let at = asker.next_at;
        self.queue.push(at, Event::Turn(client));
    }
}
