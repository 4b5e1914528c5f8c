use alloc::vec;
use alloc::vec::Vec;
use core::ops::{Index, IndexMut};

use super::{Container, Content};
use crate::codec::body;
use crate::{Kind, Path, Step};

/// The number of the root map.
pub(crate) const ROOT: u32 = 0;

/// All containers that were ever used, by number and by path.
#[derive(Debug)]
pub(crate) struct Containers {
    list: Vec<Container>,
}

impl Index<u32> for Containers {
    type Output = Container;

    fn index(&self, number: u32) -> &Container {
        &self.list[number as usize]
    }
}

impl IndexMut<u32> for Containers {
    fn index_mut(&mut self, number: u32) -> &mut Container {
        &mut self.list[number as usize]
    }
}

impl Containers {
    pub(crate) fn new() -> Self {
        let mut root = Container::new(ROOT, None);
        root.live = true;
        Self { list: vec![root] }
    }

    /// How many there are, the root included.
    pub(crate) fn len(&self) -> u32 {
        self.list.len() as u32
    }

    /// The child of `parent` at a step.
    pub(crate) fn child(&self, parent: u32, name: &[u8], kind: Kind) -> Option<u32> {
        let children = self[parent].children.get(name)?;
        children.iter().find(|(held, _)| *held == kind).map(|&(_, child)| child)
    }

    /// The container at a path, if it was ever used.
    pub(crate) fn find(&self, path: &Path) -> Option<u32> {
        path.steps()
            .iter()
            .try_fold(ROOT, |parent, step| self.child(parent, step.name(), step.kind()))
    }

    /// The container at a path, entered into the tree if it is new.
    pub(crate) fn enter(&mut self, path: &Path) -> u32 {
        path.steps().iter().fold(ROOT, |parent, step| self.enter_child(parent, step))
    }

    /// The child at a step, entered into the tree if it is new.
    pub(crate) fn enter_child(&mut self, parent: u32, step: &Step) -> u32 {
        if let Some(child) = self.child(parent, step.name(), step.kind()) {
            return child;
        }
        // Every container has an event, and those are counted in 32 bits; the steps above it
        // are at most 32 times as many, in a path that took memory for each.
        let number = u32::try_from(self.list.len()).expect("fewer than 2^32 containers");
        self.list.push(Container::new(parent, Some(step.clone())));
        self[parent].children.entry(step.name().clone()).or_default().push((step.kind(), number));
        number
    }

    /// Takes the newest containers out of the tree until `len` are left.
    pub(crate) fn truncate(&mut self, len: u32) {
        while self.len() > len {
            let last = self.list.pop().expect("there are more than the root");
            let step = last.step.expect("only the root has no step");
            let siblings = &mut self[last.parent].children;
            let here = siblings.get_mut(&**step.name()).expect("a container is its parent's child");
            here.pop();
            if here.is_empty() {
                siblings.remove(&**step.name());
            }
        }
    }

    /// The path of a container.
    pub(crate) fn path(&self, number: u32) -> Path {
        let mut steps = Vec::new();
        let mut at = number;
        while let Some(step) = &self[at].step {
            steps.push(step.clone());
            at = self[at].parent;
        }
        steps.reverse();
        Path::from_steps(steps)
    }

    /// The bytes that name a container in a table.
    pub(crate) fn key(&self, number: u32) -> Vec<u8> {
        body::key(&self.path(number))
    }

    /// Whether a creation of the container is visible.
    pub(crate) fn is_created(&self, number: u32) -> bool {
        let container = &self[number];
        let Some(step) = &container.step else { return true };
        match (&self[container.parent].content, step.key()) {
            (Content::Map(map), Some(key)) => map.created.contains_key(&(key.into(), step.kind())),
            _ => false,
        }
    }

    /// What [`Container::live`] has to be, if that of the children is right.
    pub(crate) fn is_live(&self, number: u32) -> bool {
        let container = &self[number];
        container.live_children > 0 || container.has_content() || self.is_created(number)
    }

    /// Finds out of all containers which are live, once their contents are there.
    pub(crate) fn find_out_what_lives(&mut self) {
        // Children have greater numbers than what is above them.
        for number in (1..self.len()).rev() {
            let live = self.is_live(number);
            self[number].live = live;
            let parent = self[number].parent;
            self[parent].live_children += u32::from(live);
        }
    }

    /// Panics if the tree contradicts itself. For tests.
    pub(crate) fn check_invariants(&self) {
        for number in 0..self.len() {
            let container = &self[number];
            container.log.check_invariants();
            if let Some(text) = container.text() {
                text.check_invariants();
            }
            assert_eq!(container.live, self.is_live(number), "liveness is kept up to date");
            let live =
                container.children.values().flatten().filter(|&&(_, child)| self[child].live);
            assert_eq!(live.count() as u32, container.live_children);
            assert_eq!(self.find(&self.path(number)), Some(number));
        }
    }
}
