//! A membership and its past.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::change::Change;
use super::error::{ChangeError, Refused};
use super::member::{MemberId, Standing};
use super::tenure::{Retirement, Tenure};
use crate::cut::{Admission, Cut, Epoch, Slot};

/// How many members that have left are remembered by default.
pub(super) const FORMER_MAX: usize = 1_024;

/// The members of a realm, and what each slot meant in earlier epochs.
///
/// Each [`Change`] makes an epoch. A slot goes through one *tenure* after another:
///
/// * it is given to a member by [`Change::Join`];
/// * [`Change::Retire`] names the last position that counts. From then on anything after it is refused;
///   what comes before is still taken, for not everybody may have it;
/// * when the stable cut has reached that position, the slot is [*settled*](Self::settle): everybody has
///   all of it, and it is left out of all cuts;
/// * only then it may be given to another.
///
/// Cuts of older epochs are [translated](Self::translate): an entry of a tenure that is settled is left
/// out, since everybody has what it stands for, one of a tenure that goes on stays. That is exact. An
/// entry beyond a retirement is refused, and so is one of a tenure that was forgotten. Nothing here
/// depends on time.
///
/// Cost: O(entries × log) for a cut; memory is that of the members, and of 1,024 former ones.
///
/// ```
/// use crdt_causal::cut::{Admission, Cut, Epoch, Slot};
/// use crdt_causal::membership::{Change, MemberId, Membership, Refused};
///
/// let [a, b, c] = [1, 2, 3].map(MemberId);
/// let mut membership = Membership::founded([a, b]);
/// let token = Cut::from_iter([(Slot(0), 10), (Slot(1), 7)]);
/// let of_token = membership.epoch();
///
/// // b retires. Everybody has what it admitted, and its slot is given to c.
/// let (epoch, change) = membership.retire(Slot(1), 7)?;
/// membership.apply(epoch, change)?;
/// assert_eq!(membership.settle(&Cut::from_iter([(Slot(1), 7)])), [Slot(1)]);
/// let (epoch, change) = membership.join(c)?;
/// assert_eq!(change, Change::Join { id: c, slot: Slot(1) });
/// membership.apply(epoch, change)?;
///
/// // What the token says of b is not taken for c.
/// assert_eq!(membership.translate(of_token, &token), Ok(Cut::from_iter([(Slot(0), 10)])));
/// // And b, restored from a backup, does not get in.
/// let late = membership.admit(of_token, Admission::new(Slot(1), 8));
/// assert_eq!(late, Err(Refused::Retired { slot: Slot(1), last: 7 }));
/// # Ok::<(), crdt_causal::membership::ChangeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Membership {
    pub(super) epoch: Epoch,
    /// The tenures of each slot, in their order. All but the last are settled, and none is empty.
    pub(super) slots: BTreeMap<Slot, Vec<Tenure>>,
    /// In which epoch a tenure was last forgotten: of slots that nobody is known to have had until then
    /// nothing can be said.
    pub(super) forgot_at: Option<Epoch>,
    pub(super) former_max: usize,
    /// Slots from which nothing is taken until it is decided what counts. Not saved: who starts again
    /// is asked again.
    pub(super) suspended: BTreeSet<Slot>,
}

/// What to do with something that a server has admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// Take it in, as what is named like this now.
    As(Admission),
    /// Everybody has it: it can be passed over.
    Settled,
}

impl Membership {
    /// A new realm. Its members get the slots from 0 on, in this order.
    ///
    /// # Panics
    ///
    /// If there are more than 65,536, or two have one name.
    #[must_use]
    pub fn founded(members: impl IntoIterator<Item = MemberId>) -> Self {
        let mut founded = Self {
            epoch: Epoch(0),
            slots: BTreeMap::new(),
            forgot_at: None,
            former_max: FORMER_MAX,
            suspended: BTreeSet::new(),
        };
        for (index, id) in members.into_iter().enumerate() {
            let slot = u16::try_from(index).expect("there are no more slots");
            assert_eq!(founded.standing(id), Standing::Unknown, "each has a name of its own");
            let tenure = Tenure { id, since: Epoch(0), retired: None };
            founded.slots.insert(Slot(slot), alloc::vec![tenure]);
        }
        founded
    }

