//! What typing, merging and loading a text cost, on real histories where there are any.

use benches::{Kind, Patch, Trace};
use crdt_core::sequence::Text;
use crdt_core::{ReplicaId, VersionVector};
use criterion::measurement::WallTime;
use criterion::{
    BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main,
};

const TYPED: u32 = 10_000;

fn replica(number: u128) -> ReplicaId {
    ReplicaId::from_u128(number)
}

fn typed(id: u128) -> Text {
    let mut text = Text::new();
    let mut writer = text.writer(replica(id));
    for at in 0..TYPED {
        let _delta = text.insert(at, "x", &mut writer).expect("at the end");
    }
    text
}

fn typing(c: &mut Criterion) {
    let mut group = c.benchmark_group("text");
    group.throughput(Throughput::Elements(u64::from(TYPED)));
    group.bench_function("type at the end, per character", |b| b.iter(|| typed(1)));
    let (left, right) = (typed(1), typed(2));
    let delta = right.delta_since(&VersionVector::new()).expect("it was not loaded");
    group.bench_function("merge a concurrent run, per character", |b| {
        b.iter_batched_ref(
            || left.clone(),
            |text| {
                text.join(&delta).expect("nothing is missing");
                assert_eq!(text.len_chars(), 2 * TYPED);
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

fn traces(c: &mut Criterion) {
    let Some(folder) = benches::named_by_environment() else {
        eprintln!("CRDT_TRACES is not set: the real editing traces are left out");
        return;
    };
    let mut group = c.benchmark_group("trace");
    group.sample_size(10);
    for (name, path) in benches::traces_in(&folder).expect("the folder can be read") {
        let trace = Trace::read(&path).expect("it is a trace");
        if trace.kind != Kind::Sequential {
            continue;
        }
        group.throughput(Throughput::Elements(trace.transactions.len() as u64));
        group.bench_function(format!("{name}: replay, per transaction"), |b| {
            b.iter(|| {
                let mut text = Text::new();
                let mut writer = text.writer(replica(1));
                for Patch(at, deleted, inserted) in
                    trace.transactions.iter().flat_map(|transaction| &transaction.patches)
                {
                    let _delta =
                        text.splice(*at, *deleted, inserted, &mut writer).expect("the trace fits");
                }
                assert!(text.to_string() == trace.end_content, "the replay is right");
            });
        });
        let mut text = Text::new();
        let mut writer = text.writer(replica(1));
        for Patch(at, deleted, inserted) in
            trace.transactions.iter().flat_map(|transaction| &transaction.patches)
        {
            let _delta = text.splice(*at, *deleted, inserted, &mut writer).expect("the trace fits");
        }
        saving(&mut group, &name, &text);
    }
    group.finish();
}

/// What of a text's storage the rows of `traces` do not tell apart.
fn saving(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, text: &Text) {
    let bytes = text.encode().expect("it was not loaded");
    let loaded = Text::decode(&bytes).expect("just encoded");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function(format!("{name}: save with the history at hand"), |b| {
        b.iter(|| assert_eq!(text.encode().as_ref(), Ok(&bytes)));
    });
    group.bench_function(format!("{name}: save as it was loaded"), |b| {
        b.iter(|| assert_eq!(loaded.encode().as_ref(), Ok(&bytes)));
    });
    group.bench_function(format!("{name}: decode the history"), |b| {
        b.iter_batched_ref(
            || loaded.clone(),
            |loaded| loaded.load_history().expect("just encoded"),
            BatchSize::LargeInput,
        );
    });
}

criterion_group!(benches, typing, traces);
criterion_main!(benches);
