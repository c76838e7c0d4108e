//! The rules that every installation has (ANALYTICS section 9, LIMITS section 4), with the thresholds of the settings.

use crate::escalation::Timings;
use crate::fact::{Metric, Unit};
use crate::rule::{Clear, Comparator, Rule, Step};
use crate::severity::Severity;
use crate::watch::WatchSettings;
use tradewind_config::AlertsKeys;
use tradewind_domain::time::NANOS_PER_SEC;

const MILLI: u64 = 1_000_000;
const MINUTE: u64 = 60 * NANOS_PER_SEC;
/// Nanoseconds for which emergency limits are valid (LIMITS section 7).
const EMERGENCY_NS: u64 = 3_600 * NANOS_PER_SEC;
/// Refusals of one limit within a minute that are worse than one (LIMITS section 4).
const REJECTS_OF_ONE_LIMIT: i64 = 3;
/// Days after which a break of reconciliation is a warning, an error and critical, as unsettled fails are (SETTLEMENT section 3).
const RECON_DAYS: [i64; 3] = [1, 3, 5];
/// Fill of a table that is told, in percent (LIMITS section 14).
const TABLE_ALERT_PCT: u32 = 90;
/// Nanoseconds behind its mark from which a figure of equity is late (the pause between two figures of a node apart).
const EQUITY_LATE_NS: u64 = 100 * MILLI;
/// How far the database may be behind the journal.
const STORE_LAG_NS: u64 = 10_000 * MILLI;
/// Nanoseconds for which the pipeline's p99 must be above its budget.
const P99_FOR_NS: u64 = 10 * NANOS_PER_SEC;

/// Everything that the manager's outcome depends on beside the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertSettings {
    /// Rules, in the order that numbers their keys.
    pub rules: Vec<Rule>,
    /// Escalation and reopening.
    pub timings: Timings,
    /// What becomes due without a record.
    pub watch: WatchSettings,
}

impl AlertSettings {
    /// The standard rules with the thresholds of `[alerts]`.
    pub fn new(keys: &AlertsKeys) -> Self {
        let watch = WatchSettings {
            feed_silent_ns: u64::from(keys.feed_silent_ms) * MILLI,
            instrument_silent_ns: u64::from(keys.instrument_silent_ms) * MILLI,
            reject_rate_orders: u64::from(keys.reject_rate_orders),
            quarantine_ns: u64::from(keys.quarantine_minutes) * MINUTE,
        };
        let timings = Timings {
            level_2_ns: u64::from(keys.level_2_minutes) * MINUTE,
            level_3_ns: u64::from(keys.level_3_minutes) * MINUTE,
            renotify_ns: u64::from(keys.renotify_minutes) * MINUTE,
            reopen_ns: u64::from(keys.reopen_minutes) * MINUTE,
        };
        let mut rules = rules(keys, &watch);
        for rule in &mut rules {
            rule.clear_for_ns = u64::from(keys.clear_for_ms) * MILLI;
            if matches!(rule.metric.unit(), Unit::BasisPoints | Unit::Nanos) && rule.clear == DEFAULT_CLEAR {
                rule.clear = Clear::Percent(keys.clear_pct as u8);
            }
        }
        Self {
            rules,
            timings,
            watch,
        }
    }
}

const DEFAULT_CLEAR: Clear = Clear::Percent(crate::rule::CLEAR_PERCENT);

/// Hundredths of a percent.
fn percent(value: u32) -> i64 {
    i64::from(value) * 100
}

fn above(metric: Metric, threshold: i64, severity: Severity) -> Rule {
    Rule {
        comparator: Comparator::Above,
        ..Rule::new(metric, vec![Step::at(threshold, severity)])
    }
}

