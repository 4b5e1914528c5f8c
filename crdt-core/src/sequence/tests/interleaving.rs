//! That nobody's typing is mixed with another's, by the paper's definitions, on what is visible.
//!
//! An element's left and right origin are its neighbours, deleted ones included on the right,
//! when and where it was inserted. *Forwards*: elements are in the order of a walk through the
//! tree of left origins, each before what hangs below it. *Backwards*: among those with one left
//! origin, each comes after what hangs below it in the tree of right origins, and nothing else is
//! in between. That the second is said of those with one left origin only is where it yields to
//! the first.

use alloc::vec;
use alloc::vec::Vec;

use super::history::{Edit, History};
use crate::Dot;

/// An element that has something that does not hang below it among what does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mixed {
    Forwards(char),
    Backwards(char),
}

/// An inserted element; origins are indices of others.
struct Element {
    value: char,
    left: Option<usize>,
    right: Option<usize>,
}

/// Finds what is mixed in a text with all the elements of a history that were not deleted.
pub(super) fn check(history: &History, text: &str) -> Result<(), Mixed> {
    let mut dots: Vec<Dot> = Vec::new();
    let mut elements = Vec::new();
    for event in &history.events {
        if let (Edit::Insert(_, value), Some((left, right))) = (event.edit, event.origins) {
            let index = |dot: Dot| dots.iter().position(|&known| known == dot).expect("causal");
            elements.push(Element { value, left: left.map(index), right: right.map(index) });
            dots.push(event.dot);
        }
    }
    find_mixed(&elements, text)
}

fn find_mixed(elements: &[Element], text: &str) -> Result<(), Mixed> {
    let visible: Vec<usize> = text
        .chars()
        .map(|c| elements.iter().position(|element| element.value == c).expect("it was inserted"))
        .collect();
    for (index, root) in elements.iter().enumerate() {
        if !leads(&below(elements, &visible, index, |_, element| element.left), index) {
            return Err(Mixed::Forwards(root.value));
        }
        let left = root.left;
        let siblings: Vec<usize> =
            visible.iter().copied().filter(|&other| elements[other].left == left).collect();
        let right = |elements: &[Element], of: &Element| {
            of.right.filter(|&right| elements[right].left == left)
        };
        let mut hanging = below(elements, &siblings, index, |of, element| right(of, element));
        hanging.reverse();
        if !leads(&hanging, index) {
            return Err(Mixed::Backwards(root.value));
        }
    }
    Ok(())
}

/// Which of an order hang below an element, or are it: `None` for those that do not.
fn below(
    elements: &[Element],
    order: &[usize],
    root: usize,
    parent: impl Fn(&[Element], &Element) -> Option<usize>,
) -> Vec<Option<usize>> {
    let hangs = |mut at: usize| loop {
        if at == root {
            return true;
        }
        match parent(elements, &elements[at]) {
            Some(above) => at = above,
            None => return false,
        }
    };
    order.iter().map(|&at| hangs(at).then_some(at)).collect()
}

/// Whether those that hang below the root are beside each other, and the root, if it is there,
/// comes first.
fn leads(order: &[Option<usize>], root: usize) -> bool {
    let runs = order.chunk_by(|a, b| a.is_some() == b.is_some());
    let runs: Vec<_> = runs.filter(|run| run[0].is_some()).collect();
    runs.len() <= 1 && runs.iter().all(|run| run[0] == Some(root) || !run.contains(&Some(root)))
}

#[test]
fn mixed_typing_is_noticed() {
    let element = |value, left, right| Element { value, left, right };
    let forwards = vec![
        element('a', None, None),
        element('b', Some(0), None),
        element('x', None, None),
        element('y', Some(2), None),
    ];
    assert_eq!(find_mixed(&forwards, "abxy"), Ok(()));
    assert_eq!(find_mixed(&forwards, "xyab"), Ok(()));
    assert_eq!(find_mixed(&forwards, "axby"), Err(Mixed::Forwards('a')));
    assert_eq!(find_mixed(&forwards, "xaby"), Err(Mixed::Forwards('x')));
    assert_eq!(find_mixed(&forwards, "baxy"), Err(Mixed::Forwards('a')));
    let backwards = vec![
        element('b', None, None),
        element('a', None, Some(0)),
        element('y', None, None),
        element('x', None, Some(2)),
    ];
    assert_eq!(find_mixed(&backwards, "abxy"), Ok(()));
    assert_eq!(find_mixed(&backwards, "xyab"), Ok(()));
    assert_eq!(find_mixed(&backwards, "axby"), Err(Mixed::Backwards('b')));
    assert_eq!(find_mixed(&backwards, "axyb"), Err(Mixed::Backwards('b')));
    assert_eq!(find_mixed(&backwards, "baxy"), Err(Mixed::Backwards('b')));
    // 'c' was put between the two by one who typed on after 'a': forwards comes first.
    let mut yielding = backwards;
    yielding.push(element('c', Some(1), Some(0)));
    assert_eq!(find_mixed(&yielding, "acbxy"), Ok(()));
}
