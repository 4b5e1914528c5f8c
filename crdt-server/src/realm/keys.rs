use core::fmt;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crdt_causal::session::{Authenticator, KeyId, Mac};
use hmac_sha256::HMAC;

/// The keys with which the servers of a realm attest session tokens: HMAC-SHA-256, cut to 16 bytes.
///
/// A text file with one key per line: its number and 32 bytes in hexadecimal, separated by blanks.
/// The greatest number is the key for new tokens, the others are still accepted. All servers of a
/// realm need the same file.
///
/// To turn a key over: add the new one with a *smaller* number than the present one to the files of
/// all servers and restart them, one by one; then give it the greatest number everywhere; and
/// remove the former key when the sessions that it attested may begin anew.
///
/// ```
/// use crdt_causal::session::{Authenticator, KeyId};
/// use crdt_server::realm::KeyRing;
///
/// let text = format!("1 {}\n2 {}\n", "0b".repeat(32), "0c".repeat(32));
/// let keys = KeyRing::parse(&text)?;
/// assert_eq!(keys.newest(), KeyId(2));
/// assert_ne!(keys.mac(KeyId(1), b"message"), keys.mac(KeyId(2), b"message"));
/// assert_eq!(keys.mac(KeyId(3), b"message"), None);
/// # Ok::<(), crdt_server::realm::KeyError>(())
/// ```
#[derive(Clone)]
pub struct KeyRing {
    keys: BTreeMap<KeyId, [u8; Self::KEY_LEN]>,
    newest: KeyId,
}

/// Why there are no keys.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeyError {
    /// The file could not be read or made.
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A line is not a number and 64 hexadecimal digits, or its number came before.
    Line {
        /// The line, from 1.
        line: usize,
    },
    /// There is not a single key.
    NoKey,
}

impl KeyRing {
    const KEY_LEN: usize = 32;

    /// One key, made now, that is not stored.
    pub fn random() -> Self {
        Self { keys: [(KeyId(1), random_key())].into(), newest: KeyId(1) }
    }

    /// Reads a key file.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is not in the format above; no message repeats a key.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| KeyError::File { path: path.to_owned(), source })?;
        Self::parse(&text)
    }

    /// Reads the key file, or makes one with a key in it, that nobody but the user of this process
    /// may read.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read), or if it cannot be made.
    pub fn read_or_make(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::File { path: path.to_owned(), source };
        match path.try_exists() {
            Ok(true) => Self::read(path),
            Ok(false) => match make_file(path, &Self::random().to_text()) {
                // Another server may have made it in the meantime: then it is that one.
                Ok(()) => Self::read(path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Self::read(path),
                Err(source) => Err(failed(source)),
            },
            Err(source) => Err(failed(source)),
        }
    }

    /// Reads the text of a key file.
    ///
    /// # Errors
    ///
    /// If it is not in the format above.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let mut keys = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = || KeyError::Line { line: index + 1 };
            let (number, digits) = line.split_once(char::is_whitespace).ok_or_else(wrong)?;
            let number = number.parse().map(KeyId).map_err(|_| wrong())?;
            let key = from_hex(digits.trim()).ok_or_else(wrong)?;
            if keys.insert(number, key).is_some() {
                return Err(wrong());
            }
        }
        let newest = *keys.last_key_value().ok_or(KeyError::NoKey)?.0;
        Ok(Self { keys, newest })
    }

    fn to_text(&self) -> String {
        use core::fmt::Write;
        let mut text =
            "# Keys of session tokens: see crdt-server --help. Keep them secret.\n".to_owned();
        for (KeyId(number), key) in &self.keys {
            let _ = write!(text, "{number} ");
            for byte in key {
                let _ = write!(text, "{byte:02x}");
            }
            text.push('\n');
        }
        text
    }
}

impl Authenticator for KeyRing {
    fn newest(&self) -> KeyId {
        self.newest
    }

    fn mac(&self, key: KeyId, message: &[u8]) -> Option<Mac> {
        let key = self.keys.get(&key)?;
        let [mac @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = HMAC::mac(message, key);
        Some(mac)
    }
}

/// Which keys there are, and none of them.
impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("keys", &self.keys.keys()).finish_non_exhaustive()
    }
}

fn random_key() -> [u8; KeyRing::KEY_LEN] {
    let mut key = [0; KeyRing::KEY_LEN];
    getrandom::fill(&mut key).expect("the operating system has random numbers");
    key
}

fn from_hex(digits: &str) -> Option<[u8; KeyRing::KEY_LEN]> {
    let mut key = [0; KeyRing::KEY_LEN];
    if digits.len() != 2 * key.len() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, at) in key.iter_mut().zip((0..digits.len()).step_by(2)) {
        *byte = u8::from_str_radix(&digits[at..at + 2], 16).ok()?;
    }
    Some(key)
}

/// The file is there whole and durable, or not at all; one that is there already stays.
fn make_file(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        std::fs::create_dir_all(folder)?;
    }
    let part = path.with_extension(format!("part-{}", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(&part)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&part, path);
    std::fs::remove_file(&part)?;
    linked
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, source } => write!(f, "{}: {source}", path.display()),
            Self::Line { line } => write!(
                f,
                "line {line}: expected a number that did not come before, and 64 hexadecimal digits"
            ),
            Self::NoKey => f.write_str("the file holds no key"),
        }
    }
}

impl core::error::Error for KeyError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::File { source, .. } => Some(source),
            Self::Line { .. } | Self::NoKey => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_made_once_and_is_private() {
        let directory = tempfile::tempdir().expect("a folder for the test");
        let path = directory.path().join("data/token-keys");
        let made = KeyRing::read_or_make(&path).expect("made");
        let read = KeyRing::read_or_make(&path).expect("read");
        assert_eq!((made.newest(), &made.keys), (read.newest(), &read.keys));
        assert_ne!(made.keys, KeyRing::random().keys);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    /// The first test vector of RFC 4231, with a key of this length: zeros behind it count for
    /// nothing in HMAC.
    #[test]
    fn the_code_is_hmac_sha_256() {
        let key = format!("{}{}", "0b".repeat(20), "00".repeat(12));
        let keys = KeyRing::parse(&format!("7 {key}")).expect("a key");
        let expected = [
            0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53, 0x5c, 0xa8, 0xaf, 0xce, 0xaf, 0x0b,
            0xf1, 0x2b,
        ];
        assert_eq!(keys.mac(KeyId(7), b"Hi There"), Some(expected));
    }

    #[test]
    fn what_is_no_key_file_is_refused_with_its_line() {
        let key = "ab".repeat(32);
        let message = |text: &str| KeyRing::parse(text).expect_err(text).to_string();
        assert_eq!(message("# nothing\n"), "the file holds no key");
        for text in [
            key.clone(),
            format!("1 {key}ab"),
            format!("x {key}"),
            format!("1 {}zz", &key[2..]),
            format!("1 {key}\n1 {key}"),
        ] {
            let message = message(&text);
            assert!(message.starts_with("line "), "{message}");
            assert!(!message.contains(&key[..8]), "a key leaked: {message}");
        }
    }
}
