//! Answers of the HTTP server in the log, and how many lines of the log were lost.

use crate::log::{self, Level, Line};
use tradewind_http::{Answered, MetricKind, MetricsPage, RequestLog, Telemetry};

/// See the module.
pub(super) struct Requests;

impl RequestLog for Requests {
    fn answered(&self, answered: &Answered) {
        let level = match answered.status {
            500.. => Level::Error,
            400.. => Level::Warn,
            _ => Level::Info,
        };
        Line::new(level, "http", answered.line())
            .dated()
            .with_all(answered.members())
            .put();
    }
}

impl Telemetry for Requests {
    fn metrics(&self, page: &mut MetricsPage) {
        let name = "tradewind_log_dropped_lines_total";
        page.metric(
            name,
            MetricKind::Counter,
            "Lines of the log that nobody read in time.",
        );
        page.sample(name, &[], log::dropped() as f64);
    }
}
