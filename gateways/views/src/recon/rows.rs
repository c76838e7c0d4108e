//! Breaks and runs of reconciliation as rows.

use super::book::ReconBook;
use super::item::{BreakNote, ReconBreak as Line, RunLine};
use crate::query::current::{Decimal, ReconBreak, ReconNote, ReconRun};
use tradewind_domain::codes::{ReconResolution, ReconSubject};
use tradewind_domain::event::recon_fields;
use tradewind_domain::ids::Seq;
use tradewind_domain::time::UnixNanos;

impl ReconBook {
    /// Lines as readers get them, oldest first; ages are those at `now_ns`.
    pub fn rows(&self, now_ns: UnixNanos) -> impl Iterator<Item = ReconBreak> + '_ {
        self.lines().map(move |line| self.row(line, now_ns))
    }

    /// One of them, by the number of the record that opened it.
    pub fn row_of(&self, id: Seq, now_ns: UnixNanos) -> Option<ReconBreak> {
        self.line(id).map(|line| self.row(line, now_ns))
    }

    /// Runs as readers get them, newest first.
    pub fn run_rows(&self) -> impl Iterator<Item = ReconRun> + '_ {
        self.runs().map(run_row)
    }

    fn row(&self, line: &Line, now_ns: UnixNanos) -> ReconBreak {
        let last = &line.last;
        let is_trade = line.subject == ReconSubject::Trade;
        let px = |px: i64| (is_trade && px != 0).then_some(Decimal(px.into()));
        let restriction = self.restriction(last.instrument);
        ReconBreak {
            id: line.id,
            state: line.state.text(),
            status: line.status.text(),
            severity: line.severity().text(),
            about: line.subject.text(),
            account: last.account_code,
            node: last.node,
            item: last.item,
            identifier: last.identifier,
            ours: Decimal(last.ours),
            traded: Decimal(last.traded),
            theirs: Decimal(last.theirs),
            diff: Decimal(last.ours.saturating_sub(last.theirs)),
            our_px: px(last.our_px),
            their_px: px(last.their_px),
            fields: fields(last.fields),
            opened: line.opened_ns,
            age_days: line.age_days(now_ns),
            seen: line.seen_ns,
            found: line.found,
            run: last.run,
            reopened: line.reopened,
            assignee: line.assignee,
            resolution: line.resolution.map(ReconResolution::text),
            resolved: line.resolved_ns,
            restricted_by: restriction.filter(|control| line.state.waits() && *control == last.restricted_by),
            notes: line.notes.iter().map(note_row).collect(),
        }
    }
}

fn note_row(note: &BreakNote) -> ReconNote {
    ReconNote {
        seq: note.seq,
        time: note.at_ns,
        author: note.author,
        action: note.verb.text(),
        text: note.text.clone(),
    }
}

fn run_row(line: &RunLine) -> ReconRun {
    let run = &line.run;
    ReconRun {
        id: line.id,
        time: line.at_ns,
        author: run.author,
        source: run.source,
        statement: run.statement.iter().map(|byte| format!("{byte:02x}")).collect(),
        as_of_seq: run.as_of_seq,
        as_of: run.as_of_ns,
        tolerance: Decimal(run.tolerance.into()),
        accounts: run.accounts,
        is_complete: line.is_complete(),
        matched: line.matched,
        explained: line.explained,
        breaks: line.breaks,
    }
}

/// Names of the fields that differ.
fn fields(bits: u8) -> Vec<&'static str> {
    const NAMES: [(u8, &str); 5] = [
        (recon_fields::SYMBOL, "symbol"),
        (recon_fields::SIDE, "side"),
        (recon_fields::QTY, "qty"),
        (recon_fields::PX, "px"),
        (recon_fields::FEE, "fee"),
    ];
    let set = NAMES.into_iter().filter(|(bit, _)| bits & bit != 0);
    set.map(|(_, name)| name).collect()
}
