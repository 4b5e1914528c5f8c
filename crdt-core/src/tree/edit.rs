//! Changing a tree.

use alloc::vec::Vec;
use core::fmt;

use super::key::{Key, between};
use super::step::Step;
use super::store::{TreeStore, name};
use crate::causality::VersionVector;
use crate::dot_store::Edit;
use crate::{Dot, WriteError};

/// Why a tree cannot be changed so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TreeError {
    /// The node is not in the tree.
    NoSuchNode {
        /// Which.
        node: Dot,
    },
    /// The node would stand below itself.
    BelowItself {
        /// Which.
        node: Dot,
        /// Where it was to go.
        parent: Dot,
    },
    /// There are fewer siblings.
    BeyondEnd {
        /// The position that was asked for.
        index: usize,
        /// How many siblings there are.
        len: usize,
    },
    /// The root cannot be written to.
    Write(WriteError),
}

impl fmt::Display for TreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchNode { node } => write!(f, "node {node} is not in the tree"),
            Self::BelowItself { node, parent } => {
                write!(f, "node {node} cannot go below {parent}, which is below it")
            }
            Self::BeyondEnd { index, len } => write!(f, "position {index} among {len} siblings"),
            Self::Write(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for TreeError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Write(error) => Some(error),
            _ => None,
        }
    }
}

impl From<WriteError> for TreeError {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}

