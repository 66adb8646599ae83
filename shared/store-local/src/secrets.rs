//! The root key, in a file that only its owner may read.

use crate::error::OpenError;
use crate::files::{ROOT_KEY, write_whole};
use crate::lock::Lock;
use async_trait::async_trait;
use plumbline_policy::digest::{Digest, NotADigest};
use plumbline_ports::system::random;
use plumbline_ports::{PortError, RootKey, Secrets};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

const HEAD: &str = "plumbline-root-key 1 ";

/// The root key of a data directory, read once.
pub struct LocalSecrets {
    key: RootKey,
    _lock: Arc<Lock>,
}

impl LocalSecrets {
    /// Makes the key if there is none.
    pub(crate) fn make(directory: &Path, tmp: &Path) -> Result<(), OpenError> {
        let path = directory.join(ROOT_KEY);
        if path.exists() {
            return Ok(());
        }
        // Hashing keeps all of the randomness and gives it a text form.
        let content = format!("{HEAD}{}\n", Digest::of(&random()?));
        write_whole(tmp, &path, content.as_bytes()).map_err(OpenError::io("write", &path))
    }

    /// Reads the key.
    pub(crate) fn open(directory: &Path, lock: Arc<Lock>) -> Result<Self, OpenError> {
        Ok(Self { key: read(directory)?, _lock: lock })
    }
}

/// Reads the key of a directory; it never changes, so no lock is needed.
pub(crate) fn read(directory: &Path) -> Result<RootKey, OpenError> {
    let path = directory.join(ROOT_KEY);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(OpenError::Missing(path));
        }
        Err(error) => return Err(OpenError::io("read", &path)(error)),
    };
    check_rights(&path)?;
    let bytes = parse(&text).ok_or_else(|| OpenError::Damaged {
        path,
        reason: "it does not hold a root key".to_owned(),
    })?;
    let named = [b"plumbline root key\0".as_slice(), &bytes].concat();
    let id = format!("local-{}", &Digest::of(&named).to_string()[..16]);
    Ok(RootKey::new(id, bytes))
}

fn parse(text: &[u8]) -> Option<[u8; 32]> {
    let text = std::str::from_utf8(text).ok()?;
    let digits = text.strip_prefix(HEAD)?.strip_suffix('\n')?;
    let key: Result<Digest, NotADigest> = digits.parse();
    Some(*key.ok()?.as_bytes())
}

/// Refuses a key that others may read.
#[cfg(unix)]
pub(crate) fn check_rights(path: &Path) -> Result<(), OpenError> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = fs::metadata(path).map_err(OpenError::io("read", path))?;
    let mode = metadata.permissions().mode() & 0o7777;
    let others = mode & 0o077;
    if others == 0 {
        return Ok(());
    }
    Err(OpenError::Exposed { path: path.to_owned(), mode })
}

/// Other systems: the rights of the user's folder hold.
#[cfg(not(unix))]
pub(crate) fn check_rights(_path: &Path) -> Result<(), OpenError> {
    Ok(())
}

#[async_trait]
impl Secrets for LocalSecrets {
    async fn root_key(&self) -> Result<RootKey, PortError> {
        Ok(self.key.clone())
    }
}
