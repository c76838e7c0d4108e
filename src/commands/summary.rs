//! What a run did, from its journal: counts, rejects by code, positions and profit.

use crate::engine::RecoveryReport;
use crate::log;
use crate::output::{Table, bytes, count, counted};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use tradewind_machine::clock::Clock;
use tradewind_valuer::ValuerFigures;
use tradewind_views::{RecordCounts, ReplayOptions, Replica, StateView};

/// Positions that the text shows.
const POSITIONS_SHOWN: usize = 20;

/// What a run did.
#[derive(Debug, Default, Serialize)]
pub struct Summary {
    /// Messages that the sources handed over.
    pub messages: u64,
    /// Lines of files that could not be read.
    pub lines_unreadable: u64,
    /// Lines of files that hold nothing for the pipeline.
    pub lines_skipped: u64,
    /// Inputs in the journal (of this run).
    pub inputs: u64,
    /// Records in the journal (of this run), effects included.
    pub records: u64,
    /// Records by kind.
    pub kinds: BTreeMap<String, u64>,
    /// Refused inputs by code.
    pub rejects: BTreeMap<String, u64>,
    /// Bytes of the records.
    pub journal_bytes: u64,
    /// Seconds from the first message to the last.
    pub seconds: f64,
    /// Hash of the state at the end.
    pub digest: String,
    /// Positions, balances, open orders and limits at the end.
    pub state: Option<StateView>,
    /// What was valued, and how old marks were; nothing where no limit reads equity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valuation: Option<ValuerFigures>,
}

impl Summary {
    /// Of the last run in a journal, which is read for it.
    pub fn of_journal(data_dir: &Path, clock: &Clock) -> anyhow::Result<Self> {
        let replay = tradewind_views::replay(data_dir, ReplayOptions::default(), clock)?;
        Ok(Self::of(&replay.last_run, &replay.replica))
    }

    /// Of a run that was counted, and the state that it came to.
    pub fn of(counts: &RecordCounts, replica: &Replica) -> Self {
        Self {
            inputs: counts.inputs,
            records: counts.records,
            kinds: counts.kinds(),
            rejects: counts.rejects(),
            journal_bytes: counts.bytes,
            digest: replica.digest_text(),
            state: Some(tradewind_views::state(replica)),
            ..Self::default()
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = if self.seconds > 0.0 {
            self.inputs as f64 / self.seconds
        } else {
            0.0
        };
        writeln!(
            f,
            "{}, {}, {} of journal in {:.2} s: {} inputs/s",
            counted(self.inputs, "input"),
            counted(self.records, "record"),
            bytes(self.journal_bytes),
            self.seconds,
            count(rate as u64)
        )?;
        if self.lines_unreadable + self.lines_skipped > 0 {
            let (bad, skipped) = (counted(self.lines_unreadable, "line"), count(self.lines_skipped));
            writeln!(
                f,
                "{bad} could not be read; without anything for the pipeline: {skipped}"
            )?;
        }
        for (title, figures) in [("kind", &self.kinds), ("rejected", &self.rejects)] {
            let cells: Vec<String> = figures
                .iter()
                .map(|(name, figure)| format!("{name} {}", count(*figure)))
                .collect();
            if !cells.is_empty() {
                writeln!(f, "{title}: {}", cells.join(", "))?;
            }
        }
        if let Some(figures) = &self.valuation {
            valuation(f, figures)?;
        }
        let Some(state) = &self.state else { return Ok(()) };
        positions(f, state)?;
        for table in state.full_tables() {
            let (name, used_pct) = (&table.table, table.used_pct);
            writeln!(f, "table {name} is {used_pct} % full: raise capacity.{name}")?;
        }
        writeln!(f, "state {}", self.digest)
    }
}

/// What was valued, and how long marks took to be seen by limits.
fn valuation(f: &mut fmt::Formatter<'_>, figures: &ValuerFigures) -> fmt::Result {
    let ms = |ns: u64| ns as f64 / 1e6;
    write!(
        f,
        "equity of {}: {}",
        counted(figures.nodes, "node"),
        counted(figures.sent, "figure")
    )?;
    if figures.age.count > 0 {
        let age = &figures.age;
        write!(
            f,
            ", a mark in its figure after {:.1} ms (p99 {:.1} ms, max {:.1} ms, at most {:.1} ms late)",
            ms(age.p50_ns),
            ms(age.p99_ns),
            ms(age.max_ns),
            ms(age.late_max_ns)
        )?;
    }
    writeln!(f)?;
    if figures.frozen > 0 {
        writeln!(
            f,
            "not valued for a stale mark or no rate: {}",
            counted(figures.frozen, "node")
        )?;
    }
    Ok(())
}

fn positions(f: &mut fmt::Formatter<'_>, state: &StateView) -> fmt::Result {
    let mut table = Table::new(&[
        "<account",
        "<symbol",
        "qty",
        "avg px",
        "mark",
        "realised",
        "unrealised",
        "fees",
    ]);
    for row in state.positions.iter().take(POSITIONS_SHOWN) {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        table.row(vec![
            row.account.clone(),
            row.symbol.clone(),
            row.qty.clone(),
            text(&row.avg_px),
            text(&row.mark),
            row.realised.clone(),
            text(&row.unrealised),
            row.fees.clone(),
        ]);
    }
    if !table.is_empty() {
        write!(f, "{table}")?;
    }
    if state.positions.len() > POSITIONS_SHOWN {
        writeln!(
            f,
            "and {}: `tradewind state`",
            counted((state.positions.len() - POSITIONS_SHOWN) as u64, "more position")
        )?;
    }
    writeln!(f, "{}", counted(state.orders.len() as u64, "open order"))
}

/// Says what recovery did.
pub fn show_recovery(report: &RecoveryReport) {
    let say = |text: String| log::info("recovery", text);
    for caution in &report.cautions {
        log::warn("recovery", format_args!("warning: {caution}"));
    }
    if report.is_new {
        return say("a new journal".to_owned());
    }
    say(format!(
        "recovered {} up to seq {} in {:.3} s ({} records/s)",
        counted(report.records, "record"),
        count(report.last_seq),
        report.seconds,
        count(report.records_per_s as u64)
    ));
    if report.taken_over_bytes > 0 {
        let size = bytes(report.taken_over_bytes);
        say(format!(
            "  {size} taken over from the memory of a run that was killed"
        ));
    }
    if report.torn_bytes > 0 {
        let size = bytes(report.torn_bytes);
        say(format!("  {size} of a torn tail cut and kept aside"));
    }
    if report.finished_effects > 0 {
        let effects = counted(report.finished_effects, "effect");
        say(format!("  an open group finished with {effects}"));
    }
}
