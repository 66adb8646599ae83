//! The body of an import: chunks from the network, unpacked and split into documents as they come.
//!
//! An import reads documents from a thread that may block; the network is read by a task that may not.
//! Between them stands a short queue, so that neither runs ahead of the other.

mod archive;

use crate::Limits;
use crate::problem::{Problem, UNSUPPORTED};
use axum::body::{Body, HttpBody as _};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use plumbline_operations::{NamedBytes, OperationError, System, Upload, Values};
use std::io::{BufReader, Error, ErrorKind, Read};
use tokio::sync::mpsc;

/// What a body holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    /// JSON values one after another.
    Values,
    /// A tar archive of files; their folders tell types where nothing else does.
    Archive,
}

impl Media {
    /// Reads a media type.
    pub(crate) fn read(word: &str) -> Option<Self> {
        let word = word.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match word.as_str() {
            "application/json" | "application/x-ndjson" | "application/jsonl" => Some(Self::Values),
            "application/x-tar" => Some(Self::Archive),
            _ => None,
        }
    }
}

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

impl Packing {
    /// Reads the word of `Content-Encoding`.
    pub(crate) fn read(word: &str) -> Option<Self> {
        match word.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Some(Self::Plain),
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// What is known of a body before it is read.
pub(crate) struct Incoming {
    media: Media,
    packing: Packing,
    most: u64,
    most_unpacked: u64,
}

/// How many chunks may wait.
const WAITING: usize = 16;

impl Incoming {
    /// Looks at the headers.
    pub(crate) fn new(headers: &HeaderMap, limits: &Limits) -> Result<Self, Problem> {
        let header = |name| {
            headers.get(name).and_then(|value: &axum::http::HeaderValue| value.to_str().ok())
        };
        let media = Media::read(header(CONTENT_TYPE).unwrap_or_default()).ok_or_else(|| {
            UNSUPPORTED
                .because(
                    "an inventory is application/x-ndjson, application/json or application/x-tar",
                )
                .next("Send it with `Content-Type: application/x-ndjson`.")
        })?;
        let packing = Packing::read(header(CONTENT_ENCODING).unwrap_or_default())
            .ok_or_else(|| UNSUPPORTED.because("the body is packed in a way that is not taken"))?;
        Ok(Self { media, packing, most: limits.upload_bytes, most_unpacked: limits.unpacked_bytes })
    }

    /// Begins to receive. The documents come on a thread that may wait for them.
    pub(crate) fn receive(self, body: Body) -> impl FnOnce() -> Documents + Send + 'static {
        let (sender, receiver) = mpsc::channel(WAITING);
        let most = self.most;
        tokio::spawn(async move {
            let mut body = body;
            let mut count = 0_u64;
            if body.size_hint().lower() > most {
                let _ = sender.send(Err(too_large(most))).await;
                return;
            }
            while let Some(frame) = body.frame().await {
                let chunk = match frame {
                    Ok(frame) => match frame.into_data() {
                        Ok(data) => data,
                        Err(_) => continue,
                    },
                    Err(error) => {
                        let error = Error::new(ErrorKind::UnexpectedEof, error.to_string());
                        let _ = sender.send(Err(error)).await;
                        return;
                    }
                };
                count = count.saturating_add(chunk.len() as u64);
                let sent = if count > most { Err(too_large(most)) } else { Ok(chunk) };
                let is_over = sent.is_err();
                // Nobody listens any more when the import ended early.
                if sender.send(sent).await.is_err() || is_over {
                    return;
                }
            }
        });
        let chunks = Chunks { receiver, now: Bytes::new() };
        move || documents(chunks, self.media, self.packing, self.most_unpacked)
    }
}

/// The parts of an upload as one body. They are read one at a time, as they are asked for.
pub(crate) fn parts(
    system: System,
    upload: Upload,
    numbers: Vec<u32>,
    (media, packing): (Media, Packing),
    most_unpacked: u64,
) -> impl FnOnce() -> Documents + Send + 'static {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        for number in numbers {
            let part = system.part_bytes(&upload, number).await;
            let part = part.map(Bytes::from).map_err(|error| Error::other(error.to_string()));
            let is_over = part.is_err();
            if sender.send(part).await.is_err() || is_over {
                return;
            }
        }
    });
    move || documents(Chunks { receiver, now: Bytes::new() }, media, packing, most_unpacked)
}

fn too_large(most: u64) -> Error {
    Error::new(
        ErrorKind::FileTooLarge,
        format!("the inventory has more than {most} bytes; send it through an upload, or packed"),
    )
}

