//! The data directory.

use crate::check::Problem;
use crate::database::Origin;
use crate::error::OpenError;
use crate::files::{KNOWN, OBJECTS, QUEUE, RECORDS, ROOT_KEY, TMP, clean, make_private_dir};
use crate::format::{self, State};
use crate::lock::Lock;
use crate::objects::LocalObjects;
use crate::queue::LocalQueue;
use crate::records::LocalRecords;
use crate::secrets::LocalSecrets;
use jiff::Timestamp;
use plumbline_ports::{Clock, Ids, PortError, Ports, RootKey};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A directory that holds everything.
pub struct DataDir;

/// Every store of one data directory. The directory stays locked until the last of them is dropped.
#[derive(Clone)]
pub struct Stores {
    /// Rows.
    pub records: Arc<LocalRecords>,
    /// Objects.
    pub objects: Arc<LocalObjects>,
    /// Messages.
    pub queue: Arc<LocalQueue>,
    /// The root key.
    pub secrets: Arc<LocalSecrets>,
    clock: Arc<dyn Clock>,
    path: PathBuf,
}

impl DataDir {
    /// Opens a data directory, or makes one where there is nothing or an empty directory.
    ///
    /// # Errors
    /// [`OpenError`] names the path, the reason and the next step. Nothing was changed, unless a new
    /// directory could not be finished; opening it again goes on.
    pub fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Stores, OpenError> {
        match fs::metadata(path) {
            Ok(metadata) if !metadata.is_dir() => {
                return Err(OpenError::NotADirectory(path.to_owned()));
            }
            Ok(_) => {
                // Before the lock file is made in a directory that is not ours.
                format::read(path)?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make_private_dir(path).map_err(OpenError::io("make", path))?;
            }
            Err(error) => return Err(OpenError::io("read", path)(error)),
        }
        let lock = Arc::new(Lock::take(path)?);
        match format::read(path)? {
            State::New => {
                make_private_dir(path).map_err(OpenError::io("make private", path))?;
                format::begin(path).map_err(OpenError::io("write into", path))?;
                make(path, clock, lock)
            }
            State::BeingMade => make(path, clock, lock),
            State::Ready => {
                for name in [ROOT_KEY, OBJECTS, RECORDS, QUEUE] {
                    let part = path.join(name);
                    if !part.exists() {
                        return Err(OpenError::Missing(part));
                    }
                }
                open(path, Origin::Old, clock, lock)
            }
        }
    }
}

impl DataDir {
    /// Reads the root key of a directory that another process may have open.
    ///
    /// # Errors
    /// There is no data directory, or others may read its key.
    pub fn root_key(path: &Path) -> Result<RootKey, OpenError> {
        crate::secrets::read(path)
    }
}

/// Makes what is missing. The format is noted last.
fn make(path: &Path, clock: Arc<dyn Clock>, lock: Arc<Lock>) -> Result<Stores, OpenError> {
    let (tmp, objects) = (path.join(TMP), path.join(OBJECTS));
    for directory in [&tmp, &objects] {
        make_private_dir(directory).map_err(OpenError::io("make", directory))?;
    }
    LocalSecrets::make(path, &tmp)?;
    let stores = open(path, Origin::New, clock, lock)?;
    format::finish(path, &tmp).map_err(OpenError::io("write into", path))?;
    Ok(stores)
}

fn open(
    path: &Path,
    origin: Origin,
    clock: Arc<dyn Clock>,
    lock: Arc<Lock>,
) -> Result<Stores, OpenError> {
    let secrets = LocalSecrets::open(path, Arc::clone(&lock))?;
    let tmp = path.join(TMP);
    make_private_dir(&tmp).and_then(|()| clean(&tmp)).map_err(OpenError::io("clean", &tmp))?;
    let records = LocalRecords::open(&path.join(RECORDS), origin, Arc::clone(&lock))?;
    let queue = LocalQueue::open(&path.join(QUEUE), origin, Arc::clone(&clock), Arc::clone(&lock))?;
    let objects = LocalObjects::open(path.join(OBJECTS), tmp, lock);
    Ok(Stores {
        records: Arc::new(records),
        objects: Arc::new(objects),
        queue: Arc::new(queue),
        secrets: Arc::new(secrets),
        clock,
        path: path.to_owned(),
    })
}

impl Stores {
    /// The ports of an operation, with these ids and the clock the directory was opened with.
    #[must_use]
    pub fn ports(&self, ids: Arc<dyn Ids>) -> Ports {
        Ports {
            records: self.records.clone(),
            objects: self.objects.clone(),
            queue: self.queue.clone(),
            secrets: self.secrets.clone(),
            clock: Arc::clone(&self.clock),
            ids,
        }
    }

    /// Takes away rows that expired an hour before `now` or earlier; answers how many.
    ///
    /// # Errors
    /// When the database does not answer or is damaged.
    pub fn sweep(&self, now: Timestamp) -> Result<usize, PortError> {
        self.records.sweep(now)
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Checks every part: the databases with their pages, rows and entries, the bytes of every object,
    /// and files that do not belong there. An empty answer means that nothing is wrong. Reads everything
    /// and holds up writers meanwhile. Whether records point to objects that exist is checked elsewhere,
    /// over the ports.
    #[must_use]
    pub fn check(&self) -> Vec<Problem> {
        let mut out = self.strangers();
        out.extend(self.records.problems());
        out.extend(self.queue.problems());
        out.extend(self.objects.problems());
        out
    }

    /// Files beside the known ones.
    fn strangers(&self) -> Vec<Problem> {
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) => {
                return vec![Problem::backup(self.path.display().to_string(), error.to_string())];
            }
        };
        let mut paths: Vec<PathBuf> = entries
            .flatten()
            .filter(|entry| !KNOWN.iter().any(|known| entry.file_name() == *known))
            .map(|entry| entry.path())
            .collect();
        paths.sort();
        paths.into_iter().map(|path| Problem::stray(path.display().to_string())).collect()
    }
}
