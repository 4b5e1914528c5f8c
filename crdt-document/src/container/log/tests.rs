use alloc::sync::Arc;
use alloc::vec::Vec;

use crdt_core::laws::trials;
use quickcheck::{Arbitrary, Gen};

use super::OpLog;
use crate::op::{Extension, Op, OwnedTextOp};
use crate::{Kind, Value};

/// What is done to a log, and to the list that it has to equal.
#[derive(Clone, Debug)]
enum Step {
    Push { gap: u32, len: u32, op: Op },
    Truncate { back: u32 },
}

impl Arbitrary for Step {
    fn arbitrary(g: &mut Gen) -> Self {
        if u8::arbitrary(g) < 20 {
            return Self::Truncate { back: u32::from(u8::arbitrary(g)) % 90 };
        }
        let gap = if bool::arbitrary(g) { 0 } else { u32::from(u8::arbitrary(g)) };
        let (len, op) = operation(g);
        Self::Push { gap, len, op }
    }
}

fn operation(g: &mut Gen) -> (u32, Op) {
    let key =
        |g: &mut Gen| -> Arc<str> { ["", "k", "a longer key"][usize::arbitrary(g) % 3].into() };
    let value = |g: &mut Gen| Arc::new(Value::from(i64::arbitrary(g) % 3));
    let len = 1 + u32::from(u8::arbitrary(g)) % 3;
    match u8::arbitrary(g) % 9 {
        0 | 1 => (1, Op::Set { key: key(g), value: value(g) }),
        2 => (1, Op::Remove { key: key(g) }),
        3 => (1, Op::Create { key: key(g), kind: Kind::Text }),
        4 | 5 => (len, Op::Increment { amount: 1 + i64::from(bool::arbitrary(g)) }),
        6 => (len, Op::Clear),
        7 => {
            let payload = Vec::<u8>::arbitrary(g).into();
            (1, Op::Extension(Arc::new(Extension { code: u32::arbitrary(g), payload })))
        }
        _ => {
            let at = u32::arbitrary(g);
            let edit = match u8::arbitrary(g) % 3 {
                0 => OwnedTextOp::Insert {
                    at,
                    content: "naïve".chars().take(len as usize).collect(),
                },
                1 => OwnedTextOp::Delete { at, len, forward: bool::arbitrary(g) },
                _ => OwnedTextOp::Clear { len },
            };
            (len, Op::Text(Arc::new(edit)))
        }
    }
}

/// The list of which operation each event did; an edit of a text is one entry.
#[derive(Default)]
struct Model(Vec<(u32, u32, Op)>);

impl Model {
    fn push(&mut self, lv: u32, len: u32, op: &Op) {
        if is_edit(op) {
            self.0.push((lv, len, op.clone()));
        } else {
            self.0.extend((lv..lv + len).map(|lv| (lv, 1, op.clone())));
        }
    }

    fn end(&self) -> u32 {
        self.0.last().map_or(0, |(lv, len, _)| lv + len)
    }
}

const fn is_edit(op: &Op) -> bool {
    matches!(op, Op::Text(_))
}

fn spread(pieces: impl Iterator<Item = (u32, u32, Op)>) -> Vec<(u32, u32, Op)> {
    let mut model = Model::default();
    pieces.for_each(|(lv, len, op)| model.push(lv, len, &op));
    model.0
}

#[test]
fn it_is_the_list_of_what_was_done() {
    fn law(steps: Vec<Step>) {
        let (mut log, mut model) = (OpLog::default(), Model::default());
        for step in steps {
            match step {
                Step::Push { gap, len, op } => {
                    let lv = model.end() + gap;
                    log.push(lv, len, &op);
                    model.push(lv, len, &op);
                }
                Step::Truncate { back } => {
                    // Never within an edit of a text, which has its length in itself.
                    let lv = model.end().saturating_sub(back);
                    let inside =
                        |(start, len, _): &&(u32, u32, Op)| *start < lv && lv < start + len;
                    let lv = model.0.iter().find(inside).map_or(lv, |&(start, ..)| start);
                    log.truncate(lv);
                    model.0.retain(|&(start, ..)| start < lv);
                }
            }
            log.check_invariants();
            assert_eq!(log.is_empty(), model.0.is_empty());
        }
        assert_eq!(spread(log.pieces(0..u32::MAX)), model.0);
        let third = model.end() / 3;
        let within: Vec<_> = model
            .0
            .iter()
            .filter(|(lv, _, op)| !is_edit(op) && (third..2 * third).contains(lv))
            .cloned()
            .collect();
        let pieces = log.pieces(third..2 * third).filter(|(_, _, op)| !is_edit(op));
        assert_eq!(spread(pieces), within);
    }
    // Long ones, so that rows lie beyond several marks.
    trials().rng(crdt_core::laws::random(400)).quickcheck(law as fn(Vec<Step>));
}

#[test]
fn a_long_key_that_is_used_again_costs_a_few_bytes() {
    let mut log = OpLog::default();
    let key: Arc<str> = "k".repeat(1000).into();
    for lv in 0..1000 {
        log.push(lv, 1, &Op::Set { key: key.clone(), value: Arc::new(Value::Null) });
    }
    assert_eq!(log.bytes.len(), 3000);
    assert_eq!(log.names.len(), 1);
}