/// Trees inside a root.
impl<V: Clone> Edit<'_, TreeStore<V>> {
    /// Creates a node with a value, as the child of `parent`, or at the top, that stands at
    /// position `index`; returns its name. Costs the depth of the parent.
    ///
    /// # Errors
    ///
    /// The parent is not in the tree, or has fewer children.
    pub fn create(
        &mut self,
        parent: Option<Dot>,
        index: usize,
        value: V,
    ) -> Result<Dot, TreeError> {
        self.check(parent)?;
        let key = self.make_room(None, parent, index)?;
        let node = self.put_step(None, name(parent), key);
        self.put_value(node, value);
        Ok(node)
    }

    /// Moves a node, with all below it, so that it is the child of `parent`, or at the top, and
    /// stands at position `index`. Costs the depths of both.
    ///
    /// # Errors
    ///
    /// The node or the parent is not in the tree, the parent is below the node or is the node,
    /// or has fewer other children.
    pub fn move_to(
        &mut self,
        node: Dot,
        parent: Option<Dot>,
        index: usize,
    ) -> Result<(), TreeError> {
        self.check(Some(node))?;
        self.check(parent)?;
        if let Some(parent) = parent.filter(|&parent| self.get().replay.is_above(node, parent)) {
            return Err(TreeError::BelowItself { node, parent });
        }
        let key = self.make_room(Some(node), parent, index)?;
        self.put_step(Some(node), name(parent), key);
        Ok(())
    }

    /// Removes a node, and with it all that stands below it, as long as that stays there.
    ///
    /// # Errors
    ///
    /// The node is not in the tree.
    pub fn remove(&mut self, node: Dot) -> Result<(), TreeError> {
        self.check(Some(node))?;
        self.take_node(node);
        Ok(())
    }

    /// Gives a node another value.
    ///
    /// # Errors
    ///
    /// The node is not in the tree.
    pub fn set_value(&mut self, node: Dot, value: V) -> Result<(), TreeError> {
        self.check(Some(node))?;
        self.put_value(node, value);
        Ok(())
    }

    /// Forgets the moves that can no longer matter: of those up to the first that `stable` does
    /// not cover, the ones that have no effect and, if the tree is the same without them, the
    /// ones that others replaced. O(n log n).
    ///
    /// `stable` has to be *causally stable*: every replica has seen all of its events, so that
    /// nothing can come that has not. Otherwise replicas may come to show different trees.
    pub fn compact(&mut self, stable: &VersionVector) {
        let (store, told, events) = self.parts();
        let mut forgotten = store.replay.forgettable(|dot| stable.contains(dot));
        crate::collections::sort(&mut forgotten);
        let mut keep = |dot| forgotten.binary_search(&dot).is_err();
        store.replay.retain(&mut keep);
        told.replay.retain(&mut keep);
        forgotten.iter().for_each(|&dot| events.tell(dot));
    }

    /// Takes away all that was seen of the tree, as the removal of a key above it does.
    pub fn clear(&mut self) {
        self.retire();
        let (store, told, _) = self.parts();
        *store = TreeStore::new();
        *told = TreeStore::new();
    }

    fn check(&self, node: Option<Dot>) -> Result<(), TreeError> {
        match node {
            Some(node) if !self.get().contains(node) => Err(TreeError::NoSuchNode { node }),
            _ => Ok(()),
        }
    }

    /// Removes a node that was created.
    pub(super) fn take_node(&mut self, node: Dot) {
        self.take_values(node);
        let (store, told, events) = self.parts();
        store.replay.spend(node);
        if !told.replay.spend(node) {
            told.replay.add(store.replay.get(node).cloned());
        }
        events.tell(node);
    }

    /// A key for position `index` among the children of `parent`, `node` not counted. Siblings
    /// that two replicas gave one key to are moved apart where the position is between them.
    pub(super) fn make_room(
        &mut self,
        node: Option<Dot>,
        parent: Option<Dot>,
        index: usize,
    ) -> Result<Key, TreeError> {
        let (replay, parent) = (&self.get().replay, name(parent));
        let own = node.filter(|&node| replay.place(node).is_some_and(|step| step.parent == parent));
        let own = own.and_then(|node| replay.position(node));
        let len = replay.kids(parent).len() - usize::from(own.is_some());
        if index > len {
            return Err(TreeError::BeyondEnd { index, len });
        }
        let sibling = |at: usize| {
            let at = at + usize::from(own.is_some_and(|own| own <= at));
            replay.kid(parent, at).expect("there are as many siblings")
        };
        let before: Option<Key> = index.checked_sub(1).map(|at| sibling(at).key.clone());
        let mut behind: Vec<(Dot, Key)> = Vec::new();
        for step in (index..len).map(sibling) {
            behind.push((step.node, step.key.clone()));
            // As many as share the key before the position, and the next one.
            if before.as_ref() != Some(&step.key) {
                break;
            }
        }
        let next = behind.pop_if(|(_, key)| Some(&*key) != before.as_ref()).map(|(_, key)| key);
        let key = between(before.as_deref(), next.as_deref());
        let mut last = key.clone();
        for (sibling, _) in behind {
            last = between(Some(&last), next.as_deref());
            self.put_step(Some(sibling), parent, last.clone());
        }
        Ok(key)
    }

    /// Moves a node, or creates one.
    pub(super) fn put_step(&mut self, node: Option<Dot>, parent: Dot, key: Key) -> Dot {
        let (store, told, events) = self.parts();
        let dot = events.next();
        let node = node.unwrap_or(dot);
        let step = Step::new(store.replay.next_stamp(), dot, node, parent, key);
        told.replay.add([step.clone()]);
        store.replay.add([step]);
        node
    }

    fn put_value(&mut self, node: Dot, value: V) {
        self.take_values(node);
        self.put_value_beside(node, value);
    }

    /// Gives a node a value beside those that it has.
    pub(super) fn put_value_beside(&mut self, node: Dot, value: V) {
        let (store, told, events) = self.parts();
        let dot = events.next();
        told.put_value(dot, node, value.clone());
        store.put_value(dot, node, value);
    }

    pub(super) fn take_values(&mut self, node: Dot) {
        for dot in self.get().writes(node) {
            self.take_value(dot);
        }
    }

    pub(super) fn take_value(&mut self, dot: Dot) {
        let (store, told, events) = self.parts();
        store.take_value(dot);
        told.take_value(dot);
        events.tell(dot);
    }
}
