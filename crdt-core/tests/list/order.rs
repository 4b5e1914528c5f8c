//! The same histories as a list and as a text.

use crdt_core::laws::trials;
use crdt_core::laws::{Arbitrary, Gen};
use crdt_core::{List, ReplicaId, Text, Writer};

#[derive(Clone, Debug)]
enum Step {
    Insert { by: u8, at: u8, count: u8 },
    Delete { by: u8, at: u8 },
    Pull { to: u8, from: u8 },
}

impl Arbitrary for Step {
    fn arbitrary(g: &mut Gen) -> Self {
        let [by, at, other] = [(); 3].map(|()| u8::arbitrary(g));
        match other % 8 {
            0..=4 => {
                Self::Insert { by, at: [0, at, at % 4][usize::from(at % 3)], count: 1 + at % 2 }
            }
            5 => Self::Delete { by, at },
            _ => Self::Pull { to: by, from: at },
        }
    }
}

struct Replica {
    list: List<char>,
    text: Text,
    on_list: Writer,
    on_text: Writer,
}

/// FugueMax, by a tree that is kept and by a walk through the history.
#[test]
fn lists_and_texts_have_one_order() {
    fn law(steps: Vec<Step>) -> bool {
        let mut replicas: Vec<Replica> = [3, 1, 4, 2]
            .map(|id| {
                let (list, text) = (List::new(), Text::new());
                let id = ReplicaId::from_u128(id << 64);
                let (on_list, on_text) = (list.writer(id), text.writer(id));
                Replica { list, text, on_list, on_text }
            })
            .into();
        let mut letters = ('a'..='z').cycle();
        for step in steps {
            match step {
                Step::Insert { by, at, count } => {
                    let Replica { list, text, on_list, on_text } =
                        &mut replicas[usize::from(by) % 4];
                    let at = usize::from(at) % (list.len() + 1);
                    let typed: String = letters.by_ref().take(usize::from(count)).collect();
                    let _delta = list.insert_many(at, typed.chars(), on_list).unwrap();
                    let _delta = text.insert(at as u32, &typed, on_text).unwrap();
                }
                Step::Delete { by, at } => {
                    let Replica { list, text, on_list, on_text } =
                        &mut replicas[usize::from(by) % 4];
                    if !list.is_empty() {
                        let at = usize::from(at) % list.len();
                        let _delta = list.remove(at, on_list);
                        let _delta = text.delete(at as u32, 1, on_text).unwrap();
                    }
                }
                Step::Pull { to, from } => {
                    let [to, from] = [to, from].map(|index| usize::from(index) % 4);
                    let list = replicas[from].list.clone();
                    let text = replicas[from].text.delta_since(replicas[to].text.version());
                    let text = text.expect("it was not loaded");
                    replicas[to].list.join(list);
                    replicas[to].text.join(&text).unwrap();
                }
            }
            for Replica { list, text, .. } in &replicas {
                assert_eq!(super::read(list), text.to_string());
            }
        }
        true
    }
    trials().quickcheck(law as fn(Vec<Step>) -> bool);
}
