//! The API behind API Gateway: an event is a request, and an answer goes back whole.

use crate::access::Origin;
use crate::problem::TOO_LARGE;
use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use lambda_http::http::Uri;
use lambda_http::request::{LambdaRequest, RequestContext};
use lambda_http::{Adapter, Error, LambdaEvent, Request, Service, service_fn};
use serde::Serialize;
use tower::ServiceExt as _;

pub use lambda_http::{Context, LambdaEvent as Event};

/// The most bytes of an answer: Lambda lets 6 MiB through, and text grows by what must be escaped in it,
/// anything else by a third.
const MOST: usize = 4 * 1024 * 1024;

/// The service over a router. Besides events of API Gateway (payload version 2.0) it takes nothing.
pub fn service(
    router: Router,
) -> impl Service<
    LambdaEvent<LambdaRequest>,
    Response = impl Serialize + Send + 'static,
    Error = Error,
    Future: Send,
> + Clone
+ Send
+ 'static {
    Adapter::from(service_fn(move |request: Request| {
        let asked = asked(request);
        let router = router.clone();
        async move { whole(router.oneshot(asked).await?).await }
    }))
}

/// The request as the router takes it: without the stage that the path may begin with, and with the
/// address of the caller, which the gateway knows.
fn asked(request: Request) -> axum::extract::Request {
    let (mut parts, body) = request.into_parts();
    if let Some(RequestContext::ApiGatewayV2(context)) =
        parts.extensions.get::<RequestContext>().cloned()
    {
        let stage = context.stage.filter(|stage| stage != "$default");
        if let Some(uri) = stage.and_then(|stage| without(&parts.uri, &stage)) {
            parts.uri = uri;
        }
        if let Some(address) = context.http.source_ip {
            parts.extensions.insert(Origin(address));
        }
    }
    axum::extract::Request::from_parts(parts, Body::new(body))
}

/// The path and the query behind the stage.
fn without(uri: &Uri, stage: &str) -> Option<Uri> {
    let asked = uri.path_and_query()?.as_str();
    let behind = asked.strip_prefix('/')?.strip_prefix(stage)?;
    behind.starts_with('/').then(|| behind.parse().ok()).flatten()
}

/// The answer with all of its body. One that breaks off midway is an error, and one that the gateway would
/// not let through says so.
async fn whole(response: Response) -> Result<lambda_http::Response<Full<Bytes>>, Error> {
    let (parts, body) = response.into_parts();
    match Limited::new(body, MOST).collect().await {
        Ok(body) => Ok(lambda_http::Response::from_parts(parts, Full::new(body.to_bytes()))),
        Err(error) if error.is::<LengthLimitError>() => {
            let problem =
                TOO_LARGE.because("the answer is larger than the gateway lets through").next(
                    "Ask for less at once: use the filters of the route, or the pages of the list.",
                );
            let (parts, body) = problem.into_response().into_parts();
            let body = body.collect().await?.to_bytes();
            Ok(lambda_http::Response::from_parts(parts, Full::new(body)))
        }
        Err(error) => Err(error),
    }
}
