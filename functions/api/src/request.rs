//! What a handler takes from a request, checked before it begins.

use crate::Api;
use crate::access::no;
use crate::cursor::List;
use crate::problem::{BAD_REQUEST, Problem, STALE, TOO_LARGE, UNSUPPORTED};
use crate::shape::misplaced_list;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header::{CONTENT_TYPE, IF_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use plumbline_operations::{Page, Person, Position};
use plumbline_policy::digest::Digest;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::str::FromStr;

/// Deeper JSON is no request.
const MAX_DEPTH: usize = 64;
/// How many items a page has unless the caller says otherwise, and the most it may have.
const LIMIT: usize = 50;
const MAX_LIMIT: usize = 200;

/// The ids of the path. One that is not well formed belongs to nothing.
pub(crate) struct At<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Api> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, api).await {
            Ok(Path(at)) => Ok(Self(at)),
            Err(_) => Err(no("thing of that id")),
        }
    }
}

/// The query. A parameter that the route does not know is an error: it would be a filter that does not
/// filter.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<Api> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        Ok(Self(query(&parts.uri)?))
    }
}

/// Reads the parts of a query that are left when others were taken out.
pub(crate) fn query_of<T: DeserializeOwned>(query_text: &str) -> Result<T, Problem> {
    let uri = Uri::from_str(&format!("/?{query_text}"))
        .map_err(|_| BAD_REQUEST.because("the query cannot be read"))?;
    query(&uri)
}

fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    axum::extract::Query::<T>::try_from_uri(uri).map(|axum::extract::Query(asked)| asked).map_err(
        |error| {
            let reason = error.to_string();
            let reason =
                reason.strip_prefix("Failed to deserialize query string: ").unwrap_or(&reason);
            BAD_REQUEST.because(format!("the query cannot be taken: {}", told(&reason)))
        },
    )
}

/// A JSON body of a known shape; small, shallow, without members that the route does not know.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned + JsonSchema + 'static> FromRequest<Api> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let media = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media = media.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !media.eq_ignore_ascii_case("application/json") {
            return Err(UNSUPPORTED.because(if media.is_empty() {
                "the request does not say of what type its body is".to_owned()
            } else {
                "the body is not said to be application/json".to_owned()
            }));
        }
        let bytes = whole(body, api.0.limits.body_bytes).await?;
        if deeper_than(&bytes, MAX_DEPTH) {
            return Err(BAD_REQUEST.because(format!("the body is nested deeper than {MAX_DEPTH}")));
        }
        let bad = |reason: &dyn std::fmt::Display| {
            BAD_REQUEST.because(format!("the body cannot be taken: {}", told(reason)))
        };
        let body: T = serde_json::from_slice(&bytes).map_err(|error| bad(&error))?;
        // Read a second time, because a tree of values no longer shows a member that stands twice, which the
        // first reading refuses.
        let value: Value = serde_json::from_slice(&bytes).map_err(|error| bad(&error))?;
        match misplaced_list::<T>(&value) {
            None => Ok(Self(body)),
            Some(place) if place.is_empty() => Err(bad(&"it is a list, and an object is meant")),
            Some(place) => Err(bad(&format!("`{place}` is a list, and an object is meant"))),
        }
    }
}

/// What a parser says, without the values that it read: one may be a secret in the wrong place, and
/// problems are kept in places that are no place for secrets.
fn told(reason: &dyn std::fmt::Display) -> String {
    let mut text = reason.to_string();
    for (begin, end) in [
        ("unknown variant `", "`, expected"),
        // An id, a time of day, a zone.
        ("`", "` is no"),
        // Any text, of the parser of JSON and of that of times.
        ("\"", "\""),
        ("character `", "`, expected"),
        ("integer `", "`, expected"),
        ("floating point `", "`, expected"),
    ] {
        let from = text.find(begin).map(|at| at + begin.len());
        let to = text.rfind(end);
        if let (Some(from), Some(to)) = (from, to)
            && from <= to
        {
            text.replace_range(from..to, "…");
        }
    }
    text
}

