//! An import: documents go out as they are read, so that no export is ever held in memory.

use super::archive::{self, Chunks};
use super::server::Server;
use super::{Client, Form, Refusal, Request, Side, with};
use axum::http::Method;
use bytes::{Bytes, BytesMut};
use plumbline_api::view::ImportView;
use plumbline_governance::ids::{TenantId, UploadId};
use plumbline_governance::run::Run;
use plumbline_operations::{NamedBytes, OperationError};
use serde::Deserialize;

/// The most bytes of one part of an upload, and of an inventory that goes out in one request.
const PART: usize = 4 * 1024 * 1024;
const PLAIN: Form = Form { media: "application/x-tar", packed: None };
const PACKED: Form = Form { media: "application/x-tar", packed: Some("zstd") };
const OCTETS: Form = Form { media: "application/octet-stream", packed: None };

/// What an import came to.
pub(crate) enum Import {
    /// It was taken.
    Taken(Box<ImportView>),
    /// It was not, and its run says why.
    Refused(Box<Run>),
}

impl Client {
    /// Imports documents as the new state of a tenant.
    ///
    /// # Errors
    /// What is wrong with the documents, or what the API says.
    pub(crate) fn import(
        &self,
        tenant: TenantId,
        options: &[(&str, &str)],
        documents: impl Iterator<Item = Result<NamedBytes, OperationError>> + Send + 'static,
    ) -> anyhow::Result<Import> {
        let tenant = self.at(&format!("/tenants/{tenant}"));
        let mut whole =
            Request::new(Method::POST, with(&format!("{tenant}/inventory"), options)).long();
        // Of what it takes as a stream the API keeps no answer.
        whole.once = false;
        let is_packed = matches!(self.wire.side, Side::Server(_));
        let (chunks, writing) = archive::write(documents, is_packed)?;
        let answered = self.wire.runtime.block_on(async {
            let answered = match &self.wire.side {
                Side::Here(here) => here.stream(&whole, chunks, PLAIN).await,
                Side::Server(server) => send(server, &tenant, options, whole, chunks).await,
            };
            // What is wrong with the documents goes before what the API made of their absence.
            writing.end().await?;
            answered
        })?;
        match answered.good().and_then(|answer| answer.read()) {
            Ok(view) => Ok(Import::Taken(Box::new(view))),
            Err(error) => match Refusal::in_error(&error).and_then(|problem| problem.run) {
                Some(run) => {
                    let path = format!("{tenant}/runs/{run}");
                    Ok(Import::Refused(Box::new(self.wire.get(&path)?)))
                }
                None => Err(error),
            },
        }
    }
}

/// Sends an archive to a server: in one request if it is small, in parts otherwise.
async fn send(
    server: &Server,
    tenant: &str,
    options: &[(&str, &str)],
    whole: Request,
    mut chunks: Chunks,
) -> anyhow::Result<super::Answer> {
    let mut now = BytesMut::new();
    let first = match part(&mut chunks, &mut now).await? {
        Part::Last(bytes) => return server.send(&whole.raw(bytes, PACKED)).await,
        Part::More(bytes) => bytes,
    };
    let begin = Request::new(Method::POST, format!("{tenant}/uploads"));
    let upload: Begun = server.send(&begin).await?.good()?.read()?;
    let upload = format!("{tenant}/uploads/{}", upload.id);
    let sent = send_parts(server, &upload, first, &mut chunks, &mut now).await;
    if let Err(error) = sent {
        // It would go by itself in a day; the reason is what matters.
        let _ = server.send(&Request::new(Method::DELETE, upload)).await;
        return Err(error);
    }
    let import = Request::new(Method::POST, with(&format!("{upload}/import"), options)).long();
    server.send(&import.raw(Bytes::new(), PACKED)).await
}

/// What is needed of an upload.
#[derive(Deserialize)]
struct Begun {
    id: UploadId,
}

async fn send_parts(
    server: &Server,
    upload: &str,
    first: Bytes,
    chunks: &mut Chunks,
    now: &mut BytesMut,
) -> anyhow::Result<()> {
    let mut next = Part::More(first);
    for number in 1_u32.. {
        let (Part::More(bytes) | Part::Last(bytes)) = &next;
        let request = Request::new(Method::PUT, format!("{upload}/parts/{number}"));
        server.send(&request.raw(bytes.clone(), OCTETS)).await?.good()?;
        if matches!(next, Part::Last(_)) {
            break;
        }
        next = part(chunks, now).await?;
    }
    Ok(())
}

enum Part {
    More(Bytes),
    Last(Bytes),
}

/// Takes chunks until a part is full.
async fn part(chunks: &mut Chunks, now: &mut BytesMut) -> anyhow::Result<Part> {
    while now.len() <= PART {
        match chunks.recv().await {
            Some(chunk) => now.extend_from_slice(&chunk?),
            None => return Ok(Part::Last(now.split().freeze())),
        }
    }
    Ok(Part::More(now.split_to(PART).freeze()))
}
