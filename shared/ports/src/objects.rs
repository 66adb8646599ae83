//! Objects: immutable bytes, filed under the digest of themselves.
//!
//! The contract is what S3 and a folder of files both do:
//! - `put` creates or finds; two writers of the same bytes both succeed. Bytes that do not have the
//!   digest of their key are refused before anything is written.
//! - `get` gives the bytes only after their digest was checked. `None` means "not there".
//! - An object is whole or not there; it is never seen half written.
//! - Only the collector deletes.

use crate::PortError;
use async_trait::async_trait;
use plumbline_policy::digest::Digest;
use std::cmp::Ordering;
use std::fmt;

/// The most bytes of one object that this product writes. S3 takes more in one put; a pack is far less.
pub const MAX_OBJECT_BYTES: usize = 64 * 1024 * 1024;

/// The most bytes of one part of a folder; a digest is longer, so no folder is named like an object.
pub const MAX_FOLDER_PART_BYTES: usize = 60;
/// The most bytes of a folder.
pub const MAX_FOLDER_BYTES: usize = 512;

/// A key: a folder, and the digest of the stored bytes. Keys are ordered by the bytes of their text, as
/// S3 lists them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ObjectKey {
    folder: String,
    digest: Digest,
}

/// A folder that is not plain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no folder of objects: parts are 1 to 60 lower-case letters, digits and `_`, joined by `/`, \
     together at most 512"
)]
pub struct BadFolder(String);

impl ObjectKey {
    /// Names the object that holds `bytes` in a folder.
    ///
    /// # Errors
    /// As [`ObjectKey::new`].
    pub fn of(folder: &str, bytes: &[u8]) -> Result<Self, BadFolder> {
        Self::new(folder, Digest::of(bytes))
    }

    /// Names an object.
    ///
    /// # Errors
    /// Refuses folders with anything but plain parts, so that no key can leave its folder.
    pub fn new(folder: &str, digest: Digest) -> Result<Self, BadFolder> {
        let plain = |part: &str| {
            !part.is_empty()
                && part.len() <= MAX_FOLDER_PART_BYTES
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        };
        if folder.len() > MAX_FOLDER_BYTES || !folder.split('/').all(plain) {
            return Err(BadFolder(folder.to_owned()));
        }
        Ok(Self { folder: folder.to_owned(), digest })
    }

    /// The folder, without a slash at its end.
    #[must_use]
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// The digest of the bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

impl Ord for ObjectKey {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.folder == other.folder {
            return self.digest.cmp(&other.digest);
        }
        // Folders are plain text and digests are lower-case hexadecimal: their bytes are their order.
        let folder = |key: &Self| format!("{}/", key.folder);
        let (one, two) = (folder(self), folder(other));
        if one.starts_with(&two) || two.starts_with(&one) {
            return self.to_string().cmp(&other.to_string());
        }
        one.cmp(&two)
    }
}

impl PartialOrd for ObjectKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.folder, self.digest)
    }
}

/// What a put came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    /// The object is new.
    Created,
    /// The same bytes were there.
    AlreadyThere,
}

/// An object in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: ObjectKey,
    /// How many bytes it has.
    pub bytes: u64,
}

/// A part of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Objects in the order of their keys.
    pub objects: Vec<Listed>,
    /// Where to go on; `None` at the end.
    pub next: Option<ObjectKey>,
}

/// Keeps objects.
#[async_trait]
pub trait Objects: Send + Sync {
    /// Stores bytes under their digest. A stored object that is damaged is replaced.
    async fn put(&self, key: &ObjectKey, bytes: Vec<u8>) -> Result<PutOutcome, PortError>;

    /// Reads an object whole and checks its digest.
    async fn get(&self, key: &ObjectKey) -> Result<Option<Vec<u8>>, PortError>;

    /// Reads `length` bytes from `offset`. Fewer bytes, or none because the object is shorter, are
    /// [`PortError::Corrupt`]. The digest cannot be checked here; the reader checks the part's own.
    async fn get_range(
        &self,
        key: &ObjectKey,
        offset: u64,
        length: u64,
    ) -> Result<Option<Vec<u8>>, PortError>;

    /// Lists objects of a folder and of the folders in it, `limit` at most (at least 1); for the checker
    /// and the collector.
    async fn list(
        &self,
        folder: &str,
        after: Option<&ObjectKey>,
        limit: usize,
    ) -> Result<Listing, PortError>;

    /// Deletes an object; one that is not there stays so. For the collector alone.
    async fn delete(&self, key: &ObjectKey) -> Result<(), PortError>;
}

/// Checks what an adapter must refuse before it writes.
///
/// # Errors
/// [`PortError::Refused`] when the bytes are too many, [`PortError::Corrupt`] when they do not have the
/// digest of the key.
pub fn check_put(key: &ObjectKey, bytes: &[u8]) -> Result<(), PortError> {
    if bytes.len() > MAX_OBJECT_BYTES {
        return Err(PortError::refused(
            "put object",
            format!("{} bytes, but an object takes {MAX_OBJECT_BYTES}", bytes.len()),
        ));
    }
    check_bytes(key, bytes)
}

/// Checks the limits of a listing.
///
/// # Errors
/// [`PortError::Refused`] when the folder is none or the limit is zero.
pub fn check_list(folder: &str, limit: usize) -> Result<(), PortError> {
    const OP: &str = "list objects";
    if limit == 0 {
        return Err(PortError::refused(OP, "0 objects, but a listing takes at least 1"));
    }
    ObjectKey::new(folder, Digest::of(b""))
        .map(drop)
        .map_err(|error| PortError::refused(OP, error.to_string()))
}

/// Checks that bytes have the digest they are filed under.
///
/// # Errors
/// [`PortError::Corrupt`] otherwise.
pub fn check_bytes(key: &ObjectKey, bytes: &[u8]) -> Result<(), PortError> {
    let found = Digest::of(bytes);
    if found == key.digest() {
        Ok(())
    } else {
        Err(PortError::corrupt(
            format!("the object {key}"),
            format!("its bytes have the digest {found}"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_plain() {
        let digest = Digest::of(b"");
        assert!(ObjectKey::new("ws/wsp_1/ten/ten_2/pack", digest).is_ok());
        for folder in ["", "/", "a//b", "../a", "a/..", "A", "a%2fb", "a/", "/a", "a b", "ä"] {
            assert!(ObjectKey::new(folder, digest).is_err(), "{folder}");
        }
        assert!(ObjectKey::new(&"a".repeat(60), digest).is_ok());
        assert!(ObjectKey::new(&"a".repeat(61), digest).is_err(), "longer than a part takes");
        assert!(ObjectKey::new(&"a/".repeat(256)[..511], digest).is_ok());
        assert!(
            ObjectKey::new(&"a/".repeat(257)[..513], digest).is_err(),
            "longer than a folder takes"
        );
    }

    #[test]
    fn keys_are_ordered_by_their_text() {
        let folders = ["a", "a/0", "a/b", "a/ff", "a0", "a_b", "ab", "ab/c", "b"];
        let mut keys = Vec::new();
        for folder in folders {
            for bytes in [b"1", b"2", b"3", b"4"] {
                keys.push(ObjectKey::of(folder, bytes).unwrap());
            }
        }
        for one in &keys {
            for two in &keys {
                assert_eq!(one.cmp(two), one.to_string().cmp(&two.to_string()), "{one} {two}");
            }
        }
    }
}
