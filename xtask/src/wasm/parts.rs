//! What a file of the package consists of: the sources of a script, the sections of a module.

use std::ops::Range;

/// The sections of a WebAssembly module, by what they hold (WebAssembly Core Specification 2.0, 5.5).
const SECTIONS: [&str; 13] = [
    "custom",
    "types",
    "imports",
    "functions' types",
    "tables",
    "memory",
    "globals",
    "exports",
    "start",
    "functions in tables",
    "code",
    "data",
    "count of data",
];

/// The sections of a module: what each holds, and where it is; nothing from where on the bytes are none.
pub(super) fn sections(module: &[u8]) -> Vec<(&'static str, Range<usize>)> {
    let mut found = Vec::new();
    // The magic number and the version.
    let mut at = 8;
    while let Some(&id) = module.get(at) {
        let Some((len, start)) = varint(module, at + 1) else { break };
        let Some(end) = start.checked_add(len).filter(|&end| end <= module.len()) else { break };
        let name = SECTIONS.get(usize::from(id)).copied().unwrap_or("others");
        found.push((name, at..end));
        at = end;
    }
    found
}

/// A number in groups of seven bits, low ones first, and where it ends.
fn varint(bytes: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let mut value = 0;
    for shift in (0..35).step_by(7) {
        let byte = *bytes.get(at)?;
        at += 1;
        value |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some((value, at));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::sections;

    #[test]
    fn a_module_is_its_sections() {
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        module.extend([1, 2, 0, 0]);
        module.extend([10, 0x81, 0x01]);
        module.extend([7; 129]);
        assert_eq!(sections(&module), [("types", 8..12), ("code", 12..144)]);
        module.push(11);
        assert_eq!(sections(&module).len(), 2, "a section without a length is none");
        module.push(9);
        assert_eq!(sections(&module).len(), 2, "one that ends behind the end is none");
        assert!(sections(b"").is_empty());
    }
}
