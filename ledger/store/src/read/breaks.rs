//! Breaks of reconciliation as the database holds them, for the projection to go on from.

use super::{Source, TextRow, bytes_of_hex};
use crate::error::StoreError;
use bytemuck::Zeroable;
use tradewind_domain::codes::{ReconResolution, ReconStatus, ReconSubject};
use tradewind_domain::event::{ReconFinding, ReconRun};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{AccountId, InstrumentId, NodeId, VenueId};
use tradewind_domain::text::Text;
use tradewind_domain::time::{DayNumber, day_number};
use tradewind_views::recon::{BreakState, ReconBook, ReconBreak, RunLine};

/// Columns of a break, in the order in which [`line`] takes them.
const BREAK: [&str; 31] = [
    "break_seq",
    "state",
    "status",
    "about",
    "account",
    "item",
    "identifier",
    "account_id",
    "node_id",
    "instrument_id",
    "venue_id",
    "trade_date",
    "ours",
    "traded",
    "theirs",
    "our_px",
    "their_px",
    "our_fee",
    "their_fee",
    "fields",
    "opened_ns",
    "seen_ns",
    "run_seq",
    "found",
    "reopened",
    "assignee",
    "resolution",
    "resolved_ns",
    "restricted_by",
    "is_over",
    "line_key",
];

/// Columns of a run, in the order in which [`run`] takes them.
const RUN: [&str; 14] = [
    "run_seq",
    "begun_ns",
    "author",
    "source",
    "statement",
    "as_of_seq",
    "as_of_ns",
    "tolerance",
    "from_date",
    "to_date",
    "accounts",
    "ended",
    "matched",
    "explained",
];

/// The breaks that are held as of the place, with the newest runs.
pub(crate) async fn breaks(source: &mut Source<'_>) -> Result<ReconBook, StoreError> {
    let texts = source.dialect().texts(&BREAK);
    let sql = format!("SELECT {texts} FROM recon_breaks WHERE is_held = 1");
    let mut lines = Vec::new();
    for row in source.rows(&sql, &[]).await? {
        lines.push(line(source, &row)?);
    }
    let (texts, breaks) = (source.dialect().texts(&RUN), source.dialect().text("breaks"));
    let newest = ReconBook::RUNS_MAX;
    // A bare name would mean the column of the answer, which is text.
    let sql =
        format!("SELECT {texts}, {breaks} FROM recon_runs ORDER BY recon_runs.run_seq DESC LIMIT {newest}");
    let mut runs = Vec::new();
    for row in source.rows(&sql, &[]).await? {
        runs.push(run(source, &row)?);
    }
    Ok(ReconBook::restore(lines, runs))
}

fn line(source: &Source<'_>, row: &TextRow) -> Result<ReconBreak, StoreError> {
    let dec = |at| source.dialect().raw(row.text(at)?, 8);
    let px = |at| Ok::<_, StoreError>(dec(at)? as i64); // prices have 64 bits
    let named = |at| move || StoreError::Damaged(format!("column {at} of a break has an unknown name"));
    let (status, subject) = (row.text(2)?, row.text(3)?);
    let status = ReconStatus::from_text(status).ok_or_else(named(2))?;
    let subject = ReconSubject::from_text(subject).ok_or_else(named(3))?;
    let resolution = match row.opt(26) {
        Some(text) => Some(ReconResolution::from_text(text).ok_or_else(named(26))?),
        None => None,
    };
    let last = ReconFinding {
        ours: dec(12)?,
        traded: dec(13)?,
        theirs: dec(14)?,
        our_fee: Money::from_raw(dec(17)?),
        their_fee: Money::from_raw(dec(18)?),
        key: bytes_of_hex(row.text(30)?)?,
        run: row.seq(22)?,
        our_px: px(15)?,
        their_px: px(16)?,
        restricted_by: row.seq(28)?,
        account_code: Text::lossy(row.text(4)?),
        item: Text::lossy(row.text(5)?),
        identifier: Text::lossy(row.text(6)?),
        venue: VenueId(row.int(10)?),
        subject: subject as u8,
        status: status as u8,
        fields: row.int(19)?,
        trade_date: date(row, 11)?,
        account: AccountId(row.id(7)?),
        node: NodeId(row.id(8)?),
        instrument: InstrumentId(row.id(9)?),
        ..ReconFinding::zeroed()
    };
    Ok(ReconBreak {
        id: row.seq(0)?,
        last,
        status,
        subject,
        state: BreakState::from_text(row.text(1)?).ok_or_else(named(1))?,
        opened_ns: row.seq(20)?,
        seen_ns: row.seq(21)?,
        found: row.id(23)?,
        reopened: row.id(24)?,
        assignee: Text::lossy(row.text(25)?),
        resolution,
        resolved_ns: if row.opt(27).is_some() { row.seq(27)? } else { 0 },
        is_over: row.int::<u8>(29)? != 0,
        notes: Vec::new(),
    })
}

fn run(source: &Source<'_>, row: &TextRow) -> Result<RunLine, StoreError> {
    let run = ReconRun {
        author: Text::lossy(row.text(2)?),
        source: Text::lossy(row.text(3)?),
        statement: bytes_of_hex(row.text(4)?)?,
        as_of_seq: row.seq(5)?,
        as_of_ns: if row.opt(6).is_some() { row.seq(6)? } else { 0 },
        tolerance: source.dialect().raw(row.text(7)?, 8)? as i64, // as the record has it
        from: date(row, 8)?,
        to: date(row, 9)?,
        accounts: row.id(10)?,
        ..ReconRun::zeroed()
    };
    Ok(RunLine {
        id: row.seq(0)?,
        at_ns: row.seq(1)?,
        run,
        ended: row.id(11)?,
        matched: row.seq(12)?,
        explained: row.seq(13)?,
        breaks: row.seq(14)?,
    })
}

/// A date; 0 where there is none.
fn date(row: &TextRow, at: usize) -> Result<DayNumber, StoreError> {
    let Some(text) = row.opt(at) else { return Ok(0) };
    day_of(text).ok_or_else(|| StoreError::Damaged(format!("{text:?} is no date")))
}

fn day_of(text: &str) -> Option<DayNumber> {
    let mut parts = text.splitn(3, '-');
    let year = parts.next()?.parse().ok()?;
    day_number(year, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?)
}
