//! `Idempotency-Key`: a request that was answered once is answered so again, and not done again.

use crate::Api;
use crate::access::{Caller, Here};
use crate::problem::{BAD_REQUEST, IN_PROGRESS, KEY_REUSED, Problem};
use crate::request::whole;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use plumbline_operations::{KeptAnswer, Once, OnceKey};
use plumbline_policy::digest::Digest;

/// The header.
pub(crate) const HEADER: &str = "idempotency-key";
/// A key has at most so many characters.
const MAX_KEY: usize = 200;
/// A larger answer is not kept; none of the routes gives one.
const MAX_ANSWER: usize = 1024 * 1024;
/// Marks an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Runs after the access check, so that a caller who lost access gets no old answer either.
pub(crate) async fn once(
    State(api): State<Api>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Some(key) = key(request.headers())? else { return Ok(next.run(request).await) };
    let (parts, body) = request.into_parts();
    let bytes = whole(body, api.0.limits.body_bytes).await?;
    let Some(caller) = parts.extensions.get::<Caller>().cloned() else {
        return Ok(next.run(Request::from_parts(parts, Body::from(bytes))).await);
    };
    let workspace = parts.extensions.get::<Here>().map(|here| here.workspace);
    let route = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    let mut asked = format!("{} {}\n", parts.method, parts.uri).into_bytes();
    // Headers that change what is done, each with its end, so that two requests never look alike.
    for name in [header::IF_MATCH, header::CONTENT_TYPE, header::CONTENT_ENCODING] {
        if let Some(value) = parts.headers.get(name) {
            // An empty one is not the same as none.
            asked.push(b'=');
            asked.extend(value.as_bytes());
        }
        asked.push(b'\n');
    }
    let digest = Digest::of(&[&asked[..], &bytes].concat());
    let once_key = OnceKey { workspace, person: &caller.person, route: &route, key: &key };
    let ticket = match api.system().begin_once(&once_key, digest).await? {
        Once::First(ticket) => ticket,
        Once::Done(kept) => return Ok(again(kept)),
        Once::Busy => {
            return Err(IN_PROGRESS
                .because("a request with this Idempotency-Key has not ended yet")
                .after(2));
        }
        Once::Different => {
            return Err(KEY_REUSED.because("this Idempotency-Key came with another request before"));
        }
    };
    let response = next.run(Request::from_parts(parts, Body::from(bytes))).await;
    if !response.status().is_success() {
        // Nothing was done, so the key is free for the next try.
        api.system().forget(ticket).await?;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = whole(body, MAX_ANSWER).await?;
    let header = |name| {
        parts
            .headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
            .map(str::to_owned)
    };
    let kept = KeptAnswer {
        status: parts.status.as_u16(),
        location: header(header::LOCATION),
        etag: header(header::ETAG),
        body: body.to_vec(),
    };
    // The work is done. If this is lost, a repetition finds the key taken and waits for its end.
    if let Err(error) = api.system().keep_answer(ticket, kept).await {
        tracing::warn!("an answer could not be kept for its Idempotency-Key: {error}");
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(HEADER) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    if text.is_empty() || text.len() > MAX_KEY || !is_plain {
        return Err(BAD_REQUEST
            .because(format!("`Idempotency-Key` has 1 to {MAX_KEY} visible ASCII characters")));
    }
    Ok(Some(text.to_owned()))
}

fn again(kept: KeptAnswer) -> Response {
    let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK);
    let is_empty = kept.body.is_empty();
    let mut response = (status, kept.body).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    if !is_empty {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    for (name, value) in [(header::LOCATION, kept.location), (header::ETAG, kept.etag)] {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(name, value);
        }
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
