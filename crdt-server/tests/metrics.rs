//! What a server says of itself: counts, alerts, and that it notices who is silent.

mod support;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use crdt_causal::observe::MonitorConfig;
use support::Writer;
use support::http::{request, until_in_step};
use support::proxy::Proxy;
use support::running::{Running, Setup};

/// The samples, each by its name with its labels.
async fn metrics(address: SocketAddr) -> BTreeMap<String, f64> {
    let answer = request(address, "GET", "/metrics", &[], "").await;
    assert_eq!(answer.status, 200);
    let kind = answer.header("content-type").expect("a type");
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    assert!(answer.body.ends_with("# EOF\n"), "it is whole");
    let samples = answer.body.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            (name.to_owned(), value.parse().expect("a number"))
        })
        .collect()
}

/// Waits until a sample is as it should be.
async fn until(address: SocketAddr, name: &str, is_right: impl Fn(Option<f64>) -> bool) {
    let waiting = async {
        while !is_right(metrics(address).await.get(name).copied()) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    if tokio::time::timeout(Duration::from_secs(60), waiting).await.is_err() {
        panic!("{name}: {:#?}", metrics(address).await);
    }
}

fn peers(addresses: &[SocketAddr]) -> Vec<String> {
    addresses.iter().map(|address| format!("ws://{address}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_server_does_is_counted() {
    let server = Running::start().await;
    let ask = |method, path: &'static str, body: &'static str| {
        request(server.address, method, path, &[], body)
    };
    let increment = r#"{"ops": [{"op": "increment", "path": ["likes"], "by": 1}]}"#;
    let beyond = r#"{"ops": [{"op": "delete", "path": ["body"], "at": 7, "len": 1}]}"#;
    for _ in 0..3 {
        assert_eq!(ask("POST", "/v1/docs/a/ops?level=causal", increment).await.status, 200);
    }
    assert_eq!(ask("POST", "/v1/docs/a/ops?level=causal", beyond).await.status, 422);
    for path in ["/v1/docs/a?level=bounded-10-500", "/v1/docs/a?level=bounded-11-501"] {
        assert_eq!(ask("GET", path, "").await.status, 200);
    }
    assert_eq!(ask("GET", "/v1/docs/a?level=best", "").await.status, 400);
    assert_eq!(ask("GET", "/v1/docs/a?level=strong", "").await.status, 501);
    let socket = server.connect().await;
    let mut writer = Writer::open(&socket, "b", 7).await;
    writer.edit("hello");
    writer.until_acknowledged().await;
    until(server.address, r#"crdt_writes_total{by="session",outcome="taken"}"#, |taken| {
        taken.is_some_and(|taken| taken >= 1.0)
    })
    .await;
    let metrics = metrics(server.address).await;
    let requests = |labels: &str| {
        let name = format!("crdt_http_request_seconds_count{{{labels}}}");
        metrics.get(&name).copied().unwrap_or_default()
    };
    for (labels, count) in [
        (r#"operation="write",level="causal",status="200""#, 3.0),
        (r#"operation="write",level="causal",status="422""#, 1.0),
        // Whatever the numbers in it: these are the clients'.
        (r#"operation="read",level="bounded",status="200""#, 2.0),
        (r#"operation="read",level="unknown",status="400""#, 1.0),
        (r#"operation="read",level="strong",status="501""#, 1.0),
    ] {
        assert_eq!(requests(labels), count, "{labels}: {metrics:#?}");
    }
    assert_eq!(metrics[r#"crdt_writes_total{by="http",outcome="taken"}"#], 3.0);
    let turned_away = r#"crdt_writes_total{by="http",outcome="turned-away"}"#;
    assert_eq!(metrics.get(turned_away), None, "the mistake was the client's");
    assert_eq!(metrics["crdt_read_staleness_seconds_count"], 2.0);
    assert_eq!(metrics["crdt_documents"], 2.0);
    assert!(metrics["crdt_position"] >= 4.0 && metrics["crdt_store_commits_total"] >= 4.0);
    assert_eq!(metrics[r#"crdt_objective_missed{objective="writes",slot="0"}"#], 0.0);
}

/// T12: what goes wrong is told of once when it begins, and again only after it was over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_cut_off_says_so_once() {
    let mut monitor = MonitorConfig::default();
    // More than a busy machine makes them wait for a word.
    monitor.thresholds.lag_ms = 7_000;
    monitor.thresholds.unreachable_ms = 1_000;
    let far = Running::start_with(Setup { slot: 1, monitor, ..Setup::default() }).await;
    let proxy = Proxy::start(far.address).await;
    let near = Setup { peers: peers(&[proxy.address]), monitor, ..Setup::default() };
    let near = Running::start_with(near).await;
    until_in_step(&[(near.address, 0), (far.address, 1)]).await;
    let (lag, reach) = (r#"crdt_alerts_total{alert="lag"}"#, r#"crdt_alerts_total{alert="reach"}"#);
    let missed = [
        r#"crdt_objective_missed{objective="lag",slot="0"}"#,
        r#"crdt_objective_missed{objective="reach",slot="1"}"#,
    ];
    until(near.address, "crdt_staleness_seconds", |age| age.is_some_and(|age| age < 7.0)).await;
    let before = metrics(near.address).await;
    assert!(!before.contains_key(lag) && !before.contains_key(reach), "{before:#?}");
    assert_eq!(missed.map(|name| before[name]), [0.0; 2]);
    for times in [1.0, 2.0] {
        proxy.cut().await;
        until(near.address, lag, |count| count == Some(times)).await;
        until(near.address, reach, |count| count == Some(times)).await;
        let now = metrics(near.address).await;
        assert_eq!(missed.map(|name| now[name]), [1.0; 2]);
        assert_eq!(now[r#"crdt_peer_linked{slot="1"}"#], 0.0);
        // A look or two later it has not been told again.
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        let later = metrics(near.address).await;
        assert_eq!((later[lag], later[reach]), (times, times));
        proxy.heal();
        for name in missed {
            until(near.address, name, |missed| missed == Some(0.0)).await;
        }
    }
}

/// A word that is passed on again and again is no sign of life: the others go on telling each other where the dead one was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_dead_is_silent_though_others_speak_of_it() {
    let start = |slot, to: &[SocketAddr]| {
        Running::start_with(Setup { slot, peers: peers(to), ..Setup::default() })
    };
    let dying = start(2, &[]).await;
    let other = start(1, &[dying.address]).await;
    let first = start(0, &[other.address, dying.address]).await;
    until_in_step(&[(first.address, 0), (other.address, 1), (dying.address, 2)]).await;
    let silence = |slot| format!("crdt_peer_silence_seconds{{slot=\"{slot}\"}}");
    until(first.address, &silence(2), |silent| silent.is_some_and(|silent| silent < 3.0)).await;
    dying.stop().await.expect("it ends in order");
    until(first.address, &silence(2), |silent| silent.is_some_and(|silent| silent > 6.0)).await;
    let now = metrics(first.address).await;
    assert!(now[&silence(1)] < 4.0, "the other one is there: {now:#?}");
    let read = request(first.address, "GET", "/v1/docs/a?level=eventual", &[], "").await.json();
    assert_eq!(read["staleness"]["known"], false, "who is silent may have written: {read}");
}