/// The documents of a body.
pub(crate) type Documents = Box<dyn Iterator<Item = Result<NamedBytes, OperationError>> + Send>;

/// Splits what a reader gives, unpacked, into documents.
pub(crate) fn documents(
    source: impl Read + Send + 'static,
    media: Media,
    packing: Packing,
    most_unpacked: u64,
) -> Documents {
    let unpacked: Box<dyn Read + Send> = match packing {
        Packing::Plain => Box::new(source),
        Packing::Gzip => Box::new(flate2::read::MultiGzDecoder::new(source)),
        Packing::Zstd => match zstd::stream::read::Decoder::new(source) {
            Ok(decoder) => Box::new(decoder),
            Err(error) => Box::new(Broken(Some(error))),
        },
    };
    let bounded = Bounded { source: unpacked, left: most_unpacked, most: most_unpacked };
    match media {
        Media::Values => values(bounded),
        Media::Archive => archive::documents(bounded),
    }
}

fn values(source: impl Read + Send + 'static) -> Documents {
    let mut values = Values::new(BufReader::with_capacity(256 * 1024, source));
    let mut over = false;
    Box::new(std::iter::from_fn(move || {
        if over {
            return None;
        }
        match values.next() {
            Ok(Some(value)) => Some(Ok((format!("inventory:{}", value.place), value.bytes))),
            Ok(None) => None,
            Err(error) => {
                over = true;
                Some(Err(OperationError::Invalid(format!("the inventory, {error}"))))
            }
        }
    }))
}

/// The chunks of a body as one reader.
struct Chunks {
    receiver: mpsc::Receiver<Result<Bytes, Error>>,
    now: Bytes,
}

impl Read for Chunks {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        while self.now.is_empty() {
            match self.receiver.blocking_recv() {
                Some(Ok(chunk)) => self.now = chunk,
                Some(Err(error)) => return Err(error),
                None => return Ok(0),
            }
        }
        let count = out.len().min(self.now.len());
        let taken = self.now.split_to(count);
        if let Some(out) = out.get_mut(..count) {
            out.copy_from_slice(&taken);
        }
        Ok(count)
    }
}

/// A reader that ends in an error before it gives more than it may: a small body can unpack to a huge one.
struct Bounded<R> {
    source: R,
    left: u64,
    most: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = self.source.read(out)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            Error::new(
                ErrorKind::FileTooLarge,
                format!("the inventory unpacks to more than {} bytes", self.most),
            )
        })?;
        Ok(count)
    }
}

/// A reader that could not begin.
struct Broken(Option<Error>);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(self.0.take().unwrap_or_else(|| Error::other("the body cannot be unpacked")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn read(
        bytes: Vec<u8>,
        packing: Packing,
        most: u64,
    ) -> Vec<Result<NamedBytes, OperationError>> {
        documents(std::io::Cursor::new(bytes), Media::Values, packing, most).collect()
    }

    #[test]
    fn packed_bodies_are_unpacked() {
        let plain = b"{\"a\":1}\n{\"b\":2}\n".to_vec();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&plain).unwrap();
        let zstd = zstd::encode_all(plain.as_slice(), 1).unwrap();
        let wanted = read(plain, Packing::Plain, 100);
        assert_eq!(wanted.len(), 2);
        assert_eq!(read(gzip.finish().unwrap(), Packing::Gzip, 100), wanted);
        assert_eq!(read(zstd, Packing::Zstd, 100), wanted);
    }

    #[test]
    fn a_bomb_stops_at_its_limit() {
        let huge = vec![b' '; 10_000_000];
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&huge).unwrap();
        for (bytes, packing) in [
            (gzip.finish().unwrap(), Packing::Gzip),
            (zstd::encode_all(huge.as_slice(), 1).unwrap(), Packing::Zstd),
        ] {
            assert!(bytes.len() < 20_000);
            let got = read(bytes, packing, 1_000_000);
            let error = got.last().unwrap().as_ref().unwrap_err().to_string();
            assert!(error.contains("unpacks to more than 1000000 bytes"), "{error}");
        }
    }

    #[test]
    fn what_is_not_packed_as_said_is_an_error() {
        for packing in [Packing::Gzip, Packing::Zstd] {
            let got = read(b"{\"a\":1}".to_vec(), packing, 100);
            assert!(got.last().unwrap().is_err(), "{packing:?}");
        }
    }
}
