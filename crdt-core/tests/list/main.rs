//! The order of lists: that of the texts, whatever is concurrent, and what moves leave.

mod order;
mod speed;

use crdt_core::{List, ReplicaId, Writer};

/// All orders of three.
const ORDERS: [[u128; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

/// A copy, and a writer of its own.
fn fork<E: Clone>(list: &List<E>, replica: u128) -> (List<E>, Writer) {
    let writer = list.writer(ReplicaId::from_u128(replica));
    (list.clone(), writer)
}

fn read(list: &List<char>) -> String {
    list.check_invariants();
    list.iter().collect()
}

/// Two replicas move one element at once. Where to move is to delete and to insert again, as
/// in Automerge and Yjs, the element is there twice afterwards (Kleppmann, *Moving elements in
/// list CRDTs*, 2020, figure 1).
#[test]
fn concurrent_moves_of_one_element_leave_one_copy() {
    for [left, right] in [[1, 2], [2, 1]] {
        let (mut here, mut on_here) = fork(&List::new(), left);
        let _all = here.extend("abcd".chars(), &mut on_here).unwrap();
        let (mut there, mut on_there) = fork(&here, right);
        let element = here.dot_of(1).unwrap();
        let to_front = here.move_to(1, 0, &mut on_here).unwrap();
        let to_back = there.move_to(1, 3, &mut on_there).unwrap();
        here.join(to_back);
        there.join(to_front);
        assert_eq!(here, there);
        let (index, other) = if left < right { (3, 0) } else { (0, 4) };
        assert_eq!(read(&here), if left < right { "acdb" } else { "bacd" });
        assert_eq!(here.index_of(element), Some(index));
        let lost: Vec<_> = here.conflicts(index).collect();
        assert_eq!((lost.len(), lost[0].dot.replica), (1, ReplicaId::from_u128(left.min(right))));
        assert_eq!(lost[0].index, if other == 4 { 4 } else { other });

        // Whoever has seen both decides.
        let decided = here.move_to(index, 2, &mut on_here).unwrap();
        there.join(decided);
        assert_eq!((read(&here).as_str(), &here), ("acbd", &there));
        assert_eq!(here.conflicts(2).count(), 0);
    }
}

/// A removal wins over a concurrent move, and says so on both sides.
#[test]
fn a_removed_element_is_not_moved_back() {
    let (mut here, mut on_here) = fork(&List::new(), 1);
    let _all = here.extend("abc".chars(), &mut on_here).unwrap();
    let (mut there, mut on_there) = fork(&here, 2);
    let removed = here.remove(0, &mut on_here);
    let moved = there.move_to(0, 2, &mut on_there).unwrap();
    here.join(moved);
    there.join(removed);
    assert_eq!((read(&here).as_str(), &here), ("bc", &there));
}

/// A peer forges the greatest event of its name as a move: it wins against what is concurrent to
/// it, once. Whoever has seen it moves the element as before.
#[test]
fn a_greatest_move_is_not_the_last() {
    let (mut here, mut on_here) = fork(&List::new(), 1);
    let _all = here.extend("abc".chars(), &mut on_here).unwrap();
    let (mut peer, mut as_peer) = fork(&here, u128::MAX);
    here.join(peer.move_to(0, 2, &mut as_peer).unwrap());
    let moved = here.move_to(2, 0, &mut on_here).unwrap();
    peer.join(moved);
    assert_eq!((read(&here).as_str(), &here), ("abc", &peer));
}

/// Automerge: what two people write backwards at one place, such as entries that are put on top
/// of a list, is shuffled. Forwards as well, in every order of their ids.
#[test]
fn what_is_written_backwards_does_not_mix() {
    for backwards in [true, false] {
        for [left, right] in [[1, 2], [2, 1]] {
            let mut lists = [left, right].map(|replica| fork(&List::new(), replica));
            for ((list, writer), word) in lists.iter_mut().zip(["words", "UPWARDS"]) {
                for c in word.chars() {
                    let at = if backwards { 0 } else { list.len() };
                    let _delta = list.insert(at, c, writer).unwrap();
                }
            }
            let [(mut here, _), (there, _)] = lists;
            here.join(there);
            let whole = read(&here);
            let words = if backwards { ["sdrow", "SDRAWPU"] } else { ["words", "UPWARDS"] };
            assert!(words.iter().all(|word| whole.contains(word)), "{whole}");
        }
    }
}

/// The anomaly of the Fugue paper, which Yjs 13.6 shows as `1b2`.
#[test]
fn three_writers_do_not_come_between() {
    for ids in ORDERS {
        let (mut two, mut c) = fork(&List::new(), ids[2]);
        let second = two.insert(0, '2', &mut c).unwrap();
        let (mut one, mut a) = fork(&List::new(), ids[0]);
        one.join(&second);
        let first = one.insert(0, '1', &mut a).unwrap();
        let (mut other, mut b) = fork(&List::new(), ids[1]);
        let between = other.insert(0, 'b', &mut b).unwrap();
        other.join(&second);
        other.join(&first);
        one.join(&between);
        assert_eq!(read(&one), read(&other));
        assert!(read(&one).contains("12"), "{one:?}, ids {ids:?}");
    }
}

/// What was inserted beside something that is cleared stays, in one piece.
#[test]
fn a_clearing_leaves_what_it_has_not_seen() {
    let (mut here, mut on_here) = fork(&List::new(), 1);
    let _all = here.extend("abc".chars(), &mut on_here).unwrap();
    let (mut there, mut on_there) = fork(&here, 2);
    let cleared = here.clear(&mut on_here);
    let inserted = there.insert_many(2, "new".chars(), &mut on_there).unwrap();
    let more = there.insert(3, '-', &mut on_there).unwrap();
    here.join(more);
    here.join(inserted);
    there.join(cleared);
    assert_eq!((read(&here).as_str(), &here), ("n-ew", &there));
    // Nothing else is kept.
    let held: u64 = here.digest().live().ranges().map(|range| range.len()).sum();
    assert_eq!(held, 4);
}
