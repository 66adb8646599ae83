//! One redb file: transactions, and redb's errors in the words of the ports.

use crate::error::OpenError;
use plumbline_ports::PortError;
use redb::{Database, Durability, ReadTransaction, WriteTransaction};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

/// Why a transaction did not do its work.
pub(crate) enum Fault {
    /// The database said so.
    Redb(redb::Error),
    /// We say so.
    Port(PortError),
}

impl From<PortError> for Fault {
    fn from(error: PortError) -> Self {
        Self::Port(error)
    }
}

macro_rules! from_redb {
    ($($error:ty),*) => { $(
        impl From<$error> for Fault {
            fn from(error: $error) -> Self {
                Self::Redb(error.into())
            }
        }
    )* };
}
from_redb!(
    redb::StorageError,
    redb::TableError,
    redb::TransactionError,
    redb::CommitError,
    redb::DatabaseError,
    redb::SetDurabilityError
);

/// Whether a database may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The data directory is being made; what is there is finished.
    New,
    /// The database must be there. An empty file is damage, not a new database.
    Old,
}

/// What a write transaction comes to.
pub(crate) enum Done<T> {
    /// Keep the changes.
    Commit(T),
    /// Forget them.
    Abort(T),
}

/// A redb file.
pub(crate) struct Db {
    path: PathBuf,
    inner: RwLock<Database>,
}

impl Db {
    /// Opens a database, or makes it; `tables` opens each of its tables once, so that all are there.
    pub(crate) fn open(
        path: &Path,
        origin: Origin,
        cache_bytes: usize,
        tables: impl FnOnce(&WriteTransaction) -> Result<(), Fault>,
    ) -> Result<Self, OpenError> {
        let damaged = |reason: String| OpenError::Damaged { path: path.to_owned(), reason };
        let open = || -> Result<Database, Fault> {
            let mut builder = Database::builder();
            builder.set_cache_size(cache_bytes);
            let database = match origin {
                Origin::New => builder.create(path)?,
                Origin::Old => builder.open(path)?,
            };
            let transaction = database.begin_write()?;
            tables(&transaction)?;
            transaction.commit()?;
            Ok(database)
        };
        let inner = match catch_unwind(AssertUnwindSafe(open)) {
            Ok(Ok(database)) => database,
            Ok(Err(Fault::Redb(redb::Error::Io(error))))
                if error.kind() != std::io::ErrorKind::InvalidData =>
            {
                return Err(OpenError::io("open", path)(error));
            }
            Ok(Err(Fault::Redb(error))) => return Err(damaged(error.to_string())),
            Ok(Err(Fault::Port(error))) => return Err(damaged(error.to_string())),
            Err(_) => return Err(damaged("it cannot be read".to_owned())),
        };
        Ok(Self { path: path.to_owned(), inner: RwLock::new(inner) })
    }

    /// Reads one state of the database.
    pub(crate) fn read<T>(
        &self,
        op: &'static str,
        work: impl FnOnce(&ReadTransaction) -> Result<T, Fault>,
    ) -> Result<T, PortError> {
        use redb::ReadableDatabase as _;
        self.guarded(op, || {
            let database = self.inner.read().unwrap_or_else(PoisonError::into_inner);
            work(&database.begin_read()?)
        })
    }

    /// Changes the database. The changes are on disk when this returns, if `durability` says so.
    pub(crate) fn write<T>(
        &self,
        op: &'static str,
        durability: Durability,
        work: impl FnOnce(&WriteTransaction) -> Result<Done<T>, Fault>,
    ) -> Result<T, PortError> {
        self.guarded(op, || {
            let database = self.inner.read().unwrap_or_else(PoisonError::into_inner);
            let mut transaction = database.begin_write()?;
            transaction.set_durability(durability)?;
            match work(&transaction)? {
                Done::Commit(value) => {
                    transaction.commit()?;
                    Ok(value)
                }
                Done::Abort(value) => {
                    transaction.abort()?;
                    Ok(value)
                }
            }
        })
    }

    /// Checks the whole file; answers what is wrong with it.
    pub(crate) fn check(&self) -> Option<String> {
        let check = || -> Result<bool, Fault> {
            let mut database = self.inner.write().unwrap_or_else(PoisonError::into_inner);
            Ok(database.check_integrity()?)
        };
        match self.guarded("check the database", check) {
            Ok(true) => None,
            Ok(false) => Some("it was damaged, and repaired as far as possible".to_owned()),
            Err(PortError::Corrupt { reason, .. }) => Some(reason),
            Err(error) => Some(error.to_string()),
        }
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Runs database work. A damaged page may make redb panic; that is an answer, not an end.
    fn guarded<T>(
        &self,
        op: &'static str,
        work: impl FnOnce() -> Result<T, Fault>,
    ) -> Result<T, PortError> {
        let file = || format!("the file {}", self.path.display());
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(Fault::Port(error))) => Err(error),
            Ok(Err(Fault::Redb(redb::Error::Corrupted(reason)))) => {
                Err(PortError::corrupt(file(), reason))
            }
            Ok(Err(Fault::Redb(error))) => Err(PortError::unavailable(op, error)),
            Err(_) => Err(PortError::corrupt(file(), "a page of it cannot be read")),
        }
    }
}
