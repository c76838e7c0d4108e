//! Who must know by now: the level of escalation as a pure function of an incident's times (ANALYTICS section 9).
//!
//! # Invariants
//! - A level is reached at its instant, inclusive. An acknowledgement or a resolution at the same instant wins.
//! - A level that was reached is never taken back.
//!
//! Not here: what was sent, and the clock. Times come from the journal.

use crate::severity::Severity;
use tradewind_domain::time::{NANOS_PER_SEC, UnixNanos};

/// When levels are reached, counted from the start of an incident's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timings {
    /// Nanoseconds until level 2: desk head, risk on-call.
    pub level_2_ns: u64,
    /// Nanoseconds until level 3: head of risk, operations.
    pub level_3_ns: u64,
    /// Nanoseconds after an acknowledgement until level 1 is reminded of an incident that is not resolved, again and again.
    pub renotify_ns: u64,
    /// Nanoseconds after a resolution within which the same key opens the same incident again.
    pub reopen_ns: u64,
}

impl Default for Timings {
    /// 15 minutes, 30 minutes, 4 hours, 10 minutes.
    fn default() -> Self {
        Self {
            level_2_ns: 900 * NANOS_PER_SEC,
            level_3_ns: 1_800 * NANOS_PER_SEC,
            renotify_ns: 4 * 3_600 * NANOS_PER_SEC,
            reopen_ns: 600 * NANOS_PER_SEC,
        }
    }
}

impl Timings {
    /// When a level is reached by a clock that started at `clock_ns`; never for a level that there is not.
    pub const fn due_ns(&self, level: u8, clock_ns: UnixNanos) -> UnixNanos {
        match level {
            0 | 1 => clock_ns,
            2 => clock_ns.saturating_add(self.level_2_ns),
            3 => clock_ns.saturating_add(self.level_3_ns),
            _ => UnixNanos::MAX,
        }
    }
}

/// The level that an incident has reached at `at_ns`: 0 before its clock started, else 1 to 3. `stopped_ns` is its
/// acknowledgement or resolution, whichever came first.
pub fn level(
    severity: Severity,
    clock_ns: UnixNanos,
    stopped_ns: Option<UnixNanos>,
    at_ns: UnixNanos,
    timings: &Timings,
) -> u8 {
    if at_ns < clock_ns {
        return 0;
    }
    let reached = |level: &u8| {
        let due_ns = timings.due_ns(*level, clock_ns);
        due_ns <= at_ns && stopped_ns.is_none_or(|stopped_ns| due_ns < stopped_ns)
    };
    (2..=severity.level_max()).rfind(reached).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEC: u64 = NANOS_PER_SEC;
    /// 10:00:00 of some day.
    const TEN: u64 = 1_772_445_600 * SEC;

    fn at(severity: Severity, stopped_s: Option<u64>, times_ms: &[u64]) -> Vec<u8> {
        let stopped_ns = stopped_s.map(|seconds| TEN + seconds * SEC);
        let times = times_ms.iter().map(|ms| TEN + ms * 1_000_000);
        times
            .map(|at_ns| level(severity, TEN, stopped_ns, at_ns, &Timings::default()))
            .collect()
    }

    #[test]
    fn a_warning_reaches_level_two_after_a_quarter_of_an_hour_and_stays_there() {
        assert_eq!(
            at(Severity::Warning, None, &[0, 899_999, 900_000, 1_800_000]),
            [1, 1, 2, 2]
        );
    }

    #[test]
    fn an_acknowledgement_at_twenty_past_spares_level_three() {
        assert_eq!(
            at(Severity::Critical, Some(1_200), &[900_000, 1_800_000, 90_000_000]),
            [2, 2, 2]
        );
    }

    #[test]
    fn an_acknowledgement_at_the_same_instant_wins() {
        for (stopped_s, levels) in [(900, [1, 1]), (901, [2, 2]), (1_800, [2, 2]), (1_801, [2, 3])] {
            assert_eq!(
                at(Severity::Error, Some(stopped_s), &[900_000, 1_800_000]),
                levels,
                "{stopped_s}"
            );
        }
    }

    #[test]
    fn info_never_escalates_and_nothing_is_reached_before_the_start() {
        assert_eq!(at(Severity::Info, None, &[0, 900_000, 99_000_000]), [1, 1, 1]);
        assert_eq!(
            level(Severity::Critical, TEN, None, TEN - 1, &Timings::default()),
            0
        );
    }

    #[test]
    fn times_at_the_end_of_time_overflow_nothing() {
        assert_eq!(
            level(
                Severity::Critical,
                u64::MAX - 1,
                None,
                u64::MAX,
                &Timings::default()
            ),
            3
        );
    }

    /// Topic `escalation` of the shared vectors: levels at instants, an acknowledgement or none.
    #[test]
    fn levels_agree_with_the_shared_vectors() {
        let above = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
        let found = above
            .map(|folder| folder.join("shared/vectors/analytics.json"))
            .find(|path| path.is_file());
        let Some(path) = found else {
            eprintln!(
                "skipped: no shared/vectors/analytics.json above {}",
                env!("CARGO_MANIFEST_DIR")
            );
            return;
        };
        let file: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let nanos = |value: &serde_json::Value| (value.as_f64().unwrap() * 1e3).round() as u64 * 1_000_000;
        let mut cases = 0;
        for case in file["cases"].as_array().unwrap() {
            if case["topic"] != "escalation" {
                continue;
            }
            cases += 1;
            let input = &case["input"];
            let severity = Severity::from_text(input["severity"].as_str().unwrap()).unwrap();
            let stopped_ns = (!input["acknowledged_s"].is_null()).then(|| nanos(&input["acknowledged_s"]));
            let levels: Vec<u8> = input["query_s"]
                .as_array()
                .unwrap()
                .iter()
                .map(|at| {
                    level(
                        severity,
                        nanos(&input["opened_s"]),
                        stopped_ns,
                        nanos(at),
                        &Timings::default(),
                    )
                })
                .collect();
            assert_eq!(
                serde_json::json!({ "levels": levels }),
                case["expect"],
                "{}",
                case["id"]
            );
        }
        assert!(cases > 0);
    }
}
