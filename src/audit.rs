//! The shadow auditor beside a running engine: a thread that counts everything once more from the journal, and raises CRITICAL on the first
//! difference.
//!
//! It keeps two further sets of tables in memory, reads what is released, and holds nothing up. One that fails leaves the engine alone: the
//! status line says so. What it found stands in `tradewind journal verify` as well.

use crate::engine::Engine;
use anyhow::Context;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use tradewind_alerts::{Figure, Figures, Metric};
use tradewind_config::Settings;
use tradewind_domain::time::UnixNanos;
use tradewind_machine::clock::Clock;
use tradewind_machine::idle::{Idle, IdleStrategy};
use tradewind_views::{Check, Shadow, ViewError};

/// Records between two looks at the time.
const BATCH_MAX: usize = 4_096;
/// Nanoseconds of a millisecond.
const MILLI: u64 = 1_000_000;

/// The thread.
pub struct AuditService {
    thread: JoinHandle<Result<(), ViewError>>,
    stop: Arc<AtomicBool>,
    found: Arc<OnceLock<String>>,
}

impl AuditService {
    /// Starts it, where the settings ask for it.
    pub fn start(
        settings: &Settings,
        engine: &Engine,
        clock: &Clock,
        alerts: Option<Figures>,
    ) -> anyhow::Result<Option<Self>> {
        if !settings.audit.shadow {
            return Ok(None);
        }
        let (stop, found) = (Arc::new(AtomicBool::new(false)), Arc::new(OnceLock::new()));
        let worker = Worker {
            data_dir: engine.data_dir().to_path_buf(),
            clock: clock.clone(),
            every_ns: u64::from(settings.audit.interval_ms) * MILLI,
            alerts,
            stop: Arc::clone(&stop),
            found: Arc::clone(&found),
        };
        let thread = std::thread::Builder::new()
            .name("tw-audit".into())
            .spawn(move || worker.run())?;
        Ok(Some(Self { thread, stop, found }))
    }

    /// What the status line says of it; nothing where all is well.
    pub fn line(&self) -> String {
        if self.found.get().is_some() {
            return ", THE AUDITOR FOUND A DIFFERENCE".into();
        }
        if self.thread.is_finished() {
            return ", THE AUDITOR HAS STOPPED".into();
        }
        String::new()
    }

    /// Lets it read to the journal's end, which must have come, and look once more. Gives what it found.
    pub fn stop(self) -> anyhow::Result<Option<String>> {
        self.stop.store(true, Ordering::Release);
        let ended = self
            .thread
            .join()
            .ok()
            .context("the auditor stopped at a broken invariant")?;
        ended?;
        Ok(self.found.get().cloned())
    }
}

/// What the thread owns.
struct Worker {
    data_dir: PathBuf,
    clock: Clock,
    every_ns: u64,
    alerts: Option<Figures>,
    stop: Arc<AtomicBool>,
    found: Arc<OnceLock<String>>,
}

impl Worker {
    fn run(self) -> Result<(), ViewError> {
        let mut shadow = Shadow::open(&self.data_dir)?;
        let mut idle = Idle::new(IdleStrategy::Park);
        idle.enter();
        let (mut looked_ns, mut looked_at): (UnixNanos, _) = (self.clock.now_ns(), 0);
        loop {
            let is_over = self.stop.load(Ordering::Acquire);
            let taken = shadow.poll(BATCH_MAX)?;
            if is_over && taken < BATCH_MAX {
                break;
            }
            let now_ns = self.clock.now_ns();
            let is_time = now_ns.saturating_sub(looked_ns) >= self.every_ns;
            if is_time && shadow.records() != looked_at {
                (looked_ns, looked_at) = (now_ns, shadow.records());
                self.look(&mut shadow);
            }
            idle.idle(taken);
        }
        self.look(&mut shadow);
        Ok(())
    }

    fn look(&self, shadow: &mut Shadow) {
        let last_seq = shadow.last_seq();
        let Some(check) = shadow.check() else { return };
        let text = told(check);
        if self.found.set(text.clone()).is_ok() {
            crate::log::error("audit", format_args!("AUDIT at sequence {last_seq}: {text}"));
        }
        if let Some(alerts) = &self.alerts {
            // Again at every look: a figure may find no room, and the incident is one.
            alerts.put(Figure {
                metric: Metric::AuditDifference,
                scope: "audit",
                value: 1,
                text: self.found.get().cloned().unwrap_or(text),
            });
        }
    }
}

/// A check that failed, in a line.
fn told(check: &Check) -> String {
    let what = match check.invariants {
        "" => check.name.to_owned(),
        invariants => format!("{invariants}, {}", check.name),
    };
    format!(
        "not true: {what}: {}",
        check.detail.as_deref().unwrap_or(&check.figure)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_the_invariant() {
        let check = Check {
            invariants: "I4",
            name: "reservations are the sum over open orders",
            ok: false,
            applies: true,
            figure: "1 order".to_owned(),
            detail: Some("cash of order 0-1: records 5, table 6".to_owned()),
        };
        let expected =
            "not true: I4, reservations are the sum over open orders: cash of order 0-1: records 5, table 6";
        assert_eq!(told(&check), expected);
    }
}
