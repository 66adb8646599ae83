//! Files and directories that survive a loss of power.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use tempfile::NamedTempFile;

/// The file of the lock.
pub(crate) const LOCK: &str = "LOCK";
/// The file that names the format.
pub(crate) const FORMAT: &str = "FORMAT";
/// The file of the root key.
pub(crate) const ROOT_KEY: &str = "root.key";
/// The folder of the objects.
pub(crate) const OBJECTS: &str = "objects";
/// The folder of files that are being written.
pub(crate) const TMP: &str = "tmp";
/// The database of the records.
pub(crate) const RECORDS: &str = "records.redb";
/// The database of the queue.
pub(crate) const QUEUE: &str = "queue.redb";

/// Everything that belongs in a data directory.
pub(crate) const KNOWN: [&str; 7] = [LOCK, FORMAT, ROOT_KEY, OBJECTS, TMP, RECORDS, QUEUE];

/// Makes the names in a directory survive a loss of power.
#[cfg(unix)]
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Other systems keep names in order by themselves and open no directory as a file.
#[cfg(not(unix))]
pub(crate) fn sync_dir(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Writes a file whole, readable by its owner alone: temporary file, bytes, fsync, rename, fsync of the
/// directory. A crash leaves the old file or the new one.
pub(crate) fn write_whole(tmp: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = NamedTempFile::new_in(tmp)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// Makes a directory that only its owner may enter, and its parents.
pub(crate) fn make_private_dir(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent)?;
    }
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    keep_private(path, 0o700)?;
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => sync_dir(Path::new(".")),
        Some(parent) => sync_dir(parent),
        None => Ok(()),
    }
}

/// Takes every right from everybody but the owner.
#[cfg(unix)]
pub(crate) fn keep_private(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// Other systems: the rights of the user's folder hold.
#[cfg(not(unix))]
pub(crate) fn keep_private(_path: &Path, _mode: u32) -> io::Result<()> {
    Ok(())
}

/// Removes what a crash left in the folder of temporary files.
pub(crate) fn clean(tmp: &Path) -> io::Result<()> {
    for entry in fs::read_dir(tmp)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    sync_dir(tmp)
}
