use alloc::vec::Vec;

use crate::laws::trials;

use super::lanes::Lanes;
use crate::causality::VersionVector;
use crate::{Dot, ReplicaId, SEQ_MAX};

fn vector(lengths: &[u8]) -> VersionVector {
    let ids = (1..).map(ReplicaId::from_u128);
    ids.zip(lengths).map(|(replica, &len)| (replica, u64::from(len % 6))).collect()
}

/// The numbers are those of the dots in the order that is promised.
#[test]
fn every_dot_has_a_number_and_every_number_a_dot() {
    fn law(lengths: Vec<u8>) -> bool {
        let vector = vector(&lengths);
        let lanes = Lanes::of(&vector);
        let mut dots: Vec<Dot> = vector
            .iter()
            .flat_map(|(replica, len)| (1..=len).map(move |seq| Dot::new(replica, seq)))
            .collect();
        let rank = |dot: &Dot| (dot.seq, u64::MAX - vector.get(dot.replica), dot.replica);
        dots.sort_unstable_by_key(rank);
        let beyond = vector.iter().map(|(replica, len)| Dot::new(replica, len + 1));
        lanes.len() == dots.len() as u64
            && (0..).zip(&dots).all(|(number, &dot)| lanes.number(dot) == Some(number))
            && (0..).zip(&dots).all(|(number, &dot)| lanes.dot(number) == dot)
            && beyond.map(|dot| lanes.number(dot)).all(|number| number.is_none())
    }
    trials().quickcheck(law as fn(_) -> _);
}

#[test]
fn more_dots_than_can_be_counted_have_no_numbers() {
    let ids = [1, 2].map(ReplicaId::from_u128);
    let last = Dot::new(ids[0], SEQ_MAX);
    let one = Lanes::of(&VersionVector::from_iter([(ids[0], SEQ_MAX)]));
    assert_eq!(one.number(last), Some(SEQ_MAX - 1));
    assert_eq!(one.dot(SEQ_MAX - 1), last);
    let two = Lanes::of(&VersionVector::from_iter(ids.map(|id| (id, SEQ_MAX))));
    assert_eq!((two.len(), two.number(last)), (0, None));
}
