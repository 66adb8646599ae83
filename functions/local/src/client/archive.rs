//! Documents as a tar archive that is written while it is sent: the names go with them, because folders
//! tell types where nothing else does.

use anyhow::anyhow;
use bytes::{Bytes, BytesMut};
use plumbline_operations::{NamedBytes, OperationError};
use std::io::{Error, ErrorKind, Write};
use std::thread::JoinHandle;
use tokio::sync::mpsc;

/// How large a chunk is, and how many may wait.
const CHUNK: usize = 256 * 1024;
const WAITING: usize = 8;
/// How hard a network's archive is packed; more takes longer and gains little.
const LEVEL: i32 = 3;

/// The chunks of an archive. One that is an error stands for the rest, so that what breaks off never
/// looks whole.
pub(super) type Chunks = mpsc::Receiver<Result<Bytes, Error>>;

/// Writes documents on a thread of its own: reading them blocks.
pub(super) struct Writing(JoinHandle<Result<(), OperationError>>);

/// Begins to write.
pub(super) fn write(
    documents: impl Iterator<Item = Result<NamedBytes, OperationError>> + Send + 'static,
    is_packed: bool,
) -> anyhow::Result<(Chunks, Writing)> {
    let (sender, chunks) = mpsc::channel(WAITING);
    let writing = std::thread::Builder::new().name("archive".to_owned()).spawn(move || {
        let now = BytesMut::with_capacity(CHUNK);
        let mut out = Sending { sender, now, is_whole: false };
        let done = if is_packed { pack(documents, &mut out) } else { append(documents, &mut out) };
        let done = done.and_then(|()| Ok(out.flush()?));
        out.is_whole = done.is_ok();
        match done {
            Err(Failed::Reading(error)) => Err(error),
            Err(Failed::Writing(error)) if !out.sender.is_closed() => Err(OperationError::Invalid(
                format!("the documents cannot be sent: {error}; nothing was imported"),
            )),
            // The other end may have had enough, and says why.
            Ok(()) | Err(Failed::Writing(_)) => Ok(()),
        }
    })?;
    Ok((chunks, Writing(writing)))
}

impl Writing {
    /// Waits for the end.
    ///
    /// # Errors
    /// What was wrong with the documents.
    pub(super) async fn end(self) -> anyhow::Result<()> {
        // The thread may wait for a chunk to be taken, which happens on this one.
        let joined = tokio::task::spawn_blocking(|| self.0.join()).await?;
        Ok(joined
            .map_err(|_| anyhow!("reading what is to be imported met a fault of the program"))??)
    }
}

enum Failed {
    Reading(OperationError),
    Writing(Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Writing(error)
    }
}

fn pack(
    documents: impl Iterator<Item = Result<NamedBytes, OperationError>>,
    out: &mut Sending,
) -> Result<(), Failed> {
    let mut packer = zstd::stream::write::Encoder::new(out, LEVEL)?;
    append(documents, &mut packer)?;
    packer.finish()?;
    Ok(())
}

fn append(
    documents: impl Iterator<Item = Result<NamedBytes, OperationError>>,
    out: &mut impl Write,
) -> Result<(), Failed> {
    let mut archive = tar::Builder::new(out);
    for document in documents {
        let (name, bytes) = document.map_err(Failed::Reading)?;
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, plain(&name), bytes.as_slice())?;
    }
    archive.finish()?;
    Ok(())
}

/// A name that an archive takes as it is: not from the root, not upwards, and no part hidden.
fn plain(name: &str) -> String {
    let parts = name.split('/').filter(|part| !matches!(*part, "" | "."));
    let shown =
        parts.map(|part| if part.starts_with('.') { format!("_{part}") } else { part.to_owned() });
    shown.collect::<Vec<_>>().join("/")
}

/// Sends what is written, a chunk at a time.
struct Sending {
    sender: mpsc::Sender<Result<Bytes, Error>>,
    now: BytesMut,
    is_whole: bool,
}

impl Drop for Sending {
    /// An archive that stops anywhere can look like one that ends there.
    fn drop(&mut self) {
        if !self.is_whole {
            let broken = Error::new(ErrorKind::UnexpectedEof, "the archive breaks off");
            let _ = self.sender.blocking_send(Err(broken));
        }
    }
}

impl Write for Sending {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let room = CHUNK.saturating_sub(self.now.len());
        let taken = &bytes[..bytes.len().min(room)];
        self.now.extend_from_slice(taken);
        if self.now.len() >= CHUNK {
            self.flush()?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        if self.now.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::replace(&mut self.now, BytesMut::with_capacity(CHUNK)).freeze();
        self.sender.blocking_send(Ok(chunk)).map_err(|_| ErrorKind::BrokenPipe.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    fn read(
        is_packed: bool,
        documents: Vec<Result<NamedBytes, OperationError>>,
    ) -> (Vec<u8>, bool) {
        let (mut chunks, writing) = write(documents.into_iter(), is_packed).unwrap();
        let (mut bytes, mut is_whole) = (Vec::new(), true);
        while let Some(chunk) = chunks.blocking_recv() {
            match chunk {
                Ok(chunk) => bytes.extend_from_slice(&chunk),
                Err(_) => is_whole = false,
            }
        }
        assert_eq!(writing.0.join().unwrap().is_ok(), is_whole);
        (bytes, is_whole)
    }

    #[test]
    fn what_is_written_is_what_was_given() {
        let long = format!("{}/1.json", "a".repeat(300));
        let documents = [(long, vec![b'x'; 600_000]), ("../.b//c:1".to_owned(), Vec::new())];
        for is_packed in [false, true] {
            let (bytes, is_whole) = read(is_packed, documents.iter().cloned().map(Ok).collect());
            assert!(is_whole);
            let bytes = if is_packed { zstd::decode_all(&*bytes).unwrap() } else { bytes };
            let mut archive = tar::Archive::new(&*bytes);
            let found: Vec<(String, Vec<u8>)> = archive
                .entries()
                .unwrap()
                .map(|file| {
                    let mut file = file.unwrap();
                    let mut bytes = Vec::new();
                    file.read_to_end(&mut bytes).unwrap();
                    (String::from_utf8(file.path_bytes().into_owned()).unwrap(), bytes)
                })
                .collect();
            assert_eq!(found[0], documents[0]);
            assert_eq!(found[1], ("_../_.b/c:1".to_owned(), Vec::new()));
        }
    }

    #[test]
    fn what_cannot_be_read_is_never_whole() {
        let bad = OperationError::Invalid("bad".to_owned());
        assert!(!read(true, vec![Ok(("a".to_owned(), Vec::new())), Err(bad)]).1);
    }
}
