//! Before and after the horizon, at one server.

use super::*;

/// What C9 of the scenarios asks for: a day, and more than a month.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_merges_and_more_than_a_month_is_told_so_and_makes_its_edits_anew() {
    let world = World::start().await;
    let server = &world.server;
    write(server, "notes", 1, "Hello").await;
    let mut lost = write(server, "notes", 2, "> ").await;
    let acknowledged = lost.version().clone();
    append(&mut lost, " world");
    for round in 0..50 {
        write(server, "notes", 3, if round % 2 == 0 { "a" } else { "b" }).await;
    }
    world.days(20).await;
    assert_eq!(trimming(server).await["floor"], 0, "nothing is a month old");

    // After 20 days one still merges, though everything since was not seen.
    let mut late = Document::new(replica(4));
    late.import(&lost.encode()).expect("the same document");
    append(&mut late, "?");
    // And one stays away for the other 20, while others write: what is young is not trimmed with
    // what is old.
    let mut young = write(server, "notes", 7, "young ").await;
    append(&mut young, "~");
    write(server, "notes", 3, "c").await;
    world.days(20).await;
    let at_40 = trimming(server).await;
    assert!(at_40["floor"].as_u64() > Some(0) && at_40["trimmed_events"].as_u64() > Some(0));
    assert!(at_40["floor_age_ms"].as_u64().is_some_and(|age| age >= 30 * DAY));

    come_back(server, "notes", &mut young).await.expect("20 days");
    assert!(text(&young).starts_with("cyoung ") && text(&young).ends_with('~'));

    // Away for a day, with something of its own.
    let mut away = write(server, "notes", 5, "today ").await;
    append(&mut away, "!");
    write(server, "notes", 3, "meanwhile ").await;
    world.days(1).await;
    come_back(server, "notes", &mut away).await.expect("a day is nothing");
    let merged = shown(server, "notes").await;
    assert_eq!(text(&merged), text(&away));
    assert!(text(&merged).ends_with('!') && text(&merged).starts_with("meanwhile "));

    // Away for more than a month: refused, and told why. Nothing of it got in.
    let refused = come_back(server, "notes", &mut lost).await;
    assert!(is_trimmed(&refused), "{refused:?}");
    assert!(is_trimmed(&come_back(server, "notes", &mut late).await));
    assert_eq!(text(&shown(server, "notes").await), text(&merged));

    // The same edits, anew, under a new id.
    let mut again = shown(server, "notes").await;
    again.set_replica(replica(6)).expect("no transaction");
    lost.rebase(&mut again, &acknowledged).expect("an edit");
    come_back(server, "notes", &mut again).await.expect("it has seen everything");
    assert_eq!(text(&shown(server, "notes").await), text(&again));
    assert!(text(&again).contains(" world"), "{}", text(&again));
    world.server.stop().await.expect("an orderly end");
}

/// Everybody has to have seen the floor before anything is trimmed: here a document of which
/// nothing can be trimmed, since two old branches were never joined.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_floor_is_asked_for_though_nothing_could_be_trimmed() {
    let world = World::start().await;
    let server = &world.server;
    let mut one = write(server, "notes", 1, "one").await;
    let mut other = Document::new(replica(2));
    other.import(&one.encode()).expect("the same document");
    let mut third = Document::new(replica(3));
    third.import(&one.encode()).expect("the same document");
    for (document, text) in [(&mut one, "1"), (&mut other, "2"), (&mut third, "3")] {
        append(document, text);
    }
    come_back(server, "notes", &mut one).await.expect("new");
    world.days(20).await;
    come_back(server, "notes", &mut other).await.expect("within the month");
    world.days(14).await;
    let seen = trimming(server).await;
    assert!(seen["floor"].as_u64() > Some(0), "{seen}");
    assert!(is_trimmed(&come_back(server, "notes", &mut third).await));
    let text = text(&shown(server, "notes").await);
    assert!(text.contains('1') && text.contains('2') && !text.contains('3'), "{text}");
    world.server.stop().await.expect("an orderly end");
}

/// A long log becomes what is shown of it, open or not, and the tables about it go too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_stored_shrinks() {
    let world = World::start().await;
    let server = &world.server;
    for name in ["open", "closed"] {
        let client = server.connect().await;
        let mut writer = Writer::open(&client, name, 1).await;
        for round in 0..300 {
            let text = format!("{round:05}");
            let edited = writer.document.transact(|tx| {
                tx.text("body").clear();
                tx.text("body").insert(0, &text).map(drop)
            });
            edited.expect("there is room");
            writer.until_acknowledged().await;
        }
    }
    let client = server.connect().await;
    let mut open = Writer::open(&client, "open", 2).await;
    open.channel.until_up_to_date(&mut open.document).await.expect("open");
    let before = ["open", "closed"].map(|name| world.stored_bytes(name));
    assert!(world.store.admissions(0, usize::MAX).expect("readable").len() < 1000);
    settle(&mut open).await;
    world.days(34).await;
    settle(&mut open).await;
    for (name, before) in ["open", "closed"].into_iter().zip(before) {
        let after = world.stored_bytes(name);
        assert!(before > 4_000 && after < 250, "{name}: {before} -> {after}");
        assert_eq!(text(&shown(server, name).await), "00299");
    }
    assert!(world.store.older_documents("", u64::MAX, 9).expect("readable").len() <= 1);
    // Who was there all the time goes on as if nothing had been.
    open.edit("still here ");
    open.until_acknowledged().await;
    assert_eq!(text(&shown(server, "open").await), "still here 00299");
    let seen = trimming(server).await;
    assert_eq!(seen["trimmed_documents"], 2, "{seen}");
    world.server.stop().await.expect("an orderly end");
}

