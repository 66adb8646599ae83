//! Objects as plain files: `objects/<folder>/<first two digits>/<digest>`.
//!
//! A put writes a temporary file, syncs it, renames it and syncs the folder, so that an object is whole or
//! not there, and on disk when the put returns.

mod walk;

use crate::check::Problem;
use crate::files::sync_dir;
use crate::lock::Lock;
use async_trait::async_trait;
use plumbline_ports::objects::{Listing, check_bytes, check_list, check_put};
use plumbline_ports::{ObjectKey, Objects, PortError, PutOutcome};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::NamedTempFile;

/// Objects as plain files.
pub struct LocalObjects {
    root: PathBuf,
    tmp: PathBuf,
    /// Folders whose names are known to be on disk.
    folders: Mutex<BTreeSet<PathBuf>>,
    _lock: Arc<Lock>,
}

impl LocalObjects {
    /// Uses a folder; files are written in `tmp` first, which is on the same file system.
    pub(crate) fn open(root: PathBuf, tmp: PathBuf, lock: Arc<Lock>) -> Self {
        let folders = Mutex::new(BTreeSet::from([root.clone()]));
        Self { root, tmp, folders, _lock: lock }
    }

    fn path(&self, key: &ObjectKey) -> PathBuf {
        let digest = key.digest().to_string();
        self.root.join(key.folder()).join(&digest[..2]).join(digest)
    }

    /// Makes a folder and every one above it, each on disk before the next.
    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        let mut known = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        let missing: Vec<&Path> =
            folder.ancestors().take_while(|path| !known.contains(*path)).collect();
        for path in missing.into_iter().rev() {
            match fs::create_dir(path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
            // Also when it was there: who made it may have died before its name was on disk.
            if let Some(parent) = path.parent() {
                sync_dir(parent)?;
            }
            known.insert(path.to_owned());
        }
        Ok(())
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<PutOutcome> {
        let folder = path.parent().unwrap_or(&self.root);
        self.make_folder(folder)?;
        if holds(path, bytes)? {
            // Who wrote it may have died before its name was on disk.
            sync_dir(folder)?;
            return Ok(PutOutcome::AlreadyThere);
        }
        let mut file = NamedTempFile::new_in(&self.tmp)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        sync_dir(folder)?;
        Ok(PutOutcome::Created)
    }

    /// Everything that is wrong: damaged objects and files that are none.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let mut out = Vec::new();
        walk::every_file(&self.root, &mut |path, key| match key {
            Ok(Some(key)) => {
                let checked = fs::read(path)
                    .map_err(|error| error.to_string())
                    .and_then(|bytes| check_bytes(&key, &bytes).map_err(|error| reason(&error)));
                if let Err(reason) = checked {
                    out.push(Problem::backup(path.display().to_string(), reason));
                }
            }
            Ok(None) => out.push(Problem::stray(path.display().to_string())),
            Err(error) => out.push(Problem::backup(path.display().to_string(), error.to_string())),
        });
        out
    }
}

fn reason(error: &PortError) -> String {
    match error {
        PortError::Corrupt { reason, .. } => reason.clone(),
        other => other.to_string(),
    }
}

/// Whether a file is there and holds exactly these bytes.
fn holds(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    let Some(file) = open(path)? else { return Ok(false) };
    if file.metadata()?.len() != bytes.len() as u64 {
        return Ok(false);
    }
    Ok(fs::read(path)? == bytes)
}

/// Opens a file; `None` when there is none.
fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[async_trait]
impl Objects for LocalObjects {
    async fn put(&self, key: &ObjectKey, bytes: Vec<u8>) -> Result<PutOutcome, PortError> {
        check_put(key, &bytes)?;
        self.write(&self.path(key), &bytes)
            .map_err(|error| PortError::unavailable("put object", error))
    }

    async fn get(&self, key: &ObjectKey) -> Result<Option<Vec<u8>>, PortError> {
        let bytes = match fs::read(self.path(key)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(PortError::unavailable("get object", error)),
        };
        check_bytes(key, &bytes)?;
        Ok(Some(bytes))
    }

    async fn get_range(
        &self,
        key: &ObjectKey,
        offset: u64,
        length: u64,
    ) -> Result<Option<Vec<u8>>, PortError> {
        let unavailable = |error| PortError::unavailable("get a part of an object", error);
        let Some(mut file) = open(&self.path(key)).map_err(unavailable)? else { return Ok(None) };
        let short = |bytes: u64| {
            PortError::corrupt(
                format!("the object {key}"),
                format!("{bytes} bytes, but {length} from {offset} were asked for"),
            )
        };
        let bytes = file.metadata().map_err(unavailable)?.len();
        if offset.checked_add(length).is_none_or(|end| end > bytes) {
            return Err(short(bytes));
        }
        file.seek(SeekFrom::Start(offset)).map_err(unavailable)?;
        let mut part = Vec::new();
        file.take(length).read_to_end(&mut part).map_err(unavailable)?;
        if part.len() as u64 == length { Ok(Some(part)) } else { Err(short(bytes)) }
    }

    async fn list(
        &self,
        folder: &str,
        after: Option<&ObjectKey>,
        limit: usize,
    ) -> Result<Listing, PortError> {
        check_list(folder, limit)?;
        walk::list(&self.root, folder, after, limit)
            .map_err(|error| PortError::unavailable("list objects", error))
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), PortError> {
        let path = self.path(key);
        let gone = match fs::remove_file(&path) {
            Ok(()) => path.parent().map_or(Ok(()), sync_dir),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        };
        gone.map_err(|error| PortError::unavailable("delete object", error))
    }
}
