//! The file that says what a directory is and which format it has.

use crate::error::OpenError;
use crate::files::{FORMAT, LOCK, sync_dir, write_whole};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

/// The format this program writes. Raise it when an older program must not touch the data any more.
pub(crate) const VERSION: u32 = 1;

const READY: &str = "plumbline-data 1\n";
/// While a directory is being made; a crash in between is no loss.
const BEING_MADE: &str = "plumbline-data 1 being made\n";

/// What a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Empty.
    New,
    /// Begun, and never used.
    BeingMade,
    /// A whole data directory of this format.
    Ready,
}

/// Tells what a directory is.
pub(crate) fn read(directory: &Path) -> Result<State, OpenError> {
    let path = directory.join(FORMAT);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return without_format(directory),
        Err(error) => return Err(OpenError::io("read", &path)(error)),
    };
    let text = String::from_utf8_lossy(&bytes);
    if text == READY {
        return Ok(State::Ready);
    }
    // A crash may have left only its beginning.
    if text == BEING_MADE || (!text.ends_with('\n') && BEING_MADE.starts_with(&*text)) {
        return Ok(State::BeingMade);
    }
    let version = text
        .strip_prefix("plumbline-data ")
        .and_then(|rest| rest.split_ascii_whitespace().next())
        .and_then(|version| version.parse().ok());
    match version {
        Some(found) if found > VERSION => {
            Err(OpenError::Newer { path: directory.to_owned(), found, known: VERSION })
        }
        _ => Err(OpenError::Damaged { path, reason: "it does not name a data format".to_owned() }),
    }
}

fn without_format(directory: &Path) -> Result<State, OpenError> {
    let entries = fs::read_dir(directory).map_err(OpenError::io("read", directory))?;
    for entry in entries {
        let entry = entry.map_err(OpenError::io("read", directory))?;
        if entry.file_name() != LOCK {
            return Err(OpenError::NotOurs(directory.to_owned()));
        }
    }
    Ok(State::New)
}

/// Notes that a directory is being made.
pub(crate) fn begin(directory: &Path) -> io::Result<()> {
    let mut file = File::create(directory.join(FORMAT))?;
    file.write_all(BEING_MADE.as_bytes())?;
    file.sync_all()?;
    sync_dir(directory)
}

/// Notes that a directory is whole.
pub(crate) fn finish(directory: &Path, tmp: &Path) -> io::Result<()> {
    write_whole(tmp, &directory.join(FORMAT), READY.as_bytes())
}
