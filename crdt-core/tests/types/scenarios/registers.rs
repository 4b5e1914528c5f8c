//! D7, D9: the latest position, and a city that is written twice.

use super::*;

/// D7: three updates of a driver's position, in every order.
#[test]
fn the_latest_position_wins_in_every_order() -> Result<(), WriteError> {
    let updates = [(30, "Connaught Place"), (35, "Delhi cluster"), (32, "Karol Bagh")];
    for order in permutations(3) {
        // Made by three replicas that know nothing of each other, delivered in this order.
        let mut joined = LwwRegister::<&str>::new();
        let mut map = LwwMap::<&str, &str>::new();
        // Made on one replica, in this order.
        let mut alone = LwwRegister::<&str>::new();
        let mut alone_map = LwwMap::<&str, &str>::new();
        let (mut writer, mut map_writer) = (alone.writer(MUMBAI), alone_map.writer(MUMBAI));
        for index in order {
            let (stamp, position) = updates[index];
            let mut origin = LwwRegister::new();
            let mut by = origin.writer(replica(index));
            joined.join(origin.set(position, stamp, &mut by)?);
            let mut origin = LwwMap::new();
            let mut by = origin.writer(replica(index));
            map.join(origin.set("driver", position, stamp, &mut by)?);
            let _kept = alone.set(position, stamp, &mut writer)?;
            let _kept = alone_map.set("driver", position, stamp, &mut map_writer)?;
        }
        for register in [&joined, &alone] {
            assert_eq!((register.get(), register.stamp()), (Some(&"Delhi cluster"), Some(&35)));
        }
        for map in [&map, &alone_map] {
            assert_eq!(map.get("driver"), Some(&"Delhi cluster"));
        }
    }
    Ok(())
}

/// D7: of equal stamps the greater replica id wins, in every order, whoever has seen whom.
#[test]
fn equal_stamps_are_decided_by_the_replica() -> Result<(), WriteError> {
    for order in permutations(3) {
        for has_seen in [false, true] {
            let mut joined = LwwRegister::<u128>::new();
            let mut map = LwwMap::<&str, u128>::new();
            for &index in &order {
                let author = replica(index);
                let mut origin = if has_seen { joined.clone() } else { LwwRegister::new() };
                let mut by = origin.writer(author);
                joined.join(origin.set(author.as_u128(), 9, &mut by)?);
                let mut origin = if has_seen { map.clone() } else { LwwMap::new() };
                let mut by = origin.writer(author);
                map.join(origin.set("driver", author.as_u128(), 9, &mut by)?);
            }
            let greatest = (0..3).map(replica).max();
            assert_eq!(joined.written_by(), greatest);
            assert_eq!(map.get("driver").copied(), greatest.map(ReplicaId::as_u128));
            let lost = if has_seen { map.conflicts("driver").count().min(2) } else { 2 };
            assert_eq!(map.conflicts("driver").count(), lost);
        }
    }
    // Two writes of one replica with one stamp: the later one.
    let mut register = LwwRegister::new();
    let mut writer = register.writer(MUMBAI);
    let first = register.set("first", 1, &mut writer)?;
    let second = register.set("second", 1, &mut writer)?;
    let mut other = LwwRegister::new();
    other.join(second);
    other.join(first);
    assert_eq!((register.get(), other.get()), (Some(&"second"), Some(&"second")));
    Ok(())
}

/// D9: two cities are written at once; both are kept, and who has read both decides.
#[test]
fn a_city_written_twice_is_two_siblings() -> Result<(), WriteError> {
    let (mut here, mut there) = (MultiValueRegister::new(), MultiValueRegister::new());
    let (mut on_here, mut on_there) = (here.writer(MUMBAI), there.writer(DELHI));
    let mumbai = here.set("Mumbai", &mut on_here)?;
    let delhi = there.set("Delhi", &mut on_there)?;
    here.join(delhi);
    there.join(mumbai);
    assert_eq!(here, there);
    assert!(here.values().eq(&["Mumbai", "Delhi"]) && here.single().is_none());

    // Read, then write.
    let decided = there.set("Delhi", &mut on_there)?;
    here.join(decided);
    assert_eq!((here.single(), here.len()), (Some(&"Delhi"), 1));
    assert_eq!(bytes(&here), bytes(&there));
    Ok(())
}

/// D9: 100 clients read and write through three servers in any order. There are never more
/// siblings than clients between their read and their write, and one more that was read.
#[test]
fn interleaved_clients_do_not_multiply_siblings() -> Result<(), WriteError> {
    const CLIENTS: usize = 100;
    let mut rng = Rng(9);
    let mut servers: Vec<(MultiValueRegister<usize>, Writer)> = (0..3)
        .map(|index| {
            let register = MultiValueRegister::new();
            let writer = register.writer(replica(index));
            (register, writer)
        })
        .collect();
    // What a client has read, if it has not written since.
    let mut reads: Vec<Option<crdt_core::causality::CausalContext>> = vec![None; CLIENTS];
    let mut most = 0;
    let mut writers_most = 0;
    for _ in 0..20_000 {
        let (client, at) = (rng.below(CLIENTS), rng.below(3));
        match reads[client].take() {
            Some(seen) => {
                // At another server than where it has read, perhaps.
                let (register, writer) = &mut servers[at];
                let before = register.clone();
                let delta = register.set_after(client, &seen, writer)?;
                register.check_invariants();
                let mut replayed = before;
                assert!(replayed.join(&delta) && replayed == *register);
            }
            None => reads[client] = Some(servers[at].0.context().clone()),
        }
        let from = servers[rng.below(3)].0.clone();
        servers[at].0.join(from);
        let writing = reads.iter().filter(|read| read.is_some()).count();
        let siblings = servers.iter().map(|(register, _)| register.len()).max().unwrap_or(0);
        writers_most = writers_most.max(writing + 1);
        most = most.max(siblings);
    }
    // Alone, a client that reads and writes leaves one.
    let mut healed = servers[0].0.clone();
    for (register, _) in &servers {
        healed.join(register);
    }
    let mut writer = healed.writer(replica(0));
    let seen = healed.context().clone();
    let _kept = healed.set_after(7, &seen, &mut writer)?;
    assert_eq!(healed.single(), Some(&7));
    assert!(most <= writers_most, "{most} siblings of {writers_most} concurrent writers");

    // Two clients that each write over the other's value, always one step behind, make two.
    let mut register = MultiValueRegister::new();
    let mut writer = register.writer(MUMBAI);
    let mut stale = [register.context().clone(), register.context().clone()];
    for turn in 0..1_000 {
        let seen = std::mem::replace(&mut stale[turn % 2], register.context().clone());
        let _kept = register.set_after(turn, &seen, &mut writer)?;
        assert!(register.len() <= 3, "{} siblings", register.len());
    }
    Ok(())
}
