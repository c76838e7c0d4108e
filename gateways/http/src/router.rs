//! From a request to its endpoint: who asks, how often he may, how long it may take; and the answer's headers and its line in the log.
//!
//! # Invariants
//! - Every answer, also of a path that does not exist, carries `X-Request-Id`; every refusal is a problem document.
//! - Rights are looked up for each request: a token says who somebody is and never what he may do.
//! - An answer with data of somebody is not kept by anybody on the way (`Cache-Control: no-store`).

use crate::call::{Asker, Call, Correlation, Reply};
use crate::conditions;
use crate::counters::add;
use crate::endpoint::{Endpoint, Need, Verb};
use crate::gateway::{Gateway, Phase};
use crate::log::{self, Answered, Served};
use crate::problem::{Problem, ProblemCode};
use crate::rate::{Left, Rates, Turn, Who};
use crate::server::Peer;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, State};
use axum::http::{HeaderMap, HeaderValue, Method, Request, header};
use axum::response::Response;
use axum::routing::{MethodRouter, delete, get, post, put};
use http_body_util::BodyExt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// How long a body may take to arrive.
const BODY_MAX: Duration = Duration::from_secs(20);
/// How API keys may be sent beside `Authorization: Bearer`.
const KEY_HEADER: &str = "x-api-key";

/// What the router must know beside the gateway.
pub(crate) struct Routing {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) endpoints: &'static [Endpoint],
    /// Bytes of a body at most.
    pub(crate) body_max: usize,
    /// Origins whose pages may ask; `*` for all.
    pub(crate) origins: Vec<String>,
}

/// All routes of the table. What `others` has (the dashboard, the WebSocket) is reached where the table has nothing.
pub(crate) fn router(routing: Routing, others: Router) -> Router {
    let routing = Arc::new(routing);
    let mut router = Router::new();
    for (at, endpoint) in routing.endpoints.iter().enumerate() {
        router = router.route(endpoint.path, served(at, endpoint.verb, Arc::clone(&routing)));
    }
    let api = Arc::clone(&routing);
    let missing = move |request: Request<Body>| {
        let routing = Arc::clone(&api);
        async move { not_found(&routing, &request) }
    };
    let missing_any = missing.clone();
    router
        .route("/api", axum::routing::any(missing.clone()))
        .route("/api/{*rest}", axum::routing::any(missing))
        .method_not_allowed_fallback({
            let routing = Arc::clone(&routing);
            move |request: Request<Body>| {
                let routing = Arc::clone(&routing);
                async move { other_method(&routing, &request) }
            }
        })
        .merge(others)
        .fallback(missing_any)
        .layer(axum::middleware::from_fn_with_state(routing, around))
}

fn served(at: usize, verb: Verb, routing: Arc<Routing>) -> MethodRouter {
    let serve = move |path: Result<RawPathParams, RawPathParamsRejection>, request: Request<Body>| {
        let routing = Arc::clone(&routing);
        async move {
            match path {
                Ok(path) => serve(&routing, at, &path, request).await,
                Err(_) => refuse(
                    &routing,
                    &request,
                    &Problem::malformed("", "the path is no UTF-8"),
                ),
            }
        }
    };
    match verb {
        Verb::Get => get(serve),
        Verb::Post => post(serve),
        Verb::Put => put(serve),
        Verb::Delete => delete(serve),
    }
}

