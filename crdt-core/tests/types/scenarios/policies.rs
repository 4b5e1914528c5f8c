//! D10, D13: what wins, by type; an order that never goes back.

use super::*;

/// D10: every pair of an update and a deletion, made concurrently, in both orders of arrival,
/// under every policy that a type stands for.
#[test]
fn conflicts_end_as_their_policy_says() -> Result<(), WriteError> {
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Act {
        Update,
        Delete,
    }
    use Act::{Delete, Update};
    // Whether something is there in the end, for each policy.
    let table = [
        ((Update, Update), [true, true, true, true, true, true]),
        ((Update, Delete), [true, true, true, false, false, false]),
        ((Delete, Update), [true, true, true, false, false, false]),
        ((Delete, Delete), [false; 6]),
    ];
    macro_rules! outcome {
        ($acts:expr, $order:expr, $new:expr, $update:expr, $delete:expr, $present:expr) => {{
            let mut start = $new;
            let mut writer = start.writer(replica(2));
            let _kept = $update(&mut start, &mut writer, 0);
            let (mut here, mut there) = (start.clone(), start);
            let (mut on_here, mut on_there) = (here.writer(MUMBAI), there.writer(DELHI));
            let one = if $acts.0 == Update {
                $update(&mut here, &mut on_here, 1)
            } else {
                $delete(&mut here, &mut on_here)
            };
            let two = if $acts.1 == Update {
                $update(&mut there, &mut on_there, 2)
            } else {
                $delete(&mut there, &mut on_there)
            };
            let mut third = $new;
            third.join(&here);
            let mut arriving = [one, two];
            if $order {
                arriving.reverse();
            }
            for delta in arriving {
                here.join(&delta);
                there.join(&delta);
                third.join(&delta);
            }
            third.join(&there);
            assert_eq!((&here, &here), (&there, &third));
            $present(&here)
        }};
    }
    for (acts, expected) in table {
        for order in [false, true] {
            let found = [
                outcome!(
                    acts,
                    order,
                    LwwMap::<&str, u8>::new(),
                    |map: &mut LwwMap<_, _>, by: &mut _, v| map
                        .set("k", v, u64::from(v), by)
                        .unwrap(),
                    |map: &mut LwwMap<_, _>, by: &mut _| map.remove("k", by),
                    |map: &LwwMap<_, _>| {
                        if acts == (Update, Update) {
                            assert_eq!(map.get("k"), Some(&2));
                            assert_eq!(
                                map.conflicts("k").map(|lost| *lost.value).collect::<Vec<_>>(),
                                [1]
                            );
                        }
                        map.contains_key("k")
                    }
                ),
                outcome!(
                    acts,
                    order,
                    AddWinsSet::<&str>::new(),
                    |set: &mut AddWinsSet<_>, by: &mut _, _| set.add("k", by).unwrap(),
                    |set: &mut AddWinsSet<_>, by: &mut _| set.remove("k", by),
                    |set: &AddWinsSet<_>| set.contains("k")
                ),
                outcome!(
                    acts,
                    order,
                    EnableWinsFlag::new(),
                    |flag: &mut EnableWinsFlag, by: &mut _, _| flag.enable(by).unwrap(),
                    |flag: &mut EnableWinsFlag, by: &mut _| flag.disable(by),
                    |flag: &EnableWinsFlag| flag.is_enabled()
                ),
                outcome!(
                    acts,
                    order,
                    RemoveWinsSet::<&str>::new(),
                    |set: &mut RemoveWinsSet<_>, by: &mut _, _| set.add("k", by).unwrap(),
                    |set: &mut RemoveWinsSet<_>, by: &mut _| set.remove("k", by).unwrap(),
                    |set: &RemoveWinsSet<_>| {
                        let lost = usize::from(acts.0 != acts.1);
                        assert_eq!(set.conflicts("k").count(), lost);
                        set.contains("k")
                    }
                ),
                outcome!(
                    acts,
                    order,
                    DisableWinsFlag::new(),
                    |flag: &mut DisableWinsFlag, by: &mut _, _| flag.enable(by).unwrap(),
                    |flag: &mut DisableWinsFlag, by: &mut _| flag.disable(by).unwrap(),
                    |flag: &DisableWinsFlag| flag.is_enabled()
                ),
                {
                    let mut start = TwoPhaseSet::new();
                    let _kept = start.add("k");
                    let (mut here, mut there) = (start.clone(), start);
                    for (act, set) in [(acts.0, &mut here), (acts.1, &mut there)] {
                        drop(if act == Update { set.add("k") } else { set.remove("k") });
                    }
                    if order {
                        std::mem::swap(&mut here, &mut there);
                    }
                    here.join(&there);
                    here.contains("k")
                },
            ];
            assert_eq!(found, expected, "{acts:?}, {order}");
        }
    }
    // Several values: an update against an update keeps both, against a deletion itself.
    for (first, second, left) in [(Some(1), Some(2), 2), (Some(1), None, 1), (None, None, 0)] {
        for order in [false, true] {
            let mut here = MultiValueRegister::new();
            let mut by = here.writer(replica(2));
            let _kept = here.set(0, &mut by)?;
            let mut there = here.clone();
            let mut by = [here.writer(MUMBAI), there.writer(DELHI)];
            let acts = if order { [second, first] } else { [first, second] };
            for ((value, side), by) in acts.into_iter().zip([&mut here, &mut there]).zip(&mut by) {
                drop(match value {
                    Some(value) => side.set(value, by)?,
                    None => side.clear(by),
                });
            }
            here.join(&there);
            there.join(&here);
            assert_eq!((here.len(), &here), (left, &there));
        }
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    Placed,
    Confirmed,
    Preparing,
    Dispatched,
    Delivered,
}

/// D13: five steps of an order, made by three replicas, arrive in all 120 orders. Whoever looks
/// sees the order go forwards, and everyone sees it delivered in the end.
#[test]
fn an_order_never_goes_back() {
    use Order::{Confirmed, Delivered, Dispatched, Placed, Preparing};
    let steps = [Placed, Confirmed, Preparing, Dispatched, Delivered];
    let mut shops = [const { MaxRegister::new() }; 3];
    // Made in turn, each by a replica that has seen the step before.
    let mut deltas = Vec::new();
    for (turn, step) in steps.into_iter().enumerate() {
        if let Some(last) = deltas.last() {
            shops[turn % 3].join(last);
        }
        deltas.push(shops[turn % 3].raise(step));
    }
    for order in permutations(5) {
        let mut observer = MaxRegister::new();
        let mut seen = Vec::new();
        for index in order {
            let news = observer.join(deltas[index]);
            assert_eq!(news, seen.last() != observer.get());
            if news {
                seen.extend(observer.get().copied());
            }
        }
        assert!(seen.is_sorted_by(|a, b| a < b), "{seen:?}");
        assert_eq!(seen.last(), Some(&Delivered));
        assert!(observer.raise(Preparing).is_empty(), "what is delivered is not prepared again");
        assert_eq!(observer.get(), Some(&Delivered));
    }
}
