//! What only the running engine knows: how its stages do, and how its parts are.

use serde::Serialize;
use std::collections::VecDeque;
use std::sync::Arc;
use tradewind_alerts::IncidentRow;
use tradewind_domain::text::Code;
use tradewind_domain::time::{NANOS_PER_SEC, UnixNanos};
use tradewind_machine::latency::SpanCounts;
use tradewind_views::live::Live;
use tradewind_views::query::current::Decimal;

/// Looks that percentiles reach back.
const LOOKS_MAX: usize = 10;

/// Whoever knows. Asked once a second, by a thread that holds nobody up; the answers come at once.
pub trait Figures: Send + Sync + 'static {
    /// The stages in the order of the pipeline over the last seconds, and the pipeline as a whole: as [`StageWindow`] says them.
    fn stages(&self) -> Vec<StageRow>;
    /// Checks of the engine's parts.
    fn checks(&self) -> Vec<Check>;
    /// Incidents that are open or were resolved not long ago; the same list again until there is a newer one.
    fn incidents(&self) -> Option<Arc<Vec<IncidentRow>>>;
}

/// A stage since the start of the run.
#[derive(Clone, Debug)]
pub struct StageFigure {
    /// Its name.
    pub stage: &'static str,
    /// Events, effects included.
    pub events: u64,
    /// Batches.
    pub batches: u64,
    /// Cycles without work; 0 where the stage is not the first one of its thread.
    pub idle_cycles: u64,
    /// Cycles that waited for room.
    pub full_waits: u64,
    /// Nanoseconds an event, of sampled batches.
    pub spans: SpanCounts,
}

impl StageFigure {
    /// The pipeline as a whole, beside its stages: from ingest to the release of the record.
    pub fn pipeline(live: &Live, stages: &[StageFigure]) -> Self {
        let spans = live.look(|held| held.spans());
        Self {
            stage: "pipeline",
            events: stages.last().map_or_else(|| spans.count(), |stage| stage.events),
            batches: 0,
            idle_cycles: 0,
            full_waits: stages.iter().map(|stage| stage.full_waits).sum(),
            spans,
        }
    }
}

/// How a part of the engine is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// `PART:FIGURE`.
    pub name: Code,
    /// Whether it is well.
    pub status: Status,
    /// The figure.
    pub value: Option<Decimal>,
    /// Its unit.
    pub unit: &'static str,
    /// For people.
    pub text: String,
    /// When it was looked at.
    pub updated: UnixNanos,
}

/// Whether a part is well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// It is.
    Pass,
    /// Somebody should look at it.
    Warn,
    /// It is not.
    Fail,
}

impl Status {
    /// The word on the wire.
    pub const fn text(self) -> &'static str {
        match self {
            Status::Pass => "PASS",
            Status::Warn => "WARN",
            Status::Fail => "FAIL",
        }
    }
}

impl Check {
    /// A check with a whole number.
    pub fn new(name: &str, status: Status, value: u64, unit: &'static str, text: impl Into<String>) -> Self {
        Self {
            name: Code::lossy(name),
            status,
            value: Some(Decimal(i128::from(value) * 100_000_000)),
            unit,
            text: text.into(),
            updated: 0,
        }
    }
}

/// A stage over the last seconds. Percentiles are nanoseconds an event, none where nothing was sampled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StageRow {
    /// Its name; `pipeline` for the way from ingest to release.
    pub stage: &'static str,
    /// Events since the start of the run, effects included.
    pub events: u64,
    /// Events a second, over the last second.
    pub events_per_s: u64,
    /// Half of them took no longer.
    pub p50_ns: Option<u64>,
    /// 90 of 100.
    pub p90_ns: Option<u64>,
    /// 99 of 100.
    pub p99_ns: Option<u64>,
    /// 999 of 1,000.
    pub p999_ns: Option<u64>,
    /// The longest.
    pub max_ns: Option<u64>,
    /// Cycles that waited for room, since the start of the run.
    pub full_waits: u64,
    /// Share of cycles without work over the last second; none for a stage that is not the first one of its thread.
    pub idle_pct: Option<u64>,
}

/// Figures of the last ten looks. With a look a second the rows are those of the last seconds.
#[derive(Default)]
pub struct StageWindow(VecDeque<(UnixNanos, Vec<StageFigure>)>);

impl StageWindow {
    /// Takes the figures of a moment and says what the time since the looks before was like.
    pub fn look(&mut self, now_ns: UnixNanos, figures: Vec<StageFigure>) -> Vec<StageRow> {
        let same = |held: &[StageFigure]| {
            held.len() == figures.len() && held.iter().zip(&figures).all(|(a, b)| a.stage == b.stage)
        };
        if self.0.back().is_some_and(|(_, held)| !same(held)) {
            self.0.clear();
        }
        let oldest = self.0.front().map(|(_, held)| held.as_slice());
        let last = self.0.back();
        let row = |(at, now): (usize, &StageFigure)| {
            let spans = match oldest {
                Some(oldest) => now.spans.since(&oldest[at].spans),
                None => now.spans.clone(),
            };
            let before = last.map(|(ns, held)| (*ns, &held[at]));
            StageRow {
                stage: now.stage,
                events: now.events,
                events_per_s: before.map_or(0, |(ns, before)| {
                    per_second(
                        now.events.saturating_sub(before.events),
                        now_ns.saturating_sub(ns),
                    )
                }),
                p50_ns: spans.permille(500),
                p90_ns: spans.permille(900),
                p99_ns: spans.permille(990),
                p999_ns: spans.permille(999),
                max_ns: spans.permille(1_000),
                full_waits: now.full_waits,
                idle_pct: before.and_then(|(_, before)| idle_pct(now, before)),
            }
        };
        let rows = figures.iter().enumerate().map(row).collect();
        self.0.push_back((now_ns, figures));
        if self.0.len() > LOOKS_MAX {
            self.0.pop_front();
        }
        rows
    }
}

fn per_second(count: u64, ns: u64) -> u64 {
    let per_second = u128::from(count) * u128::from(NANOS_PER_SEC) / u128::from(ns.max(1));
    u64::try_from(per_second).unwrap_or(u64::MAX)
}

/// Share of cycles without work since `before`; none for a stage that is not the first one of its thread.
fn idle_pct(now: &StageFigure, before: &StageFigure) -> Option<u64> {
    let idle = now.idle_cycles.saturating_sub(before.idle_cycles);
    let busy = now.batches.saturating_sub(before.batches);
    (now.idle_cycles > 0).then(|| idle.saturating_mul(100) / (idle.saturating_add(busy)).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_machine::latency::Spans;

    #[test]
    fn rates_and_percentiles_are_of_the_last_seconds() {
        let spans = Spans::default();
        let mut window = StageWindow::default();
        let mut look = |second: u64, events: u64, ns: u64, spans: &Spans| {
            spans.record(ns);
            let figure = StageFigure {
                stage: "limit",
                events,
                batches: events,
                idle_cycles: events * 3,
                full_waits: 0,
                spans: spans.counts(),
            };
            window.look(second * NANOS_PER_SEC, vec![figure]).remove(0)
        };
        assert_eq!(look(1, 100, 5_000, &spans).events_per_s, 0);
        let row = look(3, 300, 7, &spans);
        assert_eq!((row.events, row.events_per_s, row.idle_pct), (300, 100, Some(75)));
        assert_eq!(row.max_ns, Some(7), "what was before the first look is not in it");
        for second in 4..20 {
            look(second, 300, 3, &spans);
        }
        assert_eq!(look(20, 300, 3, &spans).max_ns, Some(3));
    }
}
