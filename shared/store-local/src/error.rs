//! Why a data directory cannot be used.

use plumbline_ports::system::NoRandomness;
use std::io;
use std::path::{Path, PathBuf};

/// Why a data directory cannot be used: the path, the reason, the next step.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The path is a file.
    #[error("`{}` is a file, not a directory; name a directory with --data", .0.display())]
    NotADirectory(PathBuf),
    /// The directory holds something else.
    #[error(
        "`{}` holds other files and is no data directory of plumbline; name a new or empty directory \
         with --data", .0.display()
    )]
    NotOurs(PathBuf),
    /// A later program wrote it.
    #[error(
        "`{}` has the data format {found}, but this program knows formats up to {known}; update \
         plumbline, or use another --data directory", path.display()
    )]
    Newer {
        /// The directory.
        path: PathBuf,
        /// The format it has.
        found: u32,
        /// The newest format this program knows.
        known: u32,
    },
    /// Another process has it.
    #[error(
        "`{}` is in use by another plumbline process ({}); stop it or use another --data directory",
        path.display(), pid.as_ref().map_or_else(|| "pid unknown".to_owned(), |pid| format!("pid {pid}"))
    )]
    InUse {
        /// The directory.
        path: PathBuf,
        /// The process, if it could be read.
        pid: Option<u32>,
    },
    /// A part is gone.
    #[error("`{}` is missing; restore the data directory from a backup", .0.display())]
    Missing(PathBuf),
    /// A part cannot be read.
    #[error("`{}` is damaged: {reason}; restore the data directory from a backup", path.display())]
    Damaged {
        /// The part.
        path: PathBuf,
        /// How that was seen.
        reason: String,
    },
    /// Others may read the root key.
    #[error(
        "`{}` can be read by other users (mode {mode:04o}); run `chmod 600` on it, and if somebody may \
         have read it, start over in a new --data directory", path.display()
    )]
    Exposed {
        /// The key's file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The system refused.
    #[error("cannot {doing} `{}`: {source}; {}", path.display(), advice(source))]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With which path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system has no randomness for the root key.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

impl OpenError {
    /// Names what was tried with which path.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }
}

fn advice(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "give this user the right to write there, or use another --data directory"
        }
        io::ErrorKind::StorageFull => "free some space on that disk",
        _ => "check the path and the disk, or use another --data directory",
    }
}