/// Reads a body of limited size.
pub(crate) async fn whole(body: axum::body::Body, most: usize) -> Result<bytes::Bytes, Problem> {
    match Limited::new(body, most).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(TOO_LARGE.because(format!("the body has more than {most} bytes")))
        }
        Err(_) => Err(BAD_REQUEST.because("the body broke off")),
    }
}

/// Whether brackets outside of texts nest deeper.
fn deeper_than(bytes: &[u8], most: usize) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match (in_text, escaped, byte) {
            (true, true, _) => escaped = false,
            (true, false, b'\\') => escaped = true,
            (_, false, b'"') => in_text = !in_text,
            (false, _, b'[' | b'{') => depth += 1,
            (false, _, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > most {
            return true;
        }
    }
    false
}

/// `If-Match`: the revision that a change was made for.
pub(crate) struct Expect(pub(crate) Option<u64>);

impl FromRequestParts<Api> for Expect {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        expected(&parts.headers).map(Self)
    }
}

fn expected(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    // Any text that is none of our tags is one that does not match.
    text.strip_prefix("\"r")
        .and_then(|rest| rest.strip_suffix('"'))
        .and_then(|digits| digits.parse().ok())
        .map(Some)
        .ok_or_else(|| STALE.because("`If-Match` names no revision of this"))
}

/// One id or word, or several with commas between: `status=new,reopened`.
#[derive(Clone, Debug)]
pub(crate) struct Several<T>(pub(crate) Vec<T>);

impl<T> Default for Several<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Several<T> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        use serde::de::IntoDeserializer as _;
        let text = String::deserialize(source)?;
        text.split(',')
            .map(|word| {
                let word: serde::de::value::StrDeserializer<'_, D::Error> =
                    word.trim().into_deserializer();
                T::deserialize(word)
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl<T: Serialize> Serialize for Several<T> {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(out)
    }
}

impl<T: JsonSchema> JsonSchema for Several<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Several{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        // `style: form, explode: false`: a list whose words stand in one text with commas.
        let items = generator.subschema_for::<T>();
        schemars::json_schema!({ "type": "array", "items": items, "minItems": 1 })
    }
}

/// Reads a text of the query into an id or another thing that is written as text.
pub(crate) fn text<'de, T: FromStr, D: Deserializer<'de>>(source: D) -> Result<Option<T>, D::Error>
where
    T::Err: std::fmt::Display,
{
    let text = String::deserialize(source)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

/// Where a list goes on, and how many items a page has; part of every list's query.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Paging {
    /// The most items of the page, 1 to 200; 50 unless said otherwise.
    #[serde(default)]
    #[schemars(with = "Option<u16>", range(min = 1, max = 200))]
    pub(crate) limit: Option<String>,
    /// Where the last page ended: its `next_cursor`.
    #[serde(default)]
    #[schemars(length(min = 1, max = 4096), regex(pattern = r"^[A-Za-z0-9_-]+$"))]
    pub(crate) cursor: Option<String>,
}

/// The query of a list: a filter, a limit and a cursor that is bound to the filter.
pub(crate) struct Listing<F> {
    pub(crate) filter: F,
    pub(crate) limit: usize,
    /// Where the list goes on.
    pub(crate) after: Option<Position>,
    bound: Bound,
    api: Api,
}

/// What the cursors of this list are bound to.
struct Bound {
    person: Person,
    path: String,
    filter: Digest,
}

impl Bound {
    fn list(&self) -> List<'_> {
        List {
            caller: (&self.person.issuer, &self.person.subject),
            path: &self.path,
            filter: self.filter,
        }
    }
}

