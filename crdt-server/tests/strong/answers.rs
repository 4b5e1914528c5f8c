//! What is answered: strongly, less, not at all, or nobody knows.

use std::sync::Arc;

use super::support::gated_store::GatedStore;
use super::support::http::until_in_step;
use super::support::proxy::Proxy;
use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_authority_answers_and_the_others_pass_on() {
    let a = start(0, &[]).await;
    let b = start(1, &[a.address]).await;
    until_linked(b.address, 0).await;
    for (number, address) in [a.address, b.address, a.address, b.address].into_iter().enumerate() {
        let set = json!([{"op": "increment", "path": ["seats"], "by": 1}]);
        let written = post(address, "/v1/docs/room%20a/ops?level=strong", set).await;
        assert_eq!(written.status, 200, "{written:?}");
        assert_eq!(written.json()["level"], "strong");
        for address in [a.address, b.address] {
            let read = get(address, "/v1/docs/room%20a?path=seats&level=strong").await;
            assert_eq!(read.header("consistency-level"), Some("strong"), "{read:?}");
            assert_eq!(read.json()["value"], number + 1);
        }
    }
    assert_eq!(health(b.address).await["strong_authority"], 0);
    b.stop().await.expect("an orderly end");
    a.stop().await.expect("an orderly end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_has_one_owner() {
    let a = start(0, &[]).await;
    let ops = "/v1/docs/names/ops?level=strong";
    let take = |who: &str| {
        json!([
            {"op": "expect", "path": ["ann", "owner"], "value": null},
            {"op": "set", "path": ["ann", "owner"], "value": who},
        ])
    };
    assert_eq!(post(a.address, ops, take("one")).await.status, 200);
    let late = post(a.address, ops, take("two")).await;
    assert_eq!(told(&late), (409, "condition-failed".to_owned()));
    assert_eq!((&late.json()["found"], &late.json()["op"]), (&json!("one"), &json!(0)));
    // A condition sees what the transaction has done before it, and takes all of it back.
    let twice = json!([
        {"op": "increment", "path": ["count"], "by": 2},
        {"op": "expect", "path": ["count"], "value": 2},
        {"op": "expect", "path": ["count"], "value": 3},
    ]);
    let refused = post(a.address, ops, twice).await;
    assert_eq!(told(&refused), (409, "condition-failed".to_owned()));
    assert_eq!((&refused.json()["found"], &refused.json()["op"]), (&json!(2), &json!(2)));
    let read = get(a.address, "/v1/docs/names?level=strong").await.json();
    assert_eq!(read["value"]["ann"], json!({"owner": "one"}));
    // Where nobody decides for all, a condition would be worth nothing.
    for weak in ["", "?level=causal", "?level=strong&floor=causal"] {
        let refused = post(a.address, &format!("/v1/docs/names/ops{weak}"), take("two")).await;
        assert_eq!(told(&refused), (400, "invalid-request".to_owned()), "{weak}");
    }
    a.stop().await.expect("an orderly end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_cannot_reach_the_authority_refuses_or_keeps_to_the_floor() {
    let a = start(0, &[]).await;
    let network = Proxy::start(a.address).await;
    let b = start(1, &[network.address]).await;
    until_linked(b.address, 0).await;
    let increment = json!([{"op": "increment", "path": ["n"], "by": 1}]);
    assert_eq!(post(b.address, "/v1/docs/n/ops?level=strong", increment.clone()).await.status, 200);
    until_in_step(&[(a.address, 0), (b.address, 1)]).await;
    network.cut().await;
    for _ in 0..20 {
        let read = get(b.address, "/v1/docs/n?path=n&level=strong").await;
        assert_eq!(told(&read), (503, "strong-unavailable".to_owned()));
        assert!(read.header("retry-after").is_some());
        let write = post(b.address, "/v1/docs/n/ops?level=strong", increment.clone()).await;
        // The first one may find out that the link is gone.
        assert!([503, 504].contains(&write.status), "{write:?}");
    }
    let less = get(b.address, "/v1/docs/n?path=n&level=strong&floor=causal").await;
    assert_eq!(less.status, 200, "{less:?}");
    let level = less.header("consistency-level").expect("it says so");
    assert!(level.starts_with("causal"), "{level}");
    // The majority of one goes on.
    assert_eq!(get(a.address, "/v1/docs/n?path=n&level=strong").await.status, 200);
    network.heal();
    until_linked(b.address, 0).await;
    assert_eq!(get(b.address, "/v1/docs/n?path=n&level=strong").await.json()["value"], 1);
    b.stop().await.expect("an orderly end");
    a.stop().await.expect("an orderly end");
}

/// An answer that is lost is no refusal, and the same request again is carried out once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_knows_of_an_answer_that_was_lost() {
    let store = Arc::new(GatedStore::default());
    let a = Running::start_on(Arc::<GatedStore>::clone(&store), setup(0, &[])).await;
    let network = Proxy::start(a.address).await;
    let mut limited = setup(1, &[network.address]);
    limited.limits.strong_timeout = Duration::from_millis(400);
    let b = Running::start_with(limited).await;
    until_linked(b.address, 0).await;
    let body = json!({"ops": [{"op": "increment", "path": ["n"], "by": 1}]}).to_string();
    let send = async |key: &str| {
        let headers = [("Idempotency-Key", key)];
        request(b.address, "POST", "/v1/docs/n/ops?level=strong", &headers, &body).await
    };
    for (key, is_cut) in [("lost on the way", true), ("late", false)] {
        store.withhold();
        let losing = async {
            let store = Arc::clone(&store);
            let waiting = tokio::task::spawn_blocking(move || store.until_a_commit_waits());
            waiting.await.expect("no panic");
            if is_cut {
                network.cut().await;
            }
        };
        let (answer, ()) = tokio::join!(send(key), losing);
        assert_eq!(told(&answer), (504, "indeterminate".to_owned()));
        store.release();
        network.heal();
        until_linked(b.address, 0).await;
        let again = send(key).await;
        assert_eq!(again.status, 200, "{again:?}");
        assert_eq!(again.json()["repeated"], true);
    }
    assert_eq!(get(b.address, "/v1/docs/n?path=n&level=strong").await.json()["value"], 2);
    b.stop().await.expect("an orderly end");
    a.stop().await.expect("an orderly end");
}

/// What a session has done elsewhere comes before what it does strongly, and the other way round.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_goes_through_strong_and_weak_operations() {
    let a = start(0, &[]).await;
    let network = Proxy::start(a.address).await;
    let b = start(1, &[network.address]).await;
    until_linked(b.address, 0).await;
    let body = json!({"ops": [{"op": "increment", "path": ["n"], "by": 1}]}).to_string();
    let write = async |address, level: &str, token: Option<&str>| {
        let path = format!("/v1/docs/n/ops?level={level}");
        let headers = token.map(|token| ("Session-Token", token));
        request(address, "POST", &path, headers.as_slice(), &body).await
    };
    network.cut().await;
    let weak = write(b.address, "causal", None).await;
    let token = weak.header("session-token").expect("attested");
    let early = write(a.address, "strong", Some(token)).await;
    assert_eq!(told(&early), (503, "not-yet".to_owned()));
    network.heal();
    let strong = write(a.address, "strong&wait_ms=20000", Some(token)).await;
    assert_eq!(strong.status, 200, "{strong:?}");
    network.delay(Duration::from_millis(30));
    let token = strong.header("session-token").expect("attested");
    let headers = [("Session-Token", token)];
    let path = "/v1/docs/n?path=n&level=causal&wait_ms=20000";
    let read = request(b.address, "GET", path, &headers, "").await;
    assert_eq!(read.json()["value"], 2, "{read:?}");
    b.stop().await.expect("an orderly end");
    a.stop().await.expect("an orderly end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gets_more_by_being_passed_on() {
    const TOKENS: &str = "reader-token-of-length * read\nwriter-token-of-length * write\npeer-token-of-some-length * peer\n";
    let with = |slot, peers: &[SocketAddr]| Setup {
        tokens: Some(TOKENS),
        peer_token: Some("peer-token-of-some-length"),
        ..setup(slot, peers)
    };
    let a = Running::start_with(with(0, &[])).await;
    let b = Running::start_with(with(1, &[a.address])).await;
    let body = json!({"ops": [{"op": "increment", "path": ["n"], "by": 1}]}).to_string();
    let send = async |method: &str, path: &str, headers: &[(&str, &str)]| {
        request(b.address, method, path, headers, &body).await
    };
    let (read, write) = ("/v1/docs/n?path=n&level=strong", "/v1/docs/n/ops?level=strong");
    let (reader, writer) = ("Bearer reader-token-of-length", "Bearer writer-token-of-length");
    // Linked, as far as can be told without the state of health.
    let mut linked = send("GET", read, &[("Authorization", reader)]).await;
    while linked.status == 503 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        linked = send("GET", read, &[("Authorization", reader)]).await;
    }
    assert_eq!(linked.status, 200, "{linked:?}");
    assert_eq!(send("POST", write, &[("Authorization", reader)]).await.status, 401);
    assert_eq!(send("POST", write, &[]).await.status, 401);
    assert_eq!(send("POST", write, &[("Authorization", writer)]).await.status, 200);
    let in_the_query = format!("{read}&token=writer-token-of-length");
    assert_eq!(send("GET", &in_the_query, &[]).await.json()["value"], 1);
    // A request goes one step, whoever says that it has been passed on.
    let forwarded = [("Authorization", writer), ("Strong-Forwarded", "peer-token-of-some-length")];
    assert_eq!(told(&send("POST", write, &forwarded).await).1, "strong-unavailable");
    b.stop().await.expect("an orderly end");
    a.stop().await.expect("an orderly end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_with_two_authorities_stay_apart() {
    let a = start(0, &[]).await;
    let other = Setup { strong: Strong::Authority(Slot(1)), ..setup(1, &[a.address]) };
    let b = Running::start_with(other).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(server(&health(a.address).await, 1).is_none());
    // One that names none only refuses.
    let none = Setup { strong: Strong::Nobody, ..setup(2, &[a.address]) };
    let c = Running::start_with(none).await;
    until_linked(c.address, 0).await;
    assert_eq!(told(&get(c.address, "/v1/docs/n?level=strong").await).1, "no-engine");
    for server in [c, b, a] {
        server.stop().await.expect("an orderly end");
    }
}
