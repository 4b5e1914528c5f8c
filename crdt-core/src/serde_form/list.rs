use alloc::boxed::Box;
use alloc::vec::Vec;

use ::serde::de::Error;
use ::serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Dot;
use crate::sequence::ListStore;
use crate::sequence::list::{Assembly, Cell, NOWHERE, Place};

/// Nodes of one replica that follow each other.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunShape<E> {
    first: Dot,
    place: PlaceShape,
    nodes: Vec<NodeShape<E>>,
}

/// Where the first node of a run hangs.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PlaceShape {
    Before(Dot),
    /// Behind which, and what came next; none is the beginning, or the end.
    Behind(Option<Dot>, Option<Dot>),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum NodeShape<E> {
    Value(E),
    Move(Dot),
    /// It holds nothing any more.
    Spent,
}

fn shape<E>(cell: Option<&Cell<E>>) -> NodeShape<&E> {
    match cell {
        Some(Cell::Value(value)) => NodeShape::Value(value),
        Some(Cell::Move(element)) => NodeShape::Move(**element),
        None => NodeShape::Spent,
    }
}

impl<E: Serialize> Serialize for ListStore<E> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let origin = |dot: Dot| (dot != NOWHERE).then_some(dot);
        to.collect_seq(self.runs().into_iter().map(|run| {
            let Place { parent, left, right } = run.place;
            let place = if left {
                PlaceShape::Before(parent)
            } else {
                PlaceShape::Behind(origin(parent), origin(right))
            };
            let nodes = run.cells.into_iter().map(shape).collect();
            RunShape { first: run.first, place, nodes }
        }))
    }
}

impl<'de, E: Deserialize<'de>> Deserialize<'de> for ListStore<E> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut list = Assembly::new();
        let otherwise = |_| {
            D::Error::custom(
                "runs of nodes ascend, are as long as they can be, and refer to what came before",
            )
        };
        for run in Vec::<RunShape<E>>::deserialize(from)? {
            let origin = |dot: Option<Dot>| dot.unwrap_or(NOWHERE);
            let place = match run.place {
                PlaceShape::Before(parent) => Place { parent, left: true, right: NOWHERE },
                PlaceShape::Behind(parent, right) => {
                    Place { parent: origin(parent), left: false, right: origin(right) }
                }
            };
            list.begin(run.first, place, run.nodes.len() as u64).map_err(otherwise)?;
            for node in run.nodes {
                let cell = match node {
                    NodeShape::Value(value) => Some(Cell::Value(value)),
                    NodeShape::Move(element) => Some(Cell::Move(Box::new(element))),
                    NodeShape::Spent => None,
                };
                list.push(cell).map_err(otherwise)?;
            }
        }
        Ok(list.finish())
    }
}