/// What every request passes: CORS, and headers of every answer.
async fn around(
    State(routing): State<Arc<Routing>>,
    mut request: Request<Body>,
    next: axum::middleware::Next,
) -> Response {
    let gateway = &routing.gateway;
    let origin = request.headers().get(header::ORIGIN).cloned();
    let allowed = origin.filter(|origin| {
        routing
            .origins
            .iter()
            .any(|known| known == "*" || known.as_bytes() == origin.as_bytes())
    });
    let correlation = Correlation::of(request.headers(), || gateway.next_request_id());
    let began = gateway.clock.raw();
    let asked = log::Request {
        method: request.method().clone(),
        path: request.uri().path().to_owned(),
        request_id: correlation.request_id.clone(),
        trace_id: correlation.trace_id.clone(),
    };
    let is_preflight = request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let is_api = request.uri().path().starts_with("/api/");
    let mut response = if is_preflight {
        preflight(allowed.is_some())
    } else {
        request.extensions_mut().insert(correlation);
        next.run(request).await
    };
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&asked.request_id) {
        headers.insert("x-request-id", id);
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if is_api {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if let Some(origin) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        let exposed = "ETag, Link, Location, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id, Idempotency-Replayed";
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(exposed),
        );
    }
    let took_ns = gateway.clock.span_ns(began, gateway.clock.raw());
    tell(gateway, Answered::of(asked, &response, took_ns));
    response
}

fn tell(gateway: &Gateway, answered: Answered) {
    if gateway.logs_all || answered.is_fault() {
        gateway.log.answered(&answered);
    }
}

fn preflight(is_allowed: bool) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = axum::http::StatusCode::NO_CONTENT;
    if is_allowed {
        let headers = response.headers_mut();
        let methods = HeaderValue::from_static("GET, POST, PUT, DELETE");
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        let names = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Api-Key, X-Request-Id, Traceparent";
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static(names),
        );
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
    response
}

/// One request of the table.
async fn serve(routing: &Routing, at: usize, path: &RawPathParams, request: Request<Body>) -> Response {
    let gateway = &routing.gateway;
    let began = gateway.clock.raw();
    let endpoint = &routing.endpoints[at];
    let (head, body) = request.into_parts();
    let address = head.extensions.get::<Peer>().map(|peer| peer.0.ip());
    let correlation = head.extensions.get::<Correlation>().cloned();
    let correlation =
        correlation.unwrap_or_else(|| Correlation::of(&head.headers, || gateway.next_request_id()));
    add(&gateway.counters.received);
    let (mut user, mut left) = (None, None);
    let answered = async {
        if !endpoint.path.starts_with("/api/") {
            // What watches the process is answered in every phase and as often as it asks.
        } else if gateway.phase() == Phase::Starting {
            return Err(Problem::new(
                ProblemCode::Starting,
                "the journal of earlier runs is being read",
            ));
        }
        let asker = asker(gateway, endpoint, &head.headers, address, &mut left).await?;
        user = asker.as_ref().map(|asker| asker.caller.user.0);
        let body = collect(body, routing.body_max).await?;
        let call = Call {
            asker,
            target: format!("{} {}", head.method, head.uri.path()),
            path: path
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            query: head.uri.query().map(str::to_owned),
            headers: head.headers.clone(),
            body,
            correlation: correlation.clone(),
        };
        match endpoint.verb {
            Verb::Get => {
                let reply = (endpoint.handle)(Arc::clone(gateway), call).await?;
                conditions::read(&head.headers, reply)
            }
            Verb::Post | Verb::Put | Verb::Delete => change(gateway, routing.endpoints, endpoint, call).await,
        }
    };
    let mut response = match answered.await {
        Ok(reply) => {
            add(&gateway.counters.passed);
            match endpoint.verb {
                Verb::Get => reply.respond(&head.headers),
                Verb::Post | Verb::Put | Verb::Delete => reply.untagged(),
            }
        }
        Err(problem) => {
            gateway.counters.refused_at_edge(&problem);
            problem.respond(
                head.uri.path(),
                &correlation.request_id,
                correlation.trace_id.as_deref(),
            )
        }
    };
    let took_ns = gateway.clock.span_ns(began, gateway.clock.raw());
    gateway.counters.answered(at, response.status().as_u16(), took_ns);
    for (name, text) in left.into_iter().flat_map(Left::headers) {
        if let Ok(text) = HeaderValue::from_str(&text) {
            response.headers_mut().insert(name, text);
        }
    }
    response.extensions_mut().insert(Served {
        route: Some(endpoint.path),
        user,
    });
    response
}

