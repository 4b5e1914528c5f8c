//! Several servers, who forget together.

use super::support::http::{server as known, until_in_step};
use super::support::proxy::Proxy;
use super::*;

fn with(hand: &HandClock, slot: u16, peers: &[std::net::SocketAddr]) -> Setup {
    let peers = peers.iter().map(|address| format!("ws://{address}")).collect();
    Setup { slot, peers, ..setup(hand) }
}

/// Both get to the same, and neither takes what the other could not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_trim_what_both_have() {
    let hand = HandClock::new(DAY);
    let a = Running::start_with(with(&hand, 0, &[])).await;
    let b = Running::start_with(with(&hand, 1, &[a.address])).await;
    let all = [(a.address, 0), (b.address, 1)];
    let mut lost = write(&a, "notes", 1, "Hello").await;
    append(&mut lost, " world");
    until_in_step(&all).await;
    for number in 2..6 {
        write(if number % 2 == 0 { &a } else { &b }, "notes", number, "> ").await;
        until_in_step(&all).await;
    }
    for _ in 0..25 {
        day(&hand, &[&a, &b]).await;
    }
    // Within the month, from one server to the other.
    let mut away = write(&a, "notes", 7, "a ").await;
    until_in_step(&all).await;
    append(&mut away, "!");
    for _ in 0..12 {
        day(&hand, &[&a, &b]).await;
        until_in_step(&all).await;
    }
    for server in [&a, &b] {
        let seen = trimming(server).await;
        assert!(seen["trimmed_events"].as_u64() > Some(0), "{seen}");
    }
    come_back(&b, "notes", &mut away).await.expect("12 days");
    until_in_step(&all).await;
    let shown_at = [shown(&a, "notes").await, shown(&b, "notes").await];
    assert_eq!(text(&shown_at[0]), text(&shown_at[1]));
    assert!(text(&shown_at[0]).ends_with("Hello!"), "{}", text(&shown_at[0]));
    for server in [&a, &b] {
        assert!(is_trimmed(&come_back(server, "notes", &mut lost).await));
    }
    // And go on together.
    write(&b, "notes", 8, "on ").await;
    until_in_step(&all).await;
    assert!(text(&shown(&a, "notes").await).starts_with("on "));
    b.stop().await.expect("an orderly end");
    a.stop().await.expect("an orderly end");
}

/// What one of them lacks is kept, for as long as it takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_away_holds_trimming_back_until_it_has_retired() {
    let hand = HandClock::new(DAY);
    let store = EmbeddedStore::with_backend(Medium::default()).expect("a new store");
    let store: Arc<dyn Store> = Arc::new(store);
    let a = Running::start_on(Arc::clone(&store), with(&hand, 0, &[])).await;
    let b = Running::start_with(with(&hand, 1, &[a.address])).await;
    write(&a, "notes", 1, "Hello").await;
    until_in_step(&[(a.address, 0), (b.address, 1)]).await;
    b.stop().await.expect("an orderly end");
    write(&a, "notes", 2, "> ").await;
    for _ in 0..120 {
        day(&hand, &[&a]).await;
    }
    assert_eq!(trimming(&a).await["trimmed_events"], 0, "b is one of two");
    a.stop().await.expect("an orderly end");

    let retired = Setup { retired: [1].into(), epoch: 1, ..with(&hand, 0, &[]) };
    let a = Running::start_on(store, retired).await;
    for _ in 0..34 {
        day(&hand, &[&a]).await;
    }
    assert!(trimming(&a).await["trimmed_events"].as_u64() > Some(0));
    // It is not taken back under its slot.
    let back = Setup { epoch: 1, ..with(&hand, 1, &[a.address]) };
    let b = Running::start_with(back).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(known(&health(a.address).await, 1).is_none());
    b.stop().await.expect("an orderly end");
    a.stop().await.expect("an orderly end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_keep_history_for_different_times_stay_apart() {
    let hand = HandClock::new(DAY);
    let a = Running::start_with(with(&hand, 0, &[])).await;
    let for_ever = Setup { trimming: None, ..with(&hand, 1, &[a.address]) };
    let b = Running::start_with(for_ever).await;
    write(&b, "notes", 1, "hello").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(known(&health(a.address).await, 1).is_none());
    assert!(shown(&a, "notes").await.is_empty());
    b.stop().await.expect("an orderly end");
    a.stop().await.expect("an orderly end");
}

/// A and C know each other by B only, and forget what is old all the same: each what all three have.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chain_of_three_trims() {
    let hand = HandClock::new(DAY);
    let b = Running::start_with(with(&hand, 1, &[])).await;
    let a = Running::start_with(with(&hand, 0, &[b.address])).await;
    let store = EmbeddedStore::with_backend(Medium::default()).expect("a new store");
    let store: Arc<dyn Store> = Arc::new(store);
    let network = Proxy::start(b.address).await;
    let start_c = || Running::start_on(Arc::clone(&store), with(&hand, 2, &[network.address]));
    let mut c = start_c().await;
    let mut lost = write(&a, "notes", 1, "Hello").await;
    append(&mut lost, " world");
    let pass_on = async |c: &Running| {
        until_in_step(&[(a.address, 0), (b.address, 1)]).await;
        until_in_step(&[(b.address, 1), (c.address, 2)]).await;
        until_in_step(&[(a.address, 0), (b.address, 1)]).await;
    };
    pass_on(&c).await;
    for number in 2..8 {
        write([&a, &b, &c][number as usize % 3], "notes", number, "> ").await;
        pass_on(&c).await;
    }
    for _ in 0..25 {
        day(&hand, &[&a, &b, &c]).await;
        pass_on(&c).await;
    }
    let mut away = write(&a, "notes", 9, "a ").await;
    append(&mut away, "!");
    pass_on(&c).await;
    // C is cut off: nobody forgets what it may lack, neither B, who was linked with it, nor A; so
    // whoever has seen what C has may still come back.
    network.cut().await;
    write(&a, "notes", 10, "b ").await;
    until_in_step(&[(a.address, 0), (b.address, 1)]).await;
    for _ in 0..60 {
        day(&hand, &[&a, &b]).await;
    }
    let events = async |server: &Running| trimming(server).await["trimmed_events"].clone();
    come_back(&a, "notes", &mut away).await.expect("C lacks what it has not seen");
    until_in_step(&[(a.address, 0), (b.address, 1)]).await;
    // It starts again, and is known by then, though nobody has a link with it but B.
    c.stop().await.expect("an orderly end");
    network.heal();
    c = start_c().await;
    pass_on(&c).await;
    for _ in 0..40 {
        day(&hand, &[&a, &b, &c]).await;
        pass_on(&c).await;
    }
    for server in [&a, &b, &c] {
        assert!(events(server).await.as_u64() > Some(0), "{}", trimming(server).await);
        assert!(is_trimmed(&come_back(server, "notes", &mut lost).await));
    }
    let texts = [
        text(&shown(&a, "notes").await),
        text(&shown(&b, "notes").await),
        text(&shown(&c, "notes").await),
    ];
    assert!(texts.iter().all(|text| *text == texts[0] && text.ends_with("Hello!")), "{texts:?}");
    // And go on together.
    write(&c, "notes", 11, "on ").await;
    pass_on(&c).await;
    assert!(text(&shown(&a, "notes").await).starts_with("on "));
    for server in [c, a, b] {
        server.stop().await.expect("an orderly end");
    }
}
