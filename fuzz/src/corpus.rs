//! The committed inputs: one file per surface, `corpus/NAME.hex`, an input per line.
//!
//! The fuzzer wants a folder of files, one per input; a repository does not want thousands
//! of files of twenty bytes. [`unpack`] and [`pack`] go between the two.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The file of a surface's corpus.
pub fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(format!("{name}.hex"))
}

/// Every input of a surface's corpus, shortest first.
///
/// # Errors
///
/// If the file cannot be read, or a line is not hexadecimal.
pub fn inputs(name: &str) -> io::Result<Vec<Vec<u8>>> {
    let text = fs::read_to_string(file(name))?;
    text.lines()
        .map(|line| from_hex(line).ok_or_else(|| io::Error::other(format!("not hex: {line}"))))
        .collect()
}

/// Writes each input to a file of its own, where the fuzzer finds it.
///
/// # Errors
///
/// If the corpus cannot be read or a file not be written.
pub fn unpack(name: &str, dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    for (index, input) in inputs(name)?.iter().enumerate() {
        fs::write(dir.join(format!("corpus-{index:03}")), input)?;
    }
    Ok(())
}

/// Makes the inputs in `dir` the corpus.
///
/// # Errors
///
/// If a file cannot be read or the corpus not be written.
pub fn pack(name: &str, dir: &Path) -> io::Result<()> {
    let mut inputs = BTreeSet::new();
    for entry in fs::read_dir(dir)? {
        let input = fs::read(entry?.path())?;
        inputs.insert((input.len(), input));
    }
    let mut text = String::new();
    for (_, input) in inputs {
        for byte in input {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        text.push('\n');
    }
    let file = file(name);
    fs::create_dir_all(file.parent().expect("a file lies in a folder"))?;
    fs::write(file, text)
}

fn from_hex(line: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = line
        .chars()
        .map(|digit| digit.to_digit(16).map(|digit| digit as u8))
        .collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}
