//! How many may come in, and how fast.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::bucket::{Bucket, Rate};
use crate::limits::Limits;

/// Counts connections and handshakes, in all and per address.
///
/// An address is an IPv4 address or the first 64 bits of an IPv6 one, which is what one
/// household or one server gets.
#[derive(Debug)]
pub(crate) struct Gate {
    connections_max: usize,
    connections_per_address_max: usize,
    handshakes: Rate,
    limit_loopback: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    connections: usize,
    addresses: BTreeMap<IpAddr, Address>,
}

#[derive(Debug)]
struct Address {
    connections: usize,
    handshakes: Bucket,
}

/// The right to one connection, given back when dropped.
#[derive(Debug)]
pub(crate) struct Pass {
    gate: Arc<Gate>,
    address: IpAddr,
}

/// An address may make this many seconds' worth of handshakes at once.
const BURST_SECONDS: u32 = 10;

/// Above this many remembered addresses those without connections are looked through.
const ADDRESSES_MAX: usize = 16 << 10;

impl Gate {
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            connections_max: limits.connections_max,
            connections_per_address_max: limits.connections_per_address_max,
            handshakes: Rate::new(
                limits.handshakes_per_second,
                limits.handshakes_per_second.saturating_mul(BURST_SECONDS),
            ),
            limit_loopback: limits.limit_loopback,
            state: Mutex::default(),
        })
    }

    /// Lets a connection in, if there is room for it.
    pub(crate) fn enter(self: &Arc<Self>, peer: IpAddr, now: Instant) -> Option<Pass> {
        let address = key(peer);
        let limited = self.is_limited(address);
        let mut state = self.state();
        if state.connections >= self.connections_max {
            return None;
        }
        self.forget_the_idle(&mut state, now);
        let entry = state.addresses.entry(address).or_insert_with(|| Address {
            connections: 0,
            handshakes: Bucket::full(self.handshakes, now),
        });
        if limited && entry.connections >= self.connections_per_address_max {
            return None;
        }
        entry.connections += 1;
        state.connections += 1;
        drop(state);
        Some(Pass { gate: Arc::clone(self), address })
    }

    /// Whether `pass`'s address may make a handshake now.
    pub(crate) fn handshake(&self, pass: &Pass, now: Instant) -> bool {
        if !self.is_limited(pass.address) {
            return true;
        }
        let mut state = self.state();
        let entry = state.addresses.get_mut(&pass.address).expect("a pass keeps its address");
        entry.handshakes.take(self.handshakes, now)
    }

    /// How many connections there are.
    pub(crate) fn connections(&self) -> usize {
        self.state().connections
    }

    fn is_limited(&self, address: IpAddr) -> bool {
        self.limit_loopback || !address.is_loopback()
    }

    /// An address whose bucket would be full again is as good as one never seen.
    fn forget_the_idle(&self, state: &mut State, now: Instant) {
        if state.addresses.len() < ADDRESSES_MAX {
            return;
        }
        let refill_time = self.handshakes.refill_time();
        state.addresses.retain(|_, address| {
            let idle = now.saturating_duration_since(address.handshakes.refilled());
            address.connections > 0 || idle < refill_time
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut state = self.gate.state();
        state.connections -= 1;
        if let Some(entry) = state.addresses.get_mut(&self.address) {
            entry.connections -= 1;
        }
    }
}

fn key(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            let network = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn gate() -> Arc<Gate> {
        Gate::new(&Limits {
            connections_max: 5,
            connections_per_address_max: 2,
            handshakes_per_second: 1,
            ..Limits::default()
        })
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn connections_are_counted_and_given_back() {
        let (gate, now) = (gate(), Instant::now());
        let one = address("192.0.2.1");
        let first = gate.enter(one, now).expect("room for one");
        let _second = gate.enter(one, now).expect("room for two");
        assert!(gate.enter(one, now).is_none(), "two is the limit of an address");
        drop(first);
        let _again = gate.enter(one, now).expect("a place was given back");
        let _others: Vec<_> = (0..3).map(|_| gate.enter(address("127.0.0.1"), now)).collect();
        assert_eq!(gate.connections(), 5);
        assert!(gate.enter(address("192.0.2.2"), now).is_none(), "five is the limit of all");
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let (gate, now) = (gate(), Instant::now());
        let _one = gate.enter(address("2001:db8::1"), now).expect("room");
        let _two = gate.enter(address("2001:db8::2"), now).expect("room");
        assert!(gate.enter(address("2001:db8::3"), now).is_none());
        assert!(gate.enter(address("2001:db8:0:1::3"), now).is_some());
    }

    #[test]
    fn handshakes_come_in_a_burst_and_then_at_a_rate() {
        let (gate, start) = (gate(), Instant::now());
        let pass = gate.enter(address("192.0.2.1"), start).expect("room");
        let burst = (0..100).filter(|_| gate.handshake(&pass, start)).count();
        assert_eq!(burst, 10);
        let later = start + Duration::from_secs(3);
        assert_eq!((0..100).filter(|_| gate.handshake(&pass, later)).count(), 3);
        // A new connection does not come with a new burst.
        drop(pass);
        let pass = gate.enter(address("192.0.2.1"), later).expect("room");
        assert!(!gate.handshake(&pass, later));
    }

    #[test]
    fn addresses_are_forgotten() {
        let (gate, start) = (gate(), Instant::now());
        for index in 0..ADDRESSES_MAX as u32 + 100 {
            let now = start + Duration::from_millis(u64::from(index));
            drop(gate.enter(IpAddr::V4((0x0a00_0000 + index).into()), now));
        }
        assert!(gate.state().addresses.len() <= ADDRESSES_MAX + 1);
    }
}
