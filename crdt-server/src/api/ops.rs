use crdt_core::{DotRange, ReplicaId};
use crdt_document::{EditError, Path, Transaction as DocumentTransaction, Value};
use serde::Deserialize;

use super::problem::Problem;
use crate::auth::Permission;

/// The body of a `POST …/ops`.
#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) replica: Option<ReplicaId>,
    pub(super) ops: Vec<Edit>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    replica: Option<String>,
    ops: Vec<Edit>,
}

/// One operation. A path is the keys from the root; all but the last are maps.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Edit {
    /// Inserts into the text at the path, at a code point.
    Insert { path: Vec<String>, at: usize, text: String },
    /// Deletes code points of the text at the path.
    Delete { path: Vec<String>, at: usize, len: usize },
    /// Adds to the counter at the path, or takes away.
    Increment { path: Vec<String>, by: i64 },
    /// Adds to the set at the path.
    Add { path: Vec<String>, value: serde_json::Value },
    /// Removes from the set at the path.
    Remove { path: Vec<String>, value: serde_json::Value },
    /// Sets the last key of the path in the map that the others lead to.
    Set { path: Vec<String>, value: serde_json::Value },
    /// Removes the last key of the path from the map that the others lead to.
    Unset { path: Vec<String> },
    /// Nothing, if this value stands at the path, as a read would show it; else the transaction is not
    /// carried out. Only where it is decided strongly: elsewhere the answer would be worth nothing.
    Expect { path: Vec<String>, value: serde_json::Value },
}

/// A transaction on its way to a room.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) permission: Permission,
    /// In whose name; of the server itself, if the client does not say.
    pub(crate) replica: Option<ReplicaId>,
    pub(crate) edits: Vec<Edit>,
    /// The digest of the idempotency key and of who has asked.
    pub(crate) key: Option<[u8; 32]>,
    /// The digest of the body.
    pub(crate) request: [u8; 32],
}

/// What came of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WriteAnswer {
    pub(crate) events: Option<DotRange>,
    pub(crate) is_repeated: bool,
    /// The events are at this position of the server, or before.
    pub(crate) position: u64,
}

/// Why an operation cannot be carried out.
#[derive(Debug)]
pub(crate) enum Refused {
    Edit(EditError),
    Path,
    Value,
}

impl From<EditError> for Refused {
    fn from(error: EditError) -> Self {
        Self::Edit(error)
    }
}

/// How many operations a transaction has, at most.
const OPS_MAX: usize = 10_000;

impl Transaction {
    pub(super) fn parse(body: &[u8]) -> Result<Self, Problem> {
        let body: Body = serde_json::from_slice(body)
            .map_err(|error| Problem::invalid(&format!("the body: {error}")))?;
        if body.ops.is_empty() || body.ops.len() > OPS_MAX {
            return Err(Problem::invalid("a transaction has 1 to 10000 operations"));
        }
        let replica = match body.replica {
            None => None,
            Some(digits) => {
                let is_id = digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit());
                let number = u128::from_str_radix(&digits, 16).ok().filter(|_| is_id);
                let number = number
                    .ok_or_else(|| Problem::invalid("a replica id is 32 hexadecimal digits"))?;
                Some(ReplicaId::from_u128(number))
            }
        };
        Ok(Self { replica, ops: body.ops })
    }
}

impl Transaction {
    /// Whether it is carried out under conditions.
    pub(super) fn is_conditional(&self) -> bool {
        self.ops.iter().any(|op| matches!(op, Edit::Expect { .. }))
    }
}

impl Edit {
    /// What has to stand where, in the words of a read, if the operation is a condition.
    pub(crate) fn expected(&self) -> Option<Result<(&[String], String), Refused>> {
        let Self::Expect { path, value } = self else { return None };
        Some(plain(value.clone()).map(|value| (path.as_slice(), value.to_string())))
    }

    /// Carries the operation out.
    pub(crate) fn apply(self, tx: &mut DocumentTransaction<'_>) -> Result<(), Refused> {
        match self {
            // It was looked at before, where the document is at hand.
            Self::Expect { .. } => {}
            Self::Insert { path, at, text } => {
                tx.at_text(container(path, Path::text)?).insert(at, &text)?;
            }
            Self::Delete { path, at, len } => {
                let end = at.checked_add(len).ok_or(Refused::Value)?;
                tx.at_text(container(path, Path::text)?).delete(at..end)?;
            }
            Self::Increment { path, by } => {
                tx.at_counter(container(path, Path::counter)?).increment(by);
            }
            Self::Add { path, value } => {
                tx.at_set(container(path, Path::set)?).add(plain(value)?);
            }
            Self::Remove { path, value } => {
                tx.at_set(container(path, Path::set)?).remove(plain(value)?);
            }
            Self::Set { path, value } => {
                let (map, key) = entry(path)?;
                tx.at_map(map).set(&key, plain(value)?);
            }
            Self::Unset { path } => {
                let (map, key) = entry(path)?;
                tx.at_map(map).remove(&key);
            }
        }
        Ok(())
    }
}

impl Refused {
    pub(crate) fn problem(self, op: usize) -> Problem {
        let detail = match self {
            Self::Edit(error) => error.to_string(),
            Self::Path => "the path is empty".to_owned(),
            Self::Value => "a number is out of range".to_owned(),
        };
        Problem::unprocessable("operation-refused", detail).at(op)
    }
}

fn container(path: Vec<String>, last: fn(Path, &str) -> Path) -> Result<Path, Refused> {
    let (map, key) = entry(path)?;
    Ok(last(map, &key))
}

fn entry(mut path: Vec<String>) -> Result<(Path, String), Refused> {
    let key = path.pop().ok_or(Refused::Path)?;
    Ok((path.iter().fold(Path::root(), |path, key| path.map(key)), key))
}

/// JSON as a plain value: whole numbers that fit are integers.
fn plain(value: serde_json::Value) -> Result<Value, Refused> {
    use serde_json::Value as Json;
    Ok(match value {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(int), _) => Value::Int(int),
            (None, Some(float)) if !number.is_u64() => Value::Float(float),
            _ => return Err(Refused::Value),
        },
        Json::String(text) => Value::String(text),
        Json::Array(items) => {
            let items: Result<Vec<Value>, _> = items.into_iter().map(plain).collect();
            Value::List(items?.into())
        }
        Json::Object(entries) => {
            let entries = entries.into_iter().map(|(key, value)| Ok((key.into(), plain(value)?)));
            Value::Map(
                entries.collect::<Result<Vec<(Box<str>, Value)>, Refused>>()?.into_iter().collect(),
            )
        }
    })
}
