//! A disk: what was written and not synced yet may come to anything when the power goes.

use serde::{Deserialize, Serialize};

/// What a crash makes of a write that was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WriteFate {
    /// It is there as if it had been synced.
    Kept,
    /// It never happened.
    Lost,
    /// So many thousandths of it are there.
    Torn(u16),
    /// One bit of it is wrong: the number picks which.
    Flipped(u32),
    /// It landed elsewhere, perhaps on something that had been synced: the number picks where.
    Misdirected(u32),
}

/// What is written.
#[derive(Clone, Debug)]
enum Write {
    /// At the end of the file.
    Append(Vec<u8>),
    /// Another file in its place, renamed into it.
    Replace(Vec<u8>),
}

/// A file on a disk, with at most one write that is not synced: its writer waits for each.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    synced: Vec<u8>,
    pending: Option<Write>,
}

impl Disk {
    /// Appends to the file, not synced yet.
    ///
    /// # Panics
    ///
    /// If the write before was not synced.
    pub fn append(&mut self, bytes: Vec<u8>) {
        assert!(self.pending.replace(Write::Append(bytes)).is_none(), "one write at a time");
    }

    /// Puts another file in the place of this one; its contents are synced before it is renamed,
    /// and so it is there whole or not at all.
    ///
    /// # Panics
    ///
    /// If the write before was not synced.
    pub fn replace(&mut self, bytes: Vec<u8>) {
        assert!(self.pending.replace(Write::Replace(bytes)).is_none(), "one write at a time");
    }

    /// Whether a write waits to be synced.
    #[must_use]
    pub fn is_writing(&self) -> bool {
        self.pending.is_some()
    }

    /// What was written is safe from now on.
    pub fn sync(&mut self) {
        match self.pending.take() {
            Some(Write::Append(bytes)) => self.synced.extend(bytes),
            Some(Write::Replace(bytes)) => self.synced = bytes,
            None => {}
        }
    }

    /// The power goes. Returns whether a write met its fate, and whether what was synced is
    /// damaged.
    pub fn crash(&mut self, fate: WriteFate) -> Crashed {
        let Some(write) = self.pending.take() else { return Crashed::default() };
        let mut damaged = false;
        match (write, fate) {
            (_, WriteFate::Lost) => {}
            (Write::Replace(bytes), WriteFate::Kept) => self.synced = bytes,
            // The old file is what the name still means.
            (Write::Replace(_), _) => {}
            (Write::Append(bytes), WriteFate::Kept) => self.synced.extend(bytes),
            (Write::Append(bytes), WriteFate::Torn(permille)) => {
                let kept = bytes.len() * usize::from(permille.min(999)) / 1000;
                self.synced.extend(&bytes[..kept]);
            }
            (Write::Append(mut bytes), WriteFate::Flipped(bit)) => {
                flip(&mut bytes, bit);
                self.synced.extend(bytes);
            }
            (Write::Append(bytes), WriteFate::Misdirected(place)) => {
                let end = self.synced.len();
                let at = place as usize % (end + 64);
                damaged = at < end;
                self.synced.resize(end.max(at + bytes.len()), 0);
                self.synced[at..at + bytes.len()].copy_from_slice(&bytes);
            }
        }
        Crashed { wrote: true, damaged }
    }

    /// One bit of what was synced is wrong from now on. Returns whether there is any.
    pub fn rot(&mut self, bit: u32) -> bool {
        if !self.synced.is_empty() {
            flip(&mut self.synced, bit);
        }
        !self.synced.is_empty()
    }

    /// What the file holds, as a program finds it that starts.
    #[must_use]
    pub fn read(&self) -> &[u8] {
        &self.synced
    }

    /// Cuts off what cannot be read.
    pub fn truncate(&mut self, len: usize) {
        self.synced.truncate(len);
    }
}

/// What a crash did to a disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Crashed {
    /// There was a write that was not synced.
    pub wrote: bool,
    /// Something that had been synced was written over.
    pub damaged: bool,
}

fn flip(bytes: &mut [u8], bit: u32) {
    if !bytes.is_empty() {
        let at = bit as usize % (bytes.len() * 8);
        bytes[at / 8] ^= 1 << (at % 8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_synced_survives_what_befalls_a_write() {
        for fate in [WriteFate::Kept, WriteFate::Lost, WriteFate::Torn(500), WriteFate::Flipped(9)]
        {
            let mut disk = Disk::default();
            disk.append(b"safe".to_vec());
            disk.sync();
            disk.append(b"new one".to_vec());
            assert_eq!(disk.crash(fate), Crashed { wrote: true, damaged: false });
            assert_eq!(&disk.read()[..4], b"safe");
            let rest = disk.read().len() - 4;
            assert_eq!(
                rest,
                match fate {
                    WriteFate::Lost => 0,
                    WriteFate::Torn(_) => 3,
                    _ => 7,
                }
            );
            assert_eq!(&disk.read()[4..] == b"new one", fate == WriteFate::Kept);
        }
    }

    #[test]
    fn a_misdirected_write_says_when_it_hits_something() {
        let mut disk = Disk::default();
        disk.append(b"safe".to_vec());
        disk.sync();
        disk.append(b"xx".to_vec());
        assert!(disk.clone().crash(WriteFate::Misdirected(1)).damaged);
        assert!(!disk.crash(WriteFate::Misdirected(10)).damaged);
        assert_eq!(disk.read(), b"safe\0\0\0\0\0\0xx");
    }

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        for (fate, left) in [(WriteFate::Kept, "new"), (WriteFate::Torn(500), "old")] {
            let mut disk = Disk::default();
            disk.append(b"old".to_vec());
            disk.sync();
            disk.replace(b"new".to_vec());
            disk.crash(fate);
            assert_eq!(disk.read(), left.as_bytes());
        }
    }
}
