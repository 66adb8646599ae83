//! Packs: many payloads in one object, each compressed by itself, so that one can be read alone.

use super::{Written, missing, object_failure, object_key, unpack};
use crate::error::OperationError;
use crate::system::System;
use plumbline_governance::index::Frame;
use plumbline_policy::digest::Digest;
use plumbline_policy::policy::Payload;
use std::collections::BTreeMap;

/// A pack is closed once it passes this many bytes.
const PACK_BYTES: usize = 8 * 1024 * 1024;
/// An index that would name more packs than this is written anew, so that reading stays cheap.
pub(crate) const MAX_PACKS: usize = 24;
/// Parts that lie closer than this are read in one go.
const READ_ACROSS: u64 = 128 * 1024;
/// The most bytes of one read.
const READ_AT_ONCE: u64 = 4 * 1024 * 1024;

/// Compresses bytes; the result says how large they are.
pub(crate) fn compress(bytes: &[u8]) -> Result<Vec<u8>, OperationError> {
    crate::packing::pack_frame(bytes).map_err(|error| OperationError::damaged("a frame", error))
}

/// A frame of a pack that may not be closed yet.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PendingFrame {
    /// It stood in an earlier pack.
    Kept(Frame),
    /// It is in a pack of this writer, by number.
    New { pack: usize, offset: u64, length: u32, payload: Digest },
}

/// Gathers payloads into packs and stores each pack as soon as it is full.
pub(crate) struct PackWriter {
    folder: String,
    open: Vec<u8>,
    closed: Vec<Digest>,
    written: Written,
}

impl PackWriter {
    pub(crate) fn new(folder: String) -> Self {
        Self { folder, open: Vec::new(), closed: Vec::new(), written: Written::default() }
    }

    /// Adds a payload that is compressed already.
    pub(crate) async fn add(
        &mut self,
        system: &System,
        payload: Digest,
        compressed: &[u8],
    ) -> Result<PendingFrame, OperationError> {
        if !self.open.is_empty() && self.open.len() + compressed.len() > PACK_BYTES {
            self.close(system).await?;
        }
        let offset = self.open.len() as u64;
        let length = u32::try_from(compressed.len())
            .map_err(|_| OperationError::Invalid("a payload has over 4 GB".to_owned()))?;
        self.open.extend_from_slice(compressed);
        Ok(PendingFrame::New { pack: self.closed.len(), offset, length, payload })
    }

    async fn close(&mut self, system: &System) -> Result<(), OperationError> {
        if !self.open.is_empty() {
            let bytes = std::mem::take(&mut self.open);
            let digest = system.store(&self.folder, bytes, &mut self.written).await?;
            self.closed.push(digest);
        }
        Ok(())
    }

    /// Stores the last pack. Frames can be told where they stand from now on.
    pub(crate) async fn finish(mut self, system: &System) -> Result<ClosedPacks, OperationError> {
        self.close(system).await?;
        Ok(ClosedPacks { packs: self.closed, written: self.written })
    }
}

/// The packs of a writer that has finished.
pub(crate) struct ClosedPacks {
    packs: Vec<Digest>,
    pub(crate) written: Written,
}

impl ClosedPacks {
    /// Where a frame stands.
    pub(crate) fn frame(&self, pending: PendingFrame) -> Option<Frame> {
        match pending {
            PendingFrame::Kept(frame) => Some(frame),
            PendingFrame::New { pack, offset, length, payload } => {
                Some(Frame { pack: *self.packs.get(pack)?, offset, length, payload })
            }
        }
    }
}

impl System {
    /// Reads the bytes of frames, each checked against its digest, in the order asked for. Frames that
    /// lie close together are read in one go.
    pub(crate) async fn frames(
        &self,
        folder: &str,
        frames: &[Frame],
    ) -> Result<Vec<Vec<u8>>, OperationError> {
        let mut by_pack: BTreeMap<Digest, Vec<Frame>> = BTreeMap::new();
        for frame in frames {
            by_pack.entry(frame.pack).or_default().push(*frame);
        }
        let mut found: BTreeMap<Frame, Vec<u8>> = BTreeMap::new();
        for (pack, mut wanted) in by_pack {
            wanted.sort_unstable();
            wanted.dedup();
            let key = object_key(folder, pack)?;
            let mut rest = wanted.as_slice();
            while let Some(first) = rest.first() {
                let (start, mut end) = (first.offset, end_of(first));
                let mut together = 1;
                while let Some(next) = rest.get(together)
                    && next.offset <= end.saturating_add(READ_ACROSS)
                    && end_of(next) - start <= READ_AT_ONCE
                {
                    end = end.max(end_of(next));
                    together += 1;
                }
                let bytes = self
                    .ports
                    .objects
                    .get_range(&key, start, end - start)
                    .await
                    .map_err(object_failure)?
                    .ok_or_else(|| missing("pack", &key))?;
                for frame in &rest[..together] {
                    let plain = cut(&bytes, start, frame)
                        .ok_or_else(|| OperationError::damaged("a frame", "it ends too early"))
                        .and_then(|part| unpack(format!("a frame of the pack {key}"), part))
                        .and_then(|plain| {
                            if Digest::of(&plain) == frame.payload {
                                Ok(plain)
                            } else {
                                Err(OperationError::damaged("a frame", "its digest is another"))
                            }
                        })
                        .map_err(|error| {
                            object_failure(plumbline_ports::PortError::corrupt(
                                format!("the pack {key}"),
                                error,
                            ))
                        })?;
                    found.insert(*frame, plain);
                }
                rest = &rest[together..];
            }
        }
        Ok(frames.iter().map(|frame| found.get(frame).cloned().unwrap_or_default()).collect())
    }

    /// Reads payloads.
    pub(crate) async fn payloads(
        &self,
        folder: &str,
        frames: &[Frame],
    ) -> Result<Vec<Payload<'static>>, OperationError> {
        self.frames(folder, frames)
            .await?
            .iter()
            .map(|bytes| {
                Payload::from_stored(bytes)
                    .map_err(|error| OperationError::damaged("a stored payload", error))
            })
            .collect()
    }
}

fn end_of(frame: &Frame) -> u64 {
    frame.offset.saturating_add(u64::from(frame.length))
}

fn cut<'b>(bytes: &'b [u8], start: u64, frame: &Frame) -> Option<&'b [u8]> {
    let from = usize::try_from(frame.offset.checked_sub(start)?).ok()?;
    bytes.get(from..)?.get(..frame.length as usize)
}
