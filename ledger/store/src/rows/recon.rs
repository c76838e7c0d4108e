//! Reconciliation: runs, and the lines on which the sides were not alike, each as it stands now.

use crate::table::table;
use tradewind_domain::codes::ReconResolution;
use tradewind_views::recon::{ReconBreak, RunLine};

table! {
    /// Runs: one for each statement.
    RECON_RUNS = "recon_runs", key [run_seq], of |row: RunLine| {
        run_seq: int8 @ 4 = row.id as i64;
        begun: time [Set] @ 4 = row.at_ns;
        author: text [Set] @ 4 = row.run.author.as_str();
        source: text [Set] @ 4 = row.run.source.as_str();
        statement: text [Set] @ 4 = &hex(&row.run.statement);
        as_of_seq: int8 [Set] @ 4 = row.run.as_of_seq as i64;
        as_of: opt_time [Set] @ 4 = row.run.as_of_ns;
        tolerance: dec [Set] @ 4 = row.run.tolerance.into();
        from_date: opt_day [Set] @ 4 = row.run.from;
        to_date: opt_day [Set] @ 4 = row.run.to;
        accounts: int4 [Set] @ 4 = row.run.accounts as i32;
        ended: int4 [Set] @ 4 = row.ended as i32;
        matched: int8 [Set] @ 4 = row.matched as i64;
        explained: int8 [Set] @ 4 = row.explained as i64;
        breaks: int8 [Set] @ 4 = row.breaks as i64;
    }
}

/// A break, as the newest record left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BreakRow {
    /// The break, without what people said of it.
    pub(crate) line: ReconBreak,
    /// True while the engine's list has it.
    pub(crate) is_held: bool,
    /// Number of the last input that changed it.
    pub(crate) last_seq: u64,
}

table! {
    /// Breaks.
    RECON_BREAKS = "recon_breaks", key [break_seq], of |row: BreakRow| {
        break_seq: int8 @ 4 = row.line.id as i64;
        state: text [Set] @ 4 = row.line.state.text();
        status: text [Set] @ 4 = row.line.status.text();
        about: text [Set] @ 4 = row.line.subject.text();
        account: text [Set] @ 4 = row.line.last.account_code.as_str();
        item: text [Set] @ 4 = row.line.last.item.as_str();
        identifier: text [Set] @ 4 = row.line.last.identifier.as_str();
        account_id: int4 [Set] @ 4 = row.line.last.account.0 as i32;
        node_id: int4 [Set] @ 4 = row.line.last.node.0 as i32;
        instrument_id: int4 [Set] @ 4 = row.line.last.instrument.0 as i32;
        venue_id: int4 [Set] @ 4 = i32::from(row.line.last.venue.0);
        trade_date: opt_day [Set] @ 4 = row.line.last.trade_date;
        ours: dec [Set] @ 4 = row.line.last.ours;
        traded: dec [Set] @ 4 = row.line.last.traded;
        theirs: dec [Set] @ 4 = row.line.last.theirs;
        our_px: dec [Set] @ 4 = row.line.last.our_px.into();
        their_px: dec [Set] @ 4 = row.line.last.their_px.into();
        our_fee: dec [Set] @ 4 = row.line.last.our_fee.raw();
        their_fee: dec [Set] @ 4 = row.line.last.their_fee.raw();
        fields: int2 [Set] @ 4 = i16::from(row.line.last.fields);
        opened: time [Set] @ 4 = row.line.opened_ns;
        seen: time [Set] @ 4 = row.line.seen_ns;
        run_seq: int8 [Set] @ 4 = row.line.last.run as i64;
        found: int4 [Set] @ 4 = row.line.found as i32;
        reopened: int4 [Set] @ 4 = row.line.reopened as i32;
        assignee: text [Set] @ 4 = row.line.assignee.as_str();
        resolution: opt_text [Set] @ 4 = row.line.resolution.map(ReconResolution::text);
        resolved: opt_time [Set] @ 4 = row.line.resolved_ns;
        restricted_by: int8 [Set] @ 4 = row.line.last.restricted_by as i64;
        is_over: int2 [Set] @ 4 = row.line.is_over.into();
        is_held: int2 [Set] @ 4 = row.is_held.into();
        line_key: text [Set] @ 4 = &hex(&row.line.last.key);
        last_seq: int8 [Set] @ 4 = row.last_seq as i64;
    }
}

/// Bytes as text.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
