//! What the server itself counts: requests by endpoint and status, their time, connections; and records of the journal.

use crate::endpoint::Endpoint;
use crate::problem::{Problem, ProblemCode};
use crate::telemetry::{MetricKind, MetricsPage};
use bytemuck::Zeroable;
use std::sync::atomic::{AtomicU64, Ordering};
use tradewind_domain::event::{EdgeStats, Event, Kind};
use tradewind_domain::reject::RejectCode;
use tradewind_domain::text::Code;
use tradewind_machine::topology::StageName;

/// Upper bounds of request times, seconds.
const BOUNDS_S: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0];

/// Requests of one endpoint.
#[derive(Default)]
struct OfEndpoint {
    /// By class of status: 2xx, 3xx, 4xx, 5xx.
    by_class: [AtomicU64; 4],
    times: [AtomicU64; BOUNDS_S.len() + 1],
    sum_ns: AtomicU64,
}

/// Counts of the server.
pub(crate) struct Counters {
    names: Vec<(&'static str, &'static str)>,
    endpoints: Vec<OfEndpoint>,
    pub(crate) connections: AtomicU64,
    pub(crate) connections_refused: AtomicU64,
    pub(crate) unauthenticated: AtomicU64,
    pub(crate) malformed: AtomicU64,
    pub(crate) busy: AtomicU64,
    pub(crate) received: AtomicU64,
    pub(crate) passed: AtomicU64,
}

impl Counters {
    pub(crate) fn new(endpoints: &[Endpoint]) -> Self {
        let names = endpoints
            .iter()
            .map(|endpoint| (endpoint.verb.text(), endpoint.path));
        Self {
            names: names.collect(),
            endpoints: endpoints.iter().map(|_| OfEndpoint::default()).collect(),
            connections: AtomicU64::new(0),
            connections_refused: AtomicU64::new(0),
            unauthenticated: AtomicU64::new(0),
            malformed: AtomicU64::new(0),
            busy: AtomicU64::new(0),
            received: AtomicU64::new(0),
            passed: AtomicU64::new(0),
        }
    }

    /// A request of the endpoint with this place in the table was answered.
    pub(crate) fn answered(&self, endpoint: usize, status: u16, took_ns: u64) {
        let Some(counts) = self.endpoints.get(endpoint) else {
            return;
        };
        let class = usize::from(status / 100).clamp(2, 5) - 2;
        counts.by_class[class].fetch_add(1, Ordering::Relaxed);
        let seconds = took_ns as f64 / 1e9;
        let bucket = BOUNDS_S
            .iter()
            .position(|bound| seconds <= *bound)
            .unwrap_or(BOUNDS_S.len());
        counts.times[bucket].fetch_add(1, Ordering::Relaxed);
        counts.sum_ns.fetch_add(took_ns, Ordering::Relaxed);
    }

    /// A request that never came to ingest, by its reason. What the engine refused is in the journal already.
    pub(crate) fn refused_at_edge(&self, problem: &Problem) {
        use ProblemCode::{
            BadCredentials, Busy, KeyRequired, LockedOut, Malformed, NotAcceptable, Stopping, TokenExpired,
            TokenRevoked, TooLarge, TooSlow, Unauthenticated,
        };
        match problem.code() {
            Malformed | KeyRequired | NotAcceptable | TooLarge | TooSlow | ProblemCode::InvalidValue => {
                add(&self.malformed)
            }
            Unauthenticated | BadCredentials | TokenExpired | TokenRevoked | LockedOut => {
                add(&self.unauthenticated)
            }
            Busy | Stopping => add(&self.busy),
            _ => {}
        }
    }

    /// Counts since `last`, which becomes what is counted now; none where nothing was refused.
    pub(crate) fn edge_stats(&self, last: &mut EdgeStats) -> Option<EdgeStats> {
        let now = EdgeStats {
            edge: Code::lossy("http"),
            received: get(&self.received),
            passed: get(&self.passed),
            ring_full: get(&self.busy),
            malformed: get(&self.malformed),
            unauthenticated: get(&self.unauthenticated),
            ..EdgeStats::zeroed()
        };
        let since = EdgeStats {
            received: now.received - last.received,
            passed: now.passed - last.passed,
            ring_full: now.ring_full - last.ring_full,
            malformed: now.malformed - last.malformed,
            unauthenticated: now.unauthenticated - last.unauthenticated,
            ..now
        };
        let is_any = since.ring_full + since.malformed + since.unauthenticated > 0;
        *last = now;
        is_any.then_some(since)
    }

