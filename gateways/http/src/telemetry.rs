//! Figures and checks of other parts, for `/metrics` and `/health`.
//!
//! Invariant: whoever is asked reads what is there already (atomics, a snapshot); nothing on the way of an event is touched.

use std::fmt::Write;

/// A part that can be asked how it is.
pub trait Telemetry: Send + Sync {
    /// Its figures.
    fn metrics(&self, page: &mut MetricsPage);
    /// Whether it works.
    fn checks(&self) -> Vec<Check> {
        Vec::new()
    }
}

/// How a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// It works.
    Pass,
    /// It works, and somebody should look.
    Warn,
    /// It does not work.
    Fail,
}

impl Health {
    /// For answers.
    pub const fn text(self) -> &'static str {
        match self {
            Health::Pass => "pass",
            Health::Warn => "warn",
            Health::Fail => "fail",
        }
    }
}

/// A finding about a part.
#[derive(Clone, Debug)]
pub struct Check {
    /// The part, as `component:measurement`.
    pub name: String,
    /// How it is.
    pub health: Health,
    /// In words, where it does not pass.
    pub output: String,
    /// True where the process is of no use without it: it fails `/health`, not only `/ready`.
    pub is_vital: bool,
}

/// Kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only rises.
    Counter,
    /// Goes both ways.
    Gauge,
    /// Counts in buckets.
    Histogram,
}

/// A page in the Prometheus text format.
#[derive(Default)]
pub struct MetricsPage {
    text: String,
}

impl MetricsPage {
    /// Begins a metric. Its samples follow.
    pub fn metric(&mut self, name: &str, kind: MetricKind, help: &str) {
        let kind = match kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram => "histogram",
        };
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}"); // a String takes everything
    }

    /// A sample with labels. Values of labels must be names of ours: no quotes, no accounts.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.text.push_str(name);
        for (at, (label, text)) in labels.iter().enumerate() {
            let open = if at == 0 { '{' } else { ',' };
            let text = text
                .replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('\n', "\\n");
            let _ = write!(self.text, "{open}{label}=\"{text}\"");
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {value}");
    }

    /// A histogram: counts of values up to each bound (not yet summed up), the count above all, and the sum.
    pub fn histogram(
        &mut self,
        name: &str,
        labels: &[(&str, &str)],
        bounds: &[f64],
        counts: &[u64],
        sum: f64,
    ) {
        let mut total = 0;
        for (at, count) in counts.iter().enumerate() {
            total += count;
            let bound = bounds.get(at).map_or_else(|| "+Inf".to_owned(), f64::to_string);
            let with_bound = [labels, &[("le", &bound)]].concat();
            self.sample(&format!("{name}_bucket"), &with_bound, total as f64);
        }
        self.sample(&format!("{name}_sum"), labels, sum);
        self.sample(&format!("{name}_count"), labels, total as f64);
    }

    /// The page.
    pub fn into_text(self) -> String {
        self.text
    }

    /// The page in the OpenMetrics format: a counter's name is without the `_total` of its samples, and the page says that it ends.
    pub fn into_open_metrics(self) -> String {
        let mut text = String::with_capacity(self.text.len());
        for line in self.text.lines() {
            let words: Vec<&str> = line.splitn(4, ' ').collect();
            let _ = match words.as_slice() {
                ["#", word, name, rest] => {
                    let name = name.strip_suffix("_total").unwrap_or(name);
                    writeln!(text, "# {word} {name} {rest}")
                }
                _ => writeln!(text, "{line}"),
            };
        }
        text.push_str("# EOF\n");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_metrics_names_counters_without_total_and_says_that_it_ends() {
        let mut page = MetricsPage::default();
        page.metric(
            "tradewind_x_total",
            MetricKind::Counter,
            "So many in _total of it.",
        );
        page.sample("tradewind_x_total", &[], 3.0);
        page.metric("tradewind_y", MetricKind::Gauge, "What.");
        assert_eq!(
            page.into_open_metrics(),
            "# HELP tradewind_x So many in _total of it.\n# TYPE tradewind_x counter\ntradewind_x_total 3\n\
             # HELP tradewind_y What.\n# TYPE tradewind_y gauge\n# EOF\n"
        );
    }

    #[test]
    fn a_page_is_what_prometheus_reads() {
        let mut page = MetricsPage::default();
        page.metric("tradewind_x_total", MetricKind::Counter, "What.");
        page.sample(
            "tradewind_x_total",
            &[("stage", "limit"), ("result", "a\"b")],
            3.0,
        );
        page.metric("tradewind_y_seconds", MetricKind::Histogram, "When.");
        page.histogram("tradewind_y_seconds", &[], &[0.001, 0.1], &[2, 1, 4], 1.5);
        assert_eq!(
            page.into_text(),
            "# HELP tradewind_x_total What.\n# TYPE tradewind_x_total counter\ntradewind_x_total{stage=\"limit\",result=\"a\\\"b\"} 3\n\
             # HELP tradewind_y_seconds When.\n# TYPE tradewind_y_seconds histogram\ntradewind_y_seconds_bucket{le=\"0.001\"} 2\n\
             tradewind_y_seconds_bucket{le=\"0.1\"} 3\ntradewind_y_seconds_bucket{le=\"+Inf\"} 7\ntradewind_y_seconds_sum 1.5\n\
             tradewind_y_seconds_count 7\n"
        );
    }
}
