//! Lists and trees.

use alloc::vec::Vec;

use arbitrary::{Arbitrary, Result, Unstructured};

use super::ArbitraryStore;
use crate::Dot;
use crate::canary::is_planted;
use crate::dot_store::Edit;
use crate::sequence::ListStore;
use crate::tree::TreeStore;

impl<'a, E: Arbitrary<'a> + Clone> ArbitraryStore<'a> for ListStore<E> {
    fn change(edit: &mut Edit<'_, Self>, u: &mut Unstructured<'a>) -> Result<()> {
        let len = edit.get().len();
        match u.int_in_range(0..=15)? {
            0 => edit.clear(),
            1..=3 if len > 0 => edit.remove(u.choose_index(len)?),
            4..=7 if len > 0 && !is_planted("arbitrary-never-moves") => {
                edit.move_to(u.choose_index(len)?, u.choose_index(len)?)
            }
            _ => edit.insert(u.int_in_range(0..=len)?, u.arbitrary()?),
        }
        Ok(())
    }
}

impl<'a, V: Arbitrary<'a> + Clone> ArbitraryStore<'a> for TreeStore<V> {
    fn change(edit: &mut Edit<'_, Self>, u: &mut Unstructured<'a>) -> Result<()> {
        let nodes: Vec<Dot> = edit.get().iter().map(|(_, node)| node).collect();
        let parent = |u: &mut Unstructured<'a>| {
            let index = u.int_in_range(0..=nodes.len())?;
            Ok(index.checked_sub(1).map(|index| nodes[index]))
        };
        // What a tree refuses leaves it as it is: a node that would stand below itself.
        match u.int_in_range(0..=15)? {
            0 => edit.clear(),
            1 | 2 if !nodes.is_empty() => {
                let _ = edit.remove(*u.choose(&nodes)?);
            }
            3 | 4 if !nodes.is_empty() => {
                let _ = edit.set_value(*u.choose(&nodes)?, u.arbitrary()?);
            }
            5..=9 if !nodes.is_empty() => {
                let (node, below) = (*u.choose(&nodes)?, parent(u)?);
                let others = edit.get().children(below).filter(|&kid| kid != node).count();
                let _ = edit.move_to(node, below, u.int_in_range(0..=others)?);
            }
            _ => {
                let below = parent(u)?;
                let others = edit.get().children(below).count();
                let at = u.int_in_range(0..=others)?;
                let _ = edit.create(below, at, u.arbitrary()?);
            }
        }
        Ok(())
    }
}