    pub(crate) fn write(&self, page: &mut MetricsPage) {
        page.metric(
            "tradewind_http_requests_total",
            MetricKind::Counter,
            "Requests answered, by endpoint and class of status.",
        );
        for ((verb, path), counts) in self.names.iter().zip(&self.endpoints) {
            for (class, count) in ["2xx", "3xx", "4xx", "5xx"].iter().zip(&counts.by_class) {
                let count = get(count);
                if count > 0 {
                    let labels = [("method", *verb), ("path", *path), ("status", *class)];
                    page.sample("tradewind_http_requests_total", &labels, count as f64);
                }
            }
        }
        page.metric(
            "tradewind_http_request_seconds",
            MetricKind::Histogram,
            "Time from the request's head to its answer.",
        );
        for ((verb, path), counts) in self.names.iter().zip(&self.endpoints) {
            let times: Vec<u64> = counts.times.iter().map(get).collect();
            if times.iter().any(|count| *count > 0) {
                let sum = get(&counts.sum_ns) as f64 / 1e9;
                let labels = [("method", *verb), ("path", *path)];
                page.histogram("tradewind_http_request_seconds", &labels, &BOUNDS_S, &times, sum);
            }
        }
        page.metric(
            "tradewind_http_connections",
            MetricKind::Gauge,
            "Open connections.",
        );
        page.sample("tradewind_http_connections", &[], get(&self.connections) as f64);
        page.metric(
            "tradewind_http_connections_refused_total",
            MetricKind::Counter,
            "Connections closed because too many were open.",
        );
        page.sample(
            "tradewind_http_connections_refused_total",
            &[],
            get(&self.connections_refused) as f64,
        );
    }
}

/// One more.
pub(crate) fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// What became of an execution.
const RESULTS: [&str; 5] = ["booked", "duplicate", "quarantined", "corrected", "busted"];
const BOOKED: usize = 0;
const DUPLICATE: usize = 1;
const QUARANTINED: usize = 2;
const CORRECTED: usize = 3;
const BUSTED: usize = 4;

/// Records of the journal: refusals by code, and executions by what became of them.
pub struct JournalCounts {
    by_code: Vec<AtomicU64>,
    trades: [AtomicU64; RESULTS.len()],
}

impl Default for JournalCounts {
    fn default() -> Self {
        Self {
            by_code: RejectCode::ALL.iter().map(|_| AtomicU64::new(0)).collect(),
            trades: Default::default(),
        }
    }
}

impl JournalCounts {
    /// Takes the next record.
    pub fn observe(&self, event: &Event) {
        if let Some(code) = event.reject_code()
            && let Ok(at) = RejectCode::ALL.binary_search_by_key(&(code as u16), |code| *code as u16)
        {
            add(&self.by_code[at]);
        }
        if let Some(result) = trade_result(event) {
            add(&self.trades[result]);
        }
    }

    /// The codes that were given so far, and how often.
    pub fn rejects(&self) -> impl Iterator<Item = (RejectCode, u64)> + '_ {
        let counts = RejectCode::ALL.iter().zip(&self.by_code);
        counts
            .map(|(code, count)| (*code, get(count)))
            .filter(|(_, count)| *count > 0)
    }

    /// As metrics.
    pub fn write(&self, page: &mut MetricsPage) {
        page.metric(
            "tradewind_rejects_total",
            MetricKind::Counter,
            "Refused events in the journal, by reject code.",
        );
        for (code, count) in self.rejects() {
            page.sample("tradewind_rejects_total", &[("code", code.text())], count as f64);
        }
        page.metric(
            "tradewind_trades_total",
            MetricKind::Counter,
            "Executions in the journal, by the stage that decides and what became of them.",
        );
        for (result, count) in RESULTS.iter().zip(&self.trades) {
            let labels = [("stage", StageName::Limit.text()), ("result", *result)];
            page.sample("tradewind_trades_total", &labels, get(count) as f64);
        }
    }
}

/// What became of an execution, as a place in [`RESULTS`]; none for other records.
fn trade_result(event: &Event) -> Option<usize> {
    let refused = event.reject_code();
    match event.kind()? {
        Kind::VenueFill | Kind::TradeCapture => Some(match refused {
            None => BOOKED,
            Some(RejectCode::DuplicateExecId) => DUPLICATE,
            Some(_) => QUARANTINED,
        }),
        Kind::TradeCorrect | Kind::TradeBust if refused.is_some() => Some(QUARANTINED),
        Kind::TradeCorrect => Some(CORRECTED),
        Kind::TradeBust => Some(BUSTED),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_execution_is_counted_by_what_became_of_it() {
        let counts = JournalCounts::default();
        let see = |kind: Kind, code: Option<RejectCode>| {
            let mut event = Event::empty();
            event.reset(kind);
            if let Some(code) = code {
                event.reject(code);
            }
            counts.observe(&event);
        };
        see(Kind::VenueFill, None);
        see(Kind::TradeCapture, None);
        see(Kind::TradeCapture, Some(RejectCode::DuplicateExecId));
        see(Kind::TradeCapture, Some(RejectCode::UnknownAccount));
        see(Kind::TradeBust, None);
        see(Kind::OrderNew, Some(RejectCode::UnknownAccount));
        let mut page = MetricsPage::default();
        counts.write(&mut page);
        let page = page.into_text();
        for (result, count) in RESULTS.iter().zip([2, 1, 1, 0, 1]) {
            let line = format!("tradewind_trades_total{{stage=\"limit\",result=\"{result}\"}} {count}\n");
            assert!(page.contains(&line), "{page}");
        }
        assert_eq!(counts.rejects().map(|(_, count)| count).sum::<u64>(), 3);
    }
}