fn nanos(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn rules(keys: &AlertsKeys, watch: &WatchSettings) -> Vec<Rule> {
    let mut rules = of_limits(keys);
    rules.extend(of_executions());
    rules.extend(of_market(keys, watch));
    rules.extend(of_engine(keys));
    rules
}

fn of_limits(keys: &AlertsKeys) -> Vec<Rule> {
    use Severity::{Critical, Error, Warning};
    vec![
        Rule::new(
            Metric::LimitUsage,
            vec![
                Step::at(percent(keys.usage_warning_pct), Warning),
                Step::at(percent(keys.usage_error_pct), Error),
            ],
        ),
        Rule::new(
            Metric::LimitReject,
            vec![Step::at(1, Warning), Step::at(REJECTS_OF_ONE_LIMIT, Error)],
        ),
        Rule::new(
            Metric::LimitBreach,
            vec![Step::at(1, Warning), Step::at(REJECTS_OF_ONE_LIMIT, Error)],
        ),
        // REDUCE_ONLY and CANCEL_ONLY, and KILL.
        Rule::new(
            Metric::ControlState,
            vec![Step::at(1, Error), Step::at(3, Critical)],
        ),
        Rule::each(Metric::Flatten, Critical),
        Rule::each(Metric::BusinessRule, Warning),
        above(Metric::RejectRate, percent(keys.reject_rate_pct), Warning),
        Rule::new(
            Metric::EntitlementsDown,
            vec![Step::at(1, Error), Step::at(1, Critical).held_for(EMERGENCY_NS)],
        ),
    ]
}

fn of_executions() -> Vec<Rule> {
    use Severity::{Critical, Error, Warning};
    vec![
        Rule::each(Metric::FillWithoutOrder, Critical),
        Rule::each(Metric::LateFill, Critical),
        Rule::each(Metric::Overfill, Critical),
        Rule::each(Metric::Overdraft, Critical),
        Rule::new(
            Metric::SettlementFail,
            vec![Step::at(1, Warning), Step::at(3, Error), Step::at(5, Critical)],
        ),
        Rule::each(Metric::Quarantined, Warning),
        Rule::new(Metric::QuarantineOverdue, vec![Step::at(1, Error)]),
        // What it is says how bad it is at first; age makes it worse.
        Rule::new(
            Metric::ReconBreak,
            RECON_DAYS
                .into_iter()
                .zip([Warning, Error, Critical])
                .map(|(days, severity)| Step::at(days, severity))
                .collect(),
        ),
    ]
}

fn of_market(keys: &AlertsKeys, watch: &WatchSettings) -> Vec<Rule> {
    let silent = |metric, limit_ns| above(metric, nanos(limit_ns), Severity::Error);
    vec![
        silent(Metric::FeedSilent, watch.feed_silent_ns),
        Rule {
            steps: vec![Step::at(nanos(watch.instrument_silent_ns), Severity::Warning)],
            ..silent(Metric::InstrumentSilent, watch.instrument_silent_ns)
        },
        above(
            Metric::StaleReferences,
            percent(keys.stale_references_pct),
            Severity::Warning,
        ),
    ]
}

fn of_engine(keys: &AlertsKeys) -> Vec<Rule> {
    use Severity::{Critical, Error, Info, Warning};
    let p99 = nanos(u64::from(keys.p99_budget_us) * 1_000);
    vec![
        Rule::each(Metric::Capacity, Error),
        Rule::each(Metric::JournalSpace, Critical),
        Rule::each(Metric::EdgeRingFull, Warning),
        Rule::each(Metric::EdgeMalformed, Warning),
        Rule::each(Metric::EdgeUnauthenticated, Warning),
        Rule::each(Metric::EngineStarted, Info),
        Rule::each(Metric::EngineStopped, Info),
        Rule::each(Metric::EngineFailed, Error),
        above(
            Metric::JournalLag,
            nanos(u64::from(keys.journal_lag_ms) * MILLI),
            Critical,
        ),
        Rule {
            comparator: Comparator::Above,
            ..Rule::new(
                Metric::PipelineP99,
                vec![Step::at(p99, Warning).held_for(P99_FOR_NS)],
            )
        },
        above(Metric::QueueFill, percent(keys.queue_fill_pct), Error),
        Rule::new(
            Metric::TableFill,
            vec![
                Step::at(percent(TABLE_ALERT_PCT), Warning),
                Step::at(percent(100), Error),
            ],
        ),
        above(Metric::StoreLag, nanos(STORE_LAG_NS), Error),
        Rule::new(Metric::StoreStopped, vec![Step::at(1, Critical)]),
        Rule::each(Metric::DeadLetter, Info),
        Rule::new(Metric::AuditDifference, vec![Step::at(1, Critical)]),
        Rule::new(Metric::EquityFrozen, vec![Step::at(1, Error)]),
        above(Metric::EquityLate, nanos(EQUITY_LATE_NS), Warning),
    ]
}