impl<F: DeserializeOwned + Serialize> FromRequestParts<Api> for Listing<F> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let (paging, rest) = split(parts.uri.query().unwrap_or_default());
        let filter: F = query_of(&rest)?;
        let limit = match paging.limit.as_deref() {
            None => LIMIT,
            Some(text) => {
                text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit)).ok_or_else(
                    || BAD_REQUEST.because(format!("`limit` is a number from 1 to {MAX_LIMIT}")),
                )?
            }
        };
        let caller = parts.extensions.get::<crate::access::Caller>().ok_or_else(|| no("list"))?;
        let words = serde_json::to_vec(&filter).unwrap_or_default();
        let bound = Bound {
            person: caller.person.clone(),
            path: parts.uri.path().to_owned(),
            filter: Digest::of(&words),
        };
        let after = match &paging.cursor {
            None => None,
            Some(text) => Some(api.0.cursors.read(&bound.list(), text)?),
        };
        Ok(Self { filter, limit, after, bound, api: api.clone() })
    }
}

/// Takes what pages out of a query.
fn split(query: &str) -> (Paging, String) {
    let (mut paging, mut rest) = (Paging::default(), Vec::new());
    for part in query.split('&').filter(|part| !part.is_empty()) {
        match part.split_once('=') {
            Some(("limit", value)) => paging.limit = Some(value.to_owned()),
            Some(("cursor", value)) => paging.cursor = Some(value.to_owned()),
            _ => rest.push(part),
        }
    }
    (paging, rest.join("&"))
}

/// A page of a list.
#[derive(Debug, Deserialize, JsonSchema, Serialize)]
#[schemars(rename = "PageOf{T}")]
pub struct PageOf<T> {
    /// What is on the page; it may be empty and still have more behind it.
    pub items: Vec<T>,
    /// What `cursor` is to be for the next page; null after the last one.
    pub next_cursor: Option<String>,
}

impl<F> Listing<F> {
    /// Writes a page.
    pub(crate) fn page<T, U>(
        &self,
        page: Page<T>,
        show: impl Fn(T) -> U,
    ) -> Result<PageOf<U>, Problem> {
        let next_cursor = match page.next {
            None => None,
            Some(at) => Some(self.api.0.cursors.write(&self.bound.list(), at)?),
        };
        Ok(PageOf { items: page.items.into_iter().map(show).collect(), next_cursor })
    }

    /// Where the page begins.
    pub(crate) fn after(&self) -> Option<&Position> {
        self.after.as_ref()
    }
}

/// A list without a filter.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoFilter {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_counted_outside_of_texts() {
        assert!(!deeper_than(br#"{"a":"[[[[[[","b":[1]}"#, 2));
        assert!(!deeper_than(br#"["\"[[["]"#, 1));
        assert!(deeper_than(b"[[[1]]]", 2));
        assert!(deeper_than("[".repeat(10_000).as_bytes(), 64));
    }

    #[test]
    fn a_parsers_words_hold_no_value() {
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum Word {
            One,
        }
        for text in ["\"hush `\\\"hush\"", "5791", "5791.5", "true"] {
            let variant = serde_json::from_str::<Word>(text).unwrap_err();
            let number = serde_json::from_str::<Option<()>>(text).unwrap_err();
            for error in [variant, number] {
                let told = told(&error);
                assert!(!told.contains("hush") && !told.contains("5791"), "{told}");
            }
        }
        let error = serde_json::from_str::<Word>("\"two\"").unwrap_err();
        assert_eq!(told(&error), "unknown variant `…`, expected `one` at line 1 column 5");
        assert!(matches!(serde_json::from_str("\"one\""), Ok(Word::One)));
    }

    #[test]
    fn revisions_are_read_from_if_match() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(IF_MATCH, text.parse().unwrap());
            expected(&headers)
        };
        assert_eq!(expected(&HeaderMap::new()).unwrap(), None);
        assert_eq!(of("*").unwrap(), None);
        assert_eq!(of("\"r12\"").unwrap(), Some(12));
        for foreign in ["\"12\"", "W/\"r12\"", "r12", ""] {
            assert_eq!(of(foreign).unwrap_err().word(), "stale", "{foreign}");
        }
    }
}
