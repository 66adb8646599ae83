//! A tar archive, read as it comes. Nothing of it is ever written anywhere: the names are only labels.

use super::Documents;
use plumbline_operations::{NamedBytes, OperationError};
use std::io::Read;
use std::thread;
use tokio::sync::mpsc;

/// One file holds no more bytes than this.
const MOST: u64 = 64 * 1024 * 1024;
/// How many files may wait.
const WAITING: usize = 8;

/// Reads the files of an archive, one at a time. The library borrows its archive while it reads, so it
/// reads on a thread of its own.
pub(super) fn documents(source: impl Read + Send + 'static) -> Documents {
    let (sender, mut receiver) = mpsc::channel(WAITING);
    let reader = thread::Builder::new().name("archive".to_owned()).spawn(move || {
        let mut archive = tar::Archive::new(source);
        let files = match archive.entries() {
            Ok(files) => files,
            Err(error) => {
                let _ = sender.blocking_send(Err(bad(&error)));
                return;
            }
        };
        for file in files {
            let document = file.map_err(|error| bad(&error)).and_then(read);
            let is_over = document.is_err();
            let Some(document) = document.transpose() else { continue };
            // Nobody listens any more when the import ended early.
            if sender.blocking_send(document).is_err() || is_over {
                return;
            }
        }
    });
    let mut failed = reader.err().map(|error| bad(&error));
    Box::new(std::iter::from_fn(move || match failed.take() {
        Some(error) => Some(Err(error)),
        None => receiver.blocking_recv(),
    }))
}

/// Reads one file; what is no file is passed over.
fn read(mut file: tar::Entry<'_, impl Read>) -> Result<Option<NamedBytes>, OperationError> {
    if !file.header().entry_type().is_file() {
        return Ok(None);
    }
    let name = String::from_utf8_lossy(&file.path_bytes()).into_owned();
    let hidden = name.split('/').any(|part| part.starts_with('.') && part != "." && part != "..");
    if hidden {
        return Ok(None);
    }
    if file.size() > MOST {
        return Err(OperationError::Invalid(format!(
            "the inventory holds the file {name} of {} bytes; one file has at most {MOST}",
            file.size()
        )));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|error| bad(&error))?;
    Ok(Some((name.trim_start_matches("./").to_owned(), bytes)))
}

fn bad(error: &dyn std::fmt::Display) -> OperationError {
    OperationError::Invalid(format!(
        "the inventory is no whole tar archive: {error}; nothing was imported"
    ))
}
