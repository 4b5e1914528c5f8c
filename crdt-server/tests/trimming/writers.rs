//! Who is forgotten, and who is not.

use super::support::http::request;
use super::*;

/// The bytes that are stored of a document that so many throw-away writers counted in.
async fn bytes_after(writers: u128) -> usize {
    let world = World::start().await;
    let client = world.server.connect().await;
    for number in 0..writers {
        let mut writer = Writer::open(&client, "count", 1_000 + number).await;
        writer.channel.until_up_to_date(&mut writer.document).await.expect("open");
        let counted = writer.document.transact(|tx| {
            tx.counter("visits").increment(1);
            Ok(())
        });
        counted.expect("far from the end");
        writer.until_acknowledged().await;
    }
    world.days(34).await;
    let document = shown(&world.server, "count").await;
    assert_eq!(document.counter("visits").value(), writers as i128);
    assert!(document.version().len() <= 1, "the last writer is the head");
    let bytes = world.stored_bytes("count");
    world.server.stop().await.expect("an orderly end");
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ids_of_trimmed_writers_cost_nothing() {
    let (few, many) = (bytes_after(10).await, bytes_after(100).await);
    assert!(many <= few + 4, "10 writers: {few} bytes, 100: {many}");
}

/// A writer is remembered for as long as a browser may be away, since it was last here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_here_now_and_then_is_not_forgotten() {
    let world = World::start().await;
    let server = &world.server;
    // Three write once. One stays, one looks in after 20 days, one is never seen again.
    let client = server.connect().await;
    let mut stays = Writer::open(&client, "notes", 1).await;
    stays.edit("stays ");
    stays.until_acknowledged().await;
    let mut looks_in = write(server, "notes", 2, "looks in ").await;
    write(server, "notes", 3, "leaves ").await;
    let last = write(server, "notes", 4, "and another one ").await;
    stays.until_holds(&last).await;
    settle(&mut stays).await;
    world.days(20).await;
    come_back(server, "notes", &mut looks_in).await.expect("nothing was trimmed");
    world.days(20).await;
    assert!(trimming(server).await["forgotten_writers"].as_u64() > Some(0));
    let version = shown(server, "notes").await.version().clone();
    assert_eq!([1, 2, 3].map(|number| version.get(replica(number)) > 0), [true, true, false]);

    settle(&mut stays).await;
    stays.edit("again ");
    stays.until_acknowledged().await;
    append(&mut looks_in, "and again");
    come_back(server, "notes", &mut looks_in).await.expect("it is remembered");
    let text = text(&shown(server, "notes").await);
    assert!(text.starts_with("again ") && text.ends_with("and again"), "{text}");
    world.server.stop().await.expect("an orderly end");
}

/// One that was forgotten, and has seen everything, is told the same as one from before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_that_was_forgotten_is_not_written_under_again() {
    let world = World::start().await;
    let server = &world.server;
    let mut silent = write(server, "notes", 1, "silent ").await;
    write(server, "notes", 2, "the last ").await;
    let mut copy = shown(server, "notes").await;
    copy.set_replica(replica(1)).expect("no transaction");
    silent.import(&copy.encode()).expect("the same document");
    world.days(34).await;
    assert_eq!(shown(server, "notes").await.version().get(replica(1)), 0);
    append(&mut silent, "!");
    let refused = come_back(server, "notes", &mut silent).await;
    assert!(is_trimmed(&refused), "{refused:?}");

    // By HTTP it is the server who numbers the events: it must not begin anew.
    let body = format!(
        r#"{{"replica":"{:032x}","ops":[{{"op":"insert","path":["body"],"at":0,"text":"x"}}]}}"#,
        1
    );
    let post =
        async |body: &str| request(server.address, "POST", "/v1/docs/notes/ops", &[], body).await;
    let refused = post(&body).await;
    assert_eq!(refused.status, 409, "{refused:?}");
    assert_eq!(refused.json()["type"], "urn:crdt-server:before-trim");
    let written = post(r#"{"ops":[{"op":"insert","path":["body"],"at":0,"text":"x"}]}"#).await;
    assert_eq!(written.status, 200, "{written:?}");
    assert_eq!(text(&shown(server, "notes").await), "xthe last silent ");
    world.server.stop().await.expect("an orderly end");
}

/// What a document begins with everywhere is in each newcomer's copy, whatever was trimmed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn newcomers_with_a_template_are_served() {
    let world = World::start().await;
    let server = &world.server;
    let start = |number: u128| {
        let begin = |tx: &mut crdt_document::Transaction<'_>| {
            tx.text("body").insert(0, "Present: ").map(drop)
        };
        let mut document = Document::from_template("minutes", begin).expect("a template");
        document.set_replica(replica(number)).expect("no transaction");
        document
    };
    let mut lost = start(9);
    append(&mut lost, "nobody");
    for (number, name) in [(1, "Ann "), (2, "Bob "), (3, "Eve ")] {
        let mut document = start(number);
        come_back(server, "minutes", &mut document).await.expect("served");
        append(&mut document, name);
        come_back(server, "minutes", &mut document).await.expect("served");
    }
    // Twice, since it is remembered only the first time who the author is.
    for number in [4, 5] {
        world.days(34).await;
        let mut document = start(number);
        come_back(server, "minutes", &mut document).await.expect("served");
        assert!(document.version().get(replica(1)) == 0, "Ann was forgotten");
        append(&mut document, "and one ");
        come_back(server, "minutes", &mut document).await.expect("it has seen everything");
    }
    let expected = "Present: Ann Bob Eve and one and one ";
    let mut document = start(6);
    come_back(server, "minutes", &mut document).await.expect("served");
    assert_eq!(text(&document), expected);
    // A newcomer that has written before it has seen anything is like one from before.
    assert!(is_trimmed(&come_back(server, "minutes", &mut lost).await));
    world.server.stop().await.expect("an orderly end");
}
