//! Cutting text at code points.

/// Takes `count` code points off the front of `text`, if it has so many.
pub(super) fn split_chars<'t>(text: &mut &'t str, count: u32) -> Option<&'t str> {
    let mut bytes = 0;
    for _ in 0..count {
        bytes += text[bytes..].chars().next()?.len_utf8();
    }
    let (front, rest) = text.split_at(bytes);
    *text = rest;
    Some(front)
}
