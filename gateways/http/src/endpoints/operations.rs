//! What watches the process: health, readiness, metrics; and what describes it: the OpenAPI document and its viewer.

use crate::call::{Call, Reply};
use crate::endpoint::{Endpoint, Need, Verb, handle};
use crate::gateway::{Gateway, Phase};
use crate::problem::Problem;
use crate::schema::{Schema, object};
use crate::telemetry::{Check, Health, MetricKind, MetricsPage};
use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use std::sync::Arc;

const GROUP: &str = "operations";
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPEN_METRICS_TYPE: &str = "application/openmetrics-text";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

pub(super) fn endpoints() -> Vec<Endpoint> {
    let new = |path, handle, doc| Endpoint::new(Verb::Get, path, GROUP, Need::Nothing, handle, doc);
    vec![
        new("/health", handle!(health), "Does the process work?").gives(200, health_schema),
        new("/livez", handle!(health), "The same.").gives(200, health_schema),
        new("/healthz", handle!(health), "The same.").gives(200, health_schema),
        new(
            "/startup",
            handle!(startup),
            "Has it read the journal of earlier runs?",
        )
        .gives(200, health_schema),
        new("/ready", handle!(ready), "Does it take requests?").gives(200, health_schema),
        new("/readyz", handle!(ready), "The same.").gives(200, health_schema),
        new(
            "/metrics",
            handle!(metrics),
            "Figures for Prometheus; as OpenMetrics where `Accept` asks for it.",
        )
        .gives_text(METRICS),
        new("/openapi.json", handle!(openapi), "This document.").gives(200, any_object),
        new("/docs", handle!(docs), "A viewer of this document.").gives_text(HTML),
        new("/docs/docs.js", handle!(docs_script), "Its script.")
            .gives_text("text/javascript; charset=utf-8"),
        new("/docs/docs.css", handle!(docs_style), "Its style.").gives_text("text/css; charset=utf-8"),
    ]
}

fn health_schema() -> Schema {
    object(
        "Health.",
        &[
            ("status", "text", "pass, warn or fail."),
            ("version", "text", "Version and commit."),
            ("phase", "text", "STARTING, READY or STOPPING."),
            ("checks", "any", "Each part and how it is."),
        ],
    )
}

fn any_object() -> Schema {
    json!({ "type": "object" })
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Probe {
    Health,
    Startup,
    Ready,
}

fn report(gateway: &Gateway, probe: Probe) -> Result<Reply, Problem> {
    let phase = gateway.phase();
    let checks: Vec<Check> = gateway.telemetry.iter().flat_map(|part| part.checks()).collect();
    let counts = |check: &&Check| probe == Probe::Ready || check.is_vital;
    let mut worst = checks
        .iter()
        .filter(counts)
        .map(|check| check.health)
        .max()
        .unwrap_or(Health::Pass);
    let is_early = match probe {
        Probe::Health => false,
        Probe::Startup => phase == Phase::Starting,
        Probe::Ready => phase != Phase::Ready,
    };
    if is_early {
        worst = Health::Fail;
    }
    let mut map = Map::new();
    for check in &checks {
        let line = json!([{ "status": check.health.text(), "output": check.output }]);
        map.insert(check.name.clone(), line);
    }
    let phase = match phase {
        Phase::Starting => "STARTING",
        Phase::Ready => "READY",
        Phase::Stopping => "STOPPING",
    };
    let reply = Reply::json(&json!({
        "status": worst.text(), "version": gateway.build, "phase": phase, "checks": Value::Object(map),
    }))?;
    Ok(match worst {
        Health::Fail => reply.status(StatusCode::SERVICE_UNAVAILABLE),
        Health::Pass | Health::Warn => reply,
    })
}

async fn health(gateway: Arc<Gateway>, _call: Call) -> Result<Reply, Problem> {
    report(&gateway, Probe::Health)
}

async fn ready(gateway: Arc<Gateway>, _call: Call) -> Result<Reply, Problem> {
    report(&gateway, Probe::Ready)
}

async fn startup(gateway: Arc<Gateway>, _call: Call) -> Result<Reply, Problem> {
    report(&gateway, Probe::Startup)
}

async fn metrics(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let mut page = MetricsPage::default();
    page.metric(
        "tradewind_build_info",
        MetricKind::Gauge,
        "Version and commit of the program.",
    );
    let mut words = gateway.build.split(' ').skip(1); // the program's name
    let (version, git) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    page.sample("tradewind_build_info", &[("version", version), ("git", git)], 1.0);
    for part in &gateway.telemetry {
        part.metrics(&mut page);
    }
    gateway.counters.write(&mut page);
    let accepted = call.header("accept").unwrap_or("");
    Ok(match accepted.contains(OPEN_METRICS_TYPE) {
        true => Reply::text(OPEN_METRICS, page.into_open_metrics()),
        false => Reply::text(METRICS, page.into_text()),
    })
}

async fn openapi(gateway: Arc<Gateway>, _call: Call) -> Result<Reply, Problem> {
    Ok(Reply::text("application/json", gateway.openapi.clone()))
}

async fn docs(_gateway: Arc<Gateway>, _call: Call) -> Result<Reply, Problem> {
    let page = Reply::text(HTML, include_str!("../docs/docs.html").to_owned());
    Ok(page.header("content-security-policy", POLICY))
}

async fn docs_script(_gateway: Arc<Gateway>, _call: Call) -> Result<Reply, Problem> {
    Ok(Reply::text(
        "text/javascript; charset=utf-8",
        include_str!("../docs/docs.js").to_owned(),
    ))
}

async fn docs_style(_gateway: Arc<Gateway>, _call: Call) -> Result<Reply, Problem> {
    Ok(Reply::text(
        "text/css; charset=utf-8",
        include_str!("../docs/docs.css").to_owned(),
    ))
}