/// What was said survives: a server that starts again asks for the same floor.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_forgets_no_floor() {
    let world = World::start().await;
    let mut lost = write(&world.server, "notes", 1, "Hello").await;
    append(&mut lost, " world");
    write(&world.server, "notes", 2, "> ").await;
    world.days(34).await;
    let before = trimming(&world.server).await;
    let World { server, hand, store } = world;
    server.stop().await.expect("an orderly end");
    let shared: Arc<dyn Store> = Arc::<EmbeddedStore>::clone(&store);
    let server = Running::start_on(shared, setup(&hand)).await;
    assert!(is_trimmed(&come_back(&server, "notes", &mut lost).await));
    let now = clock(&hand);
    until(&server, "it has looked", |trimming| trimming["looked_at"] == now).await;
    let after = trimming(&server).await;
    for what in ["floor", "trimmed_to"] {
        assert_eq!(after[what], before[what], "{after} was {before}");
    }
    server.stop().await.expect("an orderly end");
    // Without a horizon nothing new is forgotten, and what was stays so.
    let server = Running::start_on(store, Setup::default()).await;
    assert!(trimming(&server).await.is_null());
    assert_eq!(text(&shown(&server, "notes").await), "> Hello");
    server.stop().await.expect("an orderly end");
}

/// A store from before there was trimming: all that it holds is as old as the first look.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_there_before_is_trimmed_a_month_after_it_was_switched_on() {
    let store = EmbeddedStore::with_backend(Medium::default()).expect("a new store");
    let store = Arc::new(store);
    let shared = || -> Arc<dyn Store> { Arc::<EmbeddedStore>::clone(&store) };
    let server = Running::start_on(shared(), Setup::default()).await;
    let mut lost = write(&server, "notes", 1, "Hello").await;
    append(&mut lost, " world");
    for _ in 0..20 {
        write(&server, "notes", 2, "> ").await;
    }
    server.stop().await.expect("an orderly end");
    let before = store.load("notes").expect("readable").log_bytes();

    let hand = HandClock::new(DAY);
    let world = World {
        server: Running::start_on(shared(), setup(&hand)).await,
        hand,
        store: Arc::clone(&store),
    };
    world.days(25).await;
    assert_eq!(trimming(&world.server).await["trimmed_events"], 0);
    assert_eq!(store.load("notes").expect("readable").log_bytes(), before);
    world.days(9).await;
    let stored = store.load("notes").expect("readable");
    assert_eq!(stored.log.len(), 0, "the log has become a snapshot");
    assert!(is_trimmed(&come_back(&world.server, "notes", &mut lost).await));
    world.server.stop().await.expect("an orderly end");
}

/// Where history is trimmed, too, who only reads wakes none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_only_read_sleeps_through_all_days() {
    let store = EmbeddedStore::with_backend(Medium::default()).expect("a new store");
    let (store, hand) = (Arc::new(store), HandClock::new(DAY));
    let start = || {
        let mut setup = setup(&hand);
        setup.limits.room_idle_timeout = Duration::from_millis(20);
        Running::start_on(Arc::<EmbeddedStore>::clone(&store), setup)
    };
    let server = start().await;
    write(&server, "notes", 1, "world").await;
    write(&server, "notes", 2, "Hello ").await;
    for _ in 0..40 {
        day(&hand, &[&server]).await;
    }
    assert!(trimming(&server).await["trimmed_events"].as_u64() > Some(0));
    server.stop().await.expect("an orderly end");
    let server = start().await;
    for _ in 0..3 {
        day(&hand, &[&server]).await;
        let path = "/v1/docs/notes?path=body";
        let read = super::support::http::request(server.address, "GET", path, &[], "").await;
        assert_eq!(read.json()["value"], "Hello world");
    }
    let health = health(server.address).await;
    assert_eq!(
        (&health["histories_needed"], health["opened"].as_u64() > Some(0)),
        (&0.into(), true)
    );
    // A member is measured by the floor before it is heard.
    let late = write(&server, "notes", 3, "> ").await;
    assert_eq!(text(&late), "> Hello world");
    server.stop().await.expect("an orderly end");
}