    /// Remembers so many members that have left instead of 1,024. What is of an epoch in which one was a
    /// member that is forgotten is refused.
    #[must_use]
    pub fn with_former_max(mut self, former_max: usize) -> Self {
        self.former_max = former_max;
        self.forget();
        self
    }

    /// How many changes there were: what is said of slots now is of this epoch.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The members with their slots.
    pub fn members(&self) -> impl Iterator<Item = (Slot, MemberId)> + '_ {
        self.slots.iter().filter_map(|(slot, tenures)| {
            let last = tenures.last()?;
            last.retired.is_none().then_some((*slot, last.id))
        })
    }

    /// The slots of members that have retired, of which not everybody has everything, each with the last
    /// position that counts.
    pub fn retiring(&self) -> impl Iterator<Item = (Slot, u64)> + '_ {
        self.slots.iter().filter_map(|(slot, tenures)| {
            let retired = tenures.last()?.retired.as_ref()?;
            (!retired.is_settled).then_some((*slot, retired.last))
        })
    }

    /// What a server of this name is. O(tenures).
    #[must_use]
    pub fn standing(&self, id: MemberId) -> Standing {
        let all = self
            .slots
            .iter()
            .flat_map(|(slot, tenures)| tenures.iter().map(move |tenure| (*slot, tenure)));
        let tenure = all.into_iter().find(|(_, tenure)| tenure.id == id);
        tenure.map_or(Standing::Unknown, |(slot, tenure)| match &tenure.retired {
            None => Standing::Member(slot),
            Some(retired) => Standing::Retired { slot, last: retired.last },
        })
    }

    /// The change by which a server would join, under the smallest slot that is free. For the authority,
    /// which hands it to everybody to [`apply`](Self::apply).
    ///
    /// # Errors
    ///
    /// [`ChangeError::NameTaken`], [`ChangeError::Exhausted`].
    pub fn join(&self, id: MemberId) -> Result<(Epoch, Change), ChangeError> {
        let is_free = |slot: &Slot| {
            self.slots.get(slot).is_none_or(|tenures| tenures.iter().all(Tenure::is_settled))
        };
        let slot = (0..=u16::MAX).map(Slot).find(is_free).ok_or(ChangeError::Exhausted)?;
        self.checked(Change::Join { id, slot })
    }

    /// The change by which a member would leave. For the authority.
    ///
    /// A member that says goodbye names its own last position. For one that cannot, the authority has
    /// every live member [`suspend`](Self::suspend) the slot and say how much of it it holds; the greatest
    /// of these is `last`. Without the suspension one could take in more in the meantime, which then
    /// would count for it alone.
    ///
    /// # Errors
    ///
    /// [`ChangeError::NoMember`], [`ChangeError::Exhausted`].
    pub fn retire(&self, slot: Slot, last: u64) -> Result<(Epoch, Change), ChangeError> {
        self.checked(Change::Retire { slot, last })
    }

    /// Takes in nothing new of a slot for now, before it says how much of it it holds: so that a member can
    /// be retired that does not answer. Ends when the slot's retirement is [applied](Self::apply), or with
    /// [`resume`](Self::resume).
    pub fn suspend(&mut self, slot: Slot) {
        self.suspended.insert(slot);
    }

    /// The member does not retire after all.
    pub fn resume(&mut self, slot: Slot) {
        self.suspended.remove(&slot);
    }

    fn checked(&self, change: Change) -> Result<(Epoch, Change), ChangeError> {
        let epoch = self.epoch.0.checked_add(1).map(Epoch).ok_or(ChangeError::Exhausted)?;
        self.check(change).map(|()| (epoch, change))
    }

    fn check(&self, change: Change) -> Result<(), ChangeError> {
        match change {
            Change::Join { id, slot } => {
                if self.standing(id) != Standing::Unknown {
                    return Err(ChangeError::NameTaken { id });
                }
                let tenures = self.slots.get(&slot).map_or(&[][..], Vec::as_slice);
                let is_free = tenures.iter().all(Tenure::is_settled);
                is_free.then_some(()).ok_or(ChangeError::SlotTaken { slot })
            }
            Change::Retire { slot, .. } => {
                let last = self.slots.get(&slot).and_then(|tenures| tenures.last());
                let is_member = last.is_some_and(|tenure| tenure.retired.is_none());
                is_member.then_some(()).ok_or(ChangeError::NoMember { slot })
            }
        }
    }

    /// Makes a change; whether it is news.
    ///
    /// # Errors
    ///
    /// The membership is as it was. [`ChangeError::Gap`] and [`ChangeError::SlotTaken`] may go away when
    /// more is known or stable here; the change should be kept until then.
    pub fn apply(&mut self, epoch: Epoch, change: Change) -> Result<bool, ChangeError> {
        if epoch <= self.epoch {
            return self.check_known(epoch, change).map(|()| false);
        }
        if epoch.0 - 1 != self.epoch.0 {
            return Err(ChangeError::Gap { expected: Epoch(self.epoch.0 + 1) });
        }
        self.check(change)?;
        match change {
            Change::Join { id, slot } => {
                let tenure = Tenure { id, since: epoch, retired: None };
                self.slots.entry(slot).or_default().push(tenure);
            }
            Change::Retire { slot, last } => {
                let tenures = self.slots.get_mut(&slot).expect("it was checked");
                let tenure = tenures.last_mut().expect("a slot has had somebody");
                tenure.retired = Some(Retirement { epoch, last, is_settled: false });
                self.suspended.remove(&slot);
            }
        }
        self.epoch = epoch;
        Ok(true)
    }

    /// Whether it is the change that made the epoch.
    fn check_known(&self, epoch: Epoch, change: Change) -> Result<(), ChangeError> {
        let made = self.slots.iter().flat_map(|(slot, tenures)| {
            tenures.iter().flat_map(move |tenure| {
                let join =
                    (tenure.since == epoch).then_some(Change::Join { id: tenure.id, slot: *slot });
                let retired = tenure.retired.as_ref().filter(|retired| retired.epoch == epoch);
                join.into_iter().chain(
                    retired.map(|retired| Change::Retire { slot: *slot, last: retired.last }),
                )
            })
        });
        let made: Vec<Change> = made.collect();
        if made.contains(&change) {
            Ok(())
        } else if made.is_empty() && epoch.0 > 0 {
            Err(ChangeError::Forgotten { epoch })
        } else {
            Err(ChangeError::Conflict { epoch })
        }
    }

    /// Finds the slots of retired members of which everything that counts is in `stable`. They are to be
    /// left out of all cuts from now on: each is returned once, for the
    /// [`Trimmer`](crate::stability::Trimmer::drop_slot) and whoever else keeps cuts.
    ///
    /// The [stable cut](crate::stability::StabilityTracker::stable) is enough for reading cuts exactly. A
    /// server that trims gives its [trim cut](crate::stability::Trimmer::trim_cut), which is stable too:
    /// until then a cut has to be able to tell how much of what came in at the slot is old.
    #[must_use = "the slots have to be left out of all cuts"]
    pub fn settle(&mut self, stable: &Cut) -> Vec<Slot> {
        let mut settled = Vec::new();
        for (slot, tenures) in &mut self.slots {
            let Some(retired) = tenures.last_mut().and_then(|tenure| tenure.retired.as_mut())
            else {
                continue;
            };
            if !retired.is_settled && stable.get(*slot) >= retired.last {
                retired.is_settled = true;
                settled.push(*slot);
            }
        }
        self.forget();
        settled
    }

    /// What to do with something that a server has admitted, as it is named in an epoch.
    ///
    /// # Errors
    ///
    /// [`Refused`], if it is of an epoch that cannot be read, or of nobody, or has never happened, or if
    /// it is not decided yet whether it has.
    pub fn admit(&self, epoch: Epoch, admission: Admission) -> Result<Admitted, Refused> {
        let admitted = self.read(epoch, admission)?;
        let slot = admission.slot;
        if matches!(admitted, Admitted::As(_)) && self.suspended.contains(&slot) {
            return Err(Refused::Suspended { slot });
        }
        Ok(admitted)
    }

    /// What something is called here that is named in another epoch.
    fn read(&self, epoch: Epoch, admission: Admission) -> Result<Admitted, Refused> {
        if epoch > self.epoch {
            return Err(Refused::Ahead { here: self.epoch });
        }
        let Admission { slot, position } = admission;
        let tenure = self.tenure(slot, epoch).ok_or_else(|| {
            let is_forgotten = self.forgot_at.is_some_and(|forgot_at| epoch <= forgot_at);
            if is_forgotten { Refused::Rebase } else { Refused::UnknownSlot { slot } }
        })?;
        match &tenure.retired {
            Some(Retirement { last, .. }) if position > *last => {
                Err(Refused::Retired { slot, last: *last })
            }
            Some(Retirement { is_settled: true, .. }) => Ok(Admitted::Settled),
            _ => Ok(Admitted::As(admission)),
        }
    }

    /// What a cut of another epoch, or of this one by somebody who knows less to be stable, is here.
    ///
    /// It stands for the same events, but for those that everybody has.
    ///
    /// # Errors
    ///
    /// [`Refused`], if any of it cannot be read exactly.
    pub fn translate(&self, epoch: Epoch, cut: &Cut) -> Result<Cut, Refused> {
        if epoch > self.epoch {
            return Err(Refused::Ahead { here: self.epoch });
        }
        let mut translated = Cut::new();
        for (slot, position) in cut {
            if let Admitted::As(last) = self.read(epoch, Admission::new(slot, position))? {
                translated.observe(last.slot, last.position);
            }
        }
        Ok(translated)
    }

    /// Whose slot it was in an epoch.
    fn tenure(&self, slot: Slot, epoch: Epoch) -> Option<&Tenure> {
        self.slots.get(&slot)?.iter().rev().find(|tenure| tenure.since <= epoch)
    }

    /// Forgets those that retired longest ago, if there are too many.
    fn forget(&mut self) {
        let settled = self.slots.values().flatten().filter(|tenure| tenure.is_settled());
        let too_many = settled.count().saturating_sub(self.former_max);
        for _ in 0..too_many {
            let first_retired = self.slots.iter().filter_map(|(slot, tenures)| {
                let first = tenures.first().filter(|tenure| tenure.is_settled())?;
                first.retired.as_ref().map(|retired| (retired.epoch, *slot))
            });
            let (_, slot) = first_retired.min().expect("there are too many");
            let tenures = self.slots.get_mut(&slot).expect("it was found");
            tenures.remove(0);
            if tenures.is_empty() {
                self.slots.remove(&slot);
            }
            self.forgot_at = Some(self.epoch);
        }
    }

    /// Panics if the parts contradict each other. For tests.
    pub fn check_invariants(&self) {
        assert!(self.forgot_at.is_none_or(|forgot_at| forgot_at <= self.epoch));
        let former = self.slots.values().flatten().filter(|tenure| tenure.is_settled());
        assert!(former.count() <= self.former_max);
        for tenures in self.slots.values() {
            assert!(!tenures.is_empty());
            let (_, before) = tenures.split_last().expect("it has had somebody");
            assert!(before.iter().all(Tenure::is_settled), "one at a time");
            let mut epoch = None;
            for tenure in tenures {
                assert!(epoch.is_none_or(|epoch| epoch < tenure.since));
                assert!(tenure.since <= self.epoch);
                epoch = Some(tenure.since);
                if let Some(retired) = &tenure.retired {
                    assert!(tenure.since < retired.epoch && retired.epoch <= self.epoch);
                    epoch = Some(retired.epoch);
                }
            }
        }
    }
}