/// Makes a change, also where who asked for it has hung up: until it is made nobody else has its key or its turn.
async fn change(
    gateway: &Arc<Gateway>,
    table: &'static [Endpoint],
    endpoint: &'static Endpoint,
    call: Call,
) -> Result<Reply, Problem> {
    let gateway = Arc::clone(gateway);
    let made = tokio::spawn(async move {
        let _turn = conditions::hold(&gateway, table, endpoint, &call).await?;
        (endpoint.handle)(Arc::clone(&gateway), call).await
    });
    made.await
        .map_err(|error| Problem::new(ProblemCode::Internal, "the request was given up").caused_by(&error))?
}

/// Who asks, where the endpoint wants to know: authenticated, within his rate, with the right that the endpoint needs. `left` says what is
/// left of his rate.
async fn asker(
    gateway: &Gateway,
    endpoint: &Endpoint,
    headers: &HeaderMap,
    address: Option<IpAddr>,
    left: &mut Option<Left>,
) -> Result<Option<Asker>, Problem> {
    if endpoint.need == Need::Nothing {
        if endpoint.path.starts_with("/api/")
            && let Some(address) = address
        {
            allow(&gateway.logins, Who::Address(address), gateway.now_ns(), left)?;
        }
        return Ok(None);
    }
    let bearer = bearer(headers).ok_or_else(Problem::no_token)?;
    let caller = match gateway.identity.authenticate(bearer, gateway.now_ns()).await {
        Ok(caller) => caller,
        Err(error) => {
            if let Some(address) = address {
                allow(&gateway.logins, Who::Address(address), gateway.now_ns(), left)?;
            }
            return Err(error.into());
        }
    };
    allow(&gateway.rates, Who::User(caller.user), gateway.now_ns(), left)?;
    let rights = gateway.access().book().rights(caller.user);
    let asker = Asker { caller, rights };
    gateway.permit(Some(&asker), endpoint.need)?;
    Ok(Some(asker))
}

fn allow(rates: &Rates, who: Who, now_ns: u64, left: &mut Option<Left>) -> Result<(), Problem> {
    match rates.take(who, now_ns) {
        Turn::Now(is_left) => {
            *left = is_left;
            Ok(())
        }
        Turn::After(seconds, is_left) => {
            *left = Some(is_left);
            Err(Problem::new(ProblemCode::RateLimited, "more requests than are allowed").retry_after(seconds))
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    if let Some(key) = headers.get(KEY_HEADER) {
        return key.to_str().ok();
    }
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// The whole body, within its bounds of size and time.
async fn collect(body: Body, body_max: usize) -> Result<Bytes, Problem> {
    let limited = http_body_util::Limited::new(body, body_max);
    let collected = tokio::time::timeout(BODY_MAX, limited.collect())
        .await
        .map_err(|_| Problem::new(ProblemCode::TooSlow, "the body did not arrive in time"))?;
    match collected {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(Problem::new(
            ProblemCode::TooLarge,
            format!("a body has at most {body_max} bytes"),
        )),
        Err(_) => Err(Problem::malformed("", "the body ended early")),
    }
}

fn not_found(routing: &Routing, request: &Request<Body>) -> Response {
    refuse(
        routing,
        request,
        &Problem::new(ProblemCode::NotFound, "there is nothing at this path"),
    )
}

fn other_method(routing: &Routing, request: &Request<Body>) -> Response {
    let detail = format!("this path does not take {}", request.method());
    refuse(
        routing,
        request,
        &Problem::new(ProblemCode::MethodNotAllowed, detail),
    )
}

fn refuse(routing: &Routing, request: &Request<Body>, problem: &Problem) -> Response {
    let correlation = request.extensions().get::<Correlation>().cloned();
    let correlation = correlation
        .unwrap_or_else(|| Correlation::of(request.headers(), || routing.gateway.next_request_id()));
    problem.respond(
        request.uri().path(),
        &correlation.request_id,
        correlation.trace_id.as_deref(),
    )
}
