//! An engine of the embedding application.

use std::sync::{Arc, Mutex};

use crdt_causal::cut::Cut;
use crdt_causal::level::engine::Outcome;
use crdt_server::strong::{OutcomeFuture, StrongEngine, StrongOperation};

use super::*;

/// Says what the test wants it to say.
#[derive(Debug, Default)]
struct Double {
    next: Mutex<Option<Outcome<Value>>>,
    asked: Mutex<Vec<StrongOperation>>,
    durable: Mutex<Option<Cut>>,
}

impl StrongEngine for Double {
    fn run(&self, operation: StrongOperation) -> OutcomeFuture<'_> {
        self.asked.lock().expect("no panic").push(operation);
        let next = self.next.lock().expect("no panic").take();
        Box::pin(async move {
            match next {
                Some(next) => next,
                None => std::future::pending().await,
            }
        })
    }

    fn durable(&self, applied: &Cut) -> Cut {
        self.durable.lock().expect("no panic").clone().unwrap_or_else(|| applied.clone())
    }

    fn shown(&self) -> u64 {
        7
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_of_ones_own_decides() {
    let double = Arc::new(Double::default());
    let mut with_engine = setup(0, &[]);
    let engine: Arc<dyn StrongEngine> = Arc::<Double>::clone(&double);
    with_engine.strong = Strong::Engine(engine);
    with_engine.limits.strong_timeout = Duration::from_millis(200);
    let a = Running::start_with(with_engine).await;
    let (read, write) = ("/v1/docs/n?path=a/b&level=strong", "/v1/docs/n/ops?level=strong");
    let committed = |position| Outcome::Committed { position, answer: json!([position]) };
    let cases = [
        ("GET", read, Some(committed(3)), 200, ""),
        ("POST", write, Some(committed(4)), 200, ""),
        ("POST", write, Some(Outcome::Conflict { position: 4 }), 409, "condition-failed"),
        ("GET", read, Some(Outcome::Unavailable), 503, "strong-unavailable"),
        ("POST", write, Some(Outcome::Unavailable), 503, "strong-unavailable"),
        ("GET", read, Some(Outcome::Indeterminate), 503, "strong-unavailable"),
        ("POST", write, Some(Outcome::Indeterminate), 504, "indeterminate"),
        // It does not answer in time.
        ("GET", read, None, 503, "strong-unavailable"),
        ("POST", write, None, 504, "indeterminate"),
    ];
    for (method, path, next, status, expected) in cases {
        *double.next.lock().expect("no panic") = next.clone();
        let answer = request(a.address, method, path, &[], "as it is").await;
        assert_eq!(answer.status, status, "{method} {next:?}: {answer:?}");
        match next {
            Some(Outcome::Committed { position, .. }) => {
                let field = if method == "GET" { "value" } else { "result" };
                assert_eq!(answer.json()[field], json!([position]));
                assert_eq!(answer.header("consistency-level"), Some("strong"));
            }
            _ => assert_eq!(kind(&answer), expected),
        }
    }
    let asked = std::mem::take(&mut *double.asked.lock().expect("no panic"));
    assert_eq!(asked.len(), 9);
    let StrongOperation::Read { path, at_least: 0, .. } = &asked[0] else { panic!("{asked:?}") };
    assert_eq!(*path, ["a", "b"]);
    let StrongOperation::Write { body, .. } = &asked[1] else { panic!("{asked:?}") };
    assert_eq!(&body[..], b"as it is");

    // Less will do, and is said to be less.
    *double.next.lock().expect("no panic") = Some(Outcome::Unavailable);
    let less = get(a.address, "/v1/docs/n?level=strong&floor=ryw").await;
    assert_eq!(less.status, 200, "{less:?}");
    assert_ne!(less.header("consistency-level"), Some("strong"));

    // A session that has seen a position is not shown less, by the engine or by documents.
    let session = async |position, path: &str| {
        *double.next.lock().expect("no panic") = Some(committed(position));
        let strong = get(a.address, "/v1/docs/n?level=strong").await;
        let token = strong.header("session-token").expect("attested").to_owned();
        *double.next.lock().expect("no panic") = Some(committed(position));
        request(a.address, "GET", path, &[("Session-Token", &token)], "").await
    };
    assert_eq!(session(7, "/v1/docs/n?level=causal").await.status, 200);
    assert_eq!(told(&session(8, "/v1/docs/n?level=causal").await), (503, "not-yet".to_owned()));
    assert_eq!(session(8, "/v1/docs/n?level=strong").await.status, 200);
    let last = double.asked.lock().expect("no panic").last().cloned();
    assert_eq!(last.expect("it was asked").at_least(), 8);

    // What a session has written has to be durable for the engine, before it acts on it.
    *double.durable.lock().expect("no panic") = Some(Cut::new());
    let set = json!([{"op": "set", "path": ["x"], "value": 1}]);
    let weak = post(a.address, "/v1/docs/n/ops", set).await;
    let headers = [("Session-Token", weak.header("session-token").expect("attested"))];
    *double.next.lock().expect("no panic") = Some(committed(9));
    let early = request(a.address, "POST", write, &headers, "{}").await;
    assert_eq!(told(&early), (503, "not-yet".to_owned()));
    *double.durable.lock().expect("no panic") = None;
    assert_eq!(request(a.address, "POST", write, &headers, "{}").await.status, 200);
    a.stop().await.expect("an orderly end");
}
