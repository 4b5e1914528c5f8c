//! What a transaction or an import found before it changed something: enough to put it back,
//! and to say what has changed.

use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crdt_core::ReplicaId;
use crdt_core::collections::{OrderedMap, OrderedSet};
use crdt_core::dot_store::{DotFun, DotSet};
use crdt_core::sequence::TextPatch;
use crdt_core::set::AddWinsStore;

use crate::container::{Container, Containers, Content, MapContent, ResetCounter};
use crate::event::TextChange;
use crate::{Kind, Value};

/// The writes that stand under a map's key.
pub(crate) type Writes = DotFun<(u64, Arc<Value>)>;

/// The containers that were touched, with what was there before.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    pub(crate) touched: OrderedMap<u32, Touched>,
    is_unheard: bool,
}

#[derive(Debug)]
pub(crate) struct Touched {
    pub(crate) live: bool,
    pub(crate) by: OrderedSet<ReplicaId>,
    pub(crate) values: OrderedMap<Arc<str>, Writes>,
    created: OrderedMap<(Arc<str>, Kind), DotSet>,
    pub(crate) elements: OrderedMap<Arc<Value>, DotSet>,
    pub(crate) counter: Option<ResetCounter>,
    pub(crate) text: Vec<TextChange>,
}

impl Journal {
    /// A journal that remembers nothing, for changes that cannot fail and that nobody is told.
    pub(crate) fn unheard() -> Self {
        Self { is_unheard: true, ..Self::default() }
    }

    /// Remembers a container as it is now, unless it was touched before.
    pub(crate) fn touch(&mut self, containers: &Containers, number: u32, by: ReplicaId) {
        if self.is_unheard {
            return;
        }
        let touched = self.touched.entry(number).or_insert_with(|| Touched {
            live: containers[number].live,
            by: OrderedSet::new(),
            values: OrderedMap::new(),
            created: OrderedMap::new(),
            elements: OrderedMap::new(),
            counter: None,
            text: Vec::new(),
        });
        touched.by.insert(by);
    }

    /// Remembers that there was nothing in a container before, whatever is in it now.
    pub(crate) fn appear(&mut self, containers: &Containers, number: u32, by: ReplicaId) {
        self.touch(containers, number, by);
        let container = &containers[number];
        let Some(touched) = self.of(number) else { return };
        touched.live = container.step.is_none();
        match &container.content {
            Content::Map(map) => {
                let keys = map.values.iter().map(|(key, _)| (key.clone(), Writes::default()));
                touched.values = keys.collect();
                let created = map.created.iter();
                touched.created = created.map(|(c, _)| (c.clone(), DotSet::new())).collect();
            }
            Content::Set(set) => {
                let elements = set.iter().map(|(element, _)| (element.clone(), DotSet::new()));
                touched.elements = elements.collect();
            }
            Content::Counter(_) => touched.counter = Some(ResetCounter::default()),
            Content::Text(text) => {
                let patch = TextPatch {
                    at: 0,
                    deleted: 0,
                    inserted: text.to_string(),
                    at_utf16: 0,
                    deleted_utf16: 0,
                };
                touched.text.push(TextChange::new(patch, by));
            }
            Content::Unknown => {}
        }
    }

    pub(crate) fn value(&mut self, number: u32, key: &Arc<str>, map: &MapContent) {
        let Some(Touched { values, .. }) = self.of(number) else { return };
        if !values.contains_key(key) {
            values.insert(key.clone(), map.values.get(key).cloned().unwrap_or_default());
        }
    }

    pub(crate) fn creation(&mut self, number: u32, child: &(Arc<str>, Kind), map: &MapContent) {
        let Some(Touched { created, .. }) = self.of(number) else { return };
        if !created.contains_key(child) {
            created.insert(child.clone(), map.created.get(child).cloned().unwrap_or_default());
        }
    }

    pub(crate) fn element(
        &mut self,
        number: u32,
        element: &Arc<Value>,
        set: &AddWinsStore<Arc<Value>>,
    ) {
        let Some(Touched { elements, .. }) = self.of(number) else { return };
        if !elements.contains_key(element) {
            elements.insert(element.clone(), set.get(element).cloned().unwrap_or_default());
        }
    }

    pub(crate) fn counter(&mut self, number: u32, counter: &ResetCounter) {
        let Some(touched) = self.of(number) else { return };
        touched.counter.get_or_insert_with(|| counter.clone());
    }

    pub(crate) fn whole_map(&mut self, number: u32, map: &MapContent) {
        let Some(touched) = self.of(number) else { return };
        for (key, writes) in map.values.iter() {
            touched.values.entry(key.clone()).or_insert_with(|| writes.clone());
        }
        for (child, dots) in map.created.iter() {
            touched.created.entry(child.clone()).or_insert_with(|| dots.clone());
        }
    }

    pub(crate) fn whole_set(&mut self, number: u32, set: &AddWinsStore<Arc<Value>>) {
        let Some(touched) = self.of(number) else { return };
        for (element, dots) in set.iter() {
            touched.elements.entry(element.clone()).or_insert_with(|| dots.clone());
        }
    }

    pub(crate) fn text(&mut self, number: u32, changes: impl IntoIterator<Item = TextChange>) {
        let Some(touched) = self.of(number) else { return };
        touched.text.extend(changes);
    }

    fn of(&mut self, number: u32) -> Option<&mut Touched> {
        let touched = self.touched.get_mut(&number);
        assert!(
            touched.is_some() || self.is_unheard,
            "a container is touched before it is changed"
        );
        touched
    }

    /// Puts back what was there before. The events are forgotten, and the containers that
    /// they brought, by the caller.
    pub(crate) fn undo(self, containers: &mut Containers) {
        for (number, touched) in self.touched.into_iter().rev() {
            let live = containers[number].live;
            let Container { content, parent, .. } = &mut containers[number];
            let parent = *parent;
            match content {
                Content::Map(map) => {
                    for (key, writes) in touched.values {
                        map.values.restore(key, Some(writes));
                    }
                    for (child, dots) in touched.created {
                        map.created.restore(child, Some(dots));
                    }
                }
                Content::Set(set) => {
                    for (element, dots) in touched.elements {
                        set.restore(element, Some(dots));
                    }
                }
                Content::Counter(counter) => {
                    if let Some(before) = touched.counter {
                        *counter = before;
                    }
                }
                Content::Text(text) => text.roll_back(),
                Content::Unknown => {}
            }
            if live != touched.live {
                containers[number].live = touched.live;
                let siblings = &mut containers[parent].live_children;
                *siblings = if touched.live { *siblings + 1 } else { *siblings - 1 };
            }
        }
    }
}
