//! Exports of findings, streamed page by page.

use super::findings::{FindingFilterQuery, FindingView};
use crate::Api;
use crate::access::Here;
use crate::problem::Problem;
use crate::request::query_of;
use crate::table::{Access, Route};
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures::stream;
use plumbline_governance::access::Capability;
use plumbline_governance::ids::WorkspaceId;
use plumbline_operations::{FindingFilter, Position, System};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod csv;
mod json;
mod sarif;

/// Findings of one page of a stream.
const PAGE: usize = 500;

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/workspaces/{workspace}/exports/findings", findings)
            .access(Access::Member(Capability::Read))
            .does("Exports", "Export findings")
            .about(
                "Takes the filters of the list. `csv` defuses cells that a spreadsheet would run; `sarif` is \
                 2.1.0; `json` has one object a line. What breaks off midway is cut off, never ended as if \
                 it were whole.",
            )
            .query::<ExportQuery>()
            .gives_nothing(200, "The findings that the filters hold for.")
            .or_as("text/csv")
            .or_as("application/sarif+json")
            .or_as("application/x-ndjson"),
    ]
}

/// The form of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
enum Form {
    #[default]
    Csv,
    Sarif,
    Json,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct ExportQuery {
    /// The form; `csv` unless said otherwise.
    format: Option<Form>,
    #[schemars(flatten)]
    filter: FindingFilterQuery,
}

#[derive(Deserialize)]
struct OnlyForm {
    #[serde(default)]
    format: Form,
}

/// Writes findings in one form: a head, a part for each page, a tail.
trait Writer: Send {
    fn head(&mut self) -> Vec<u8>;
    fn page(&mut self, findings: &[FindingView]) -> Vec<u8>;
    fn tail(&mut self) -> Vec<u8>;
}

async fn findings(
    State(api): State<Api>,
    here: Here,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = query.unwrap_or_default();
    let (form, rest): (Vec<&str>, Vec<&str>) = query
        .split('&')
        .filter(|part| !part.is_empty())
        .partition(|part| part.starts_with("format="));
    let OnlyForm { format } = query_of(&form.join("&"))?;
    let filter: FindingFilterQuery = query_of(&rest.join("&"))?;
    let filter = filter.of(&here)?;
    let (writer, media, name): (Box<dyn Writer>, _, _) = match format {
        Form::Csv => (Box::new(csv::Csv), "text/csv; charset=utf-8", "findings.csv"),
        Form::Sarif => {
            (Box::new(sarif::Sarif::default()), "application/sarif+json", "findings.sarif")
        }
        Form::Json => (Box::new(json::Json), "application/x-ndjson", "findings.ndjson"),
    };
    // The first page is read before the answer begins, so that what is wrong is told as a problem.
    let mut export = Export {
        system: api.system().clone(),
        workspace: here.workspace,
        filter,
        writer,
        at: At::Begin,
    };
    let first = export.next().await?.unwrap_or_default();
    let rest = stream::try_unfold(export, |mut export| async move {
        match export.next().await {
            Ok(Some(bytes)) => Ok(Some((Bytes::from(bytes), export))),
            Ok(None) => Ok(None),
            Err(problem) => Err(std::io::Error::other(String::from(problem.detail))),
        }
    });
    let all = futures::StreamExt::chain(stream::iter([Ok(Bytes::from(first))]), rest);
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [(header::CONTENT_TYPE, media), (header::CONTENT_DISPOSITION, &disposition)];
    Ok((headers, Body::from_stream(all)).into_response())
}

/// An export on its way.
struct Export {
    system: System,
    workspace: WorkspaceId,
    filter: FindingFilter,
    writer: Box<dyn Writer>,
    at: At,
}

enum At {
    Begin,
    After(Position),
    Tail,
    Over,
}

impl Export {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Problem> {
        let (after, mut out) = match std::mem::replace(&mut self.at, At::Over) {
            At::Begin => (None, self.writer.head()),
            At::After(place) => (Some(place), Vec::new()),
            At::Tail => return Ok(Some(self.writer.tail())),
            At::Over => return Ok(None),
        };
        let page =
            self.system.finding_page(self.workspace, &self.filter, after.as_ref(), PAGE).await?;
        let shown: Vec<FindingView> = page.items.into_iter().map(FindingView::from).collect();
        out.extend(self.writer.page(&shown));
        self.at = page.next.map_or(At::Tail, At::After);
        Ok(Some(out))
    }
}
