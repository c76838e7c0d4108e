//! What was refused, what limits and rules said, and who did what.

use super::{About, Origin};
use crate::table::table;
use tradewind_domain::ids::LimitId;
use tradewind_domain::text::ExecId;

/// A limit that spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LimitEvent {
    /// Where it comes from.
    pub(crate) origin: Origin,
    /// Line within the record.
    pub(crate) line: u16,
    /// The record's kind.
    pub(crate) on: u16,
    /// Whom it is about.
    pub(crate) about: About,
    /// [`HitKind`](tradewind_domain::event::HitKind).
    pub(crate) kind: u8,
    /// The limit; none for a rule that is no limit.
    pub(crate) limit: LimitId,
    /// The limit's type at the time; 0 for a rule that is no limit.
    pub(crate) limit_type: u8,
    /// Level of its node.
    pub(crate) level: u8,
    /// Reject code.
    pub(crate) code: u16,
    /// What is used after the event.
    pub(crate) used: Figure,
    /// What is allowed; none where nothing bounds it.
    pub(crate) hard: Option<Figure>,
    /// What the figures count.
    pub(crate) unit: &'static str,
}

/// A number with as many decimals as its unit has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Figure {
    /// The scaled integer.
    pub(crate) raw: i128,
    /// Its decimals.
    pub(crate) scale: u8,
}

impl Figure {
    fn parts(self) -> (i128, u8) {
        (self.raw, self.scale)
    }
}

table! {
    /// Limits that refused, warned or alerted.
    LIMIT_EVENTS = "limit_events", key [seq, part, line, day], by day, of |row: LimitEvent| {
        seq: int8 = row.origin.seq as i64;
        part: int4 = row.origin.part as i32;
        day: day = row.origin.day;
        recv: time = row.origin.recv_ns;
        line: int2 = row.line as i16;
        on_kind: int2 = row.on as i16;
        account_id: int4 = row.about.account.0 as i32;
        instrument_id: int4 = row.about.instrument.0 as i32;
        order_id: opt_int8 = row.about.order_id();
        hit_kind: int2 = i16::from(row.kind);
        limit_id: opt_int4 = (!row.limit.is_none()).then_some(row.limit.0 as i32);
        limit_type: int2 = i16::from(row.limit_type);
        level: int2 = i16::from(row.level);
        code: int4 = i32::from(row.code);
        used: number = row.used.parts();
        hard: opt_number = row.hard.map(Figure::parts);
        unit: text = row.unit;
    }
}

/// An input that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Where it comes from.
    pub(crate) origin: Origin,
    /// The record's kind.
    pub(crate) on: u16,
    /// Reject code.
    pub(crate) code: u16,
    /// The business rule that refused, counted from 1; 0 where none did.
    pub(crate) rule: u8,
    /// Whom it is about.
    pub(crate) about: About,
    /// Client's or venue's identifier of the message.
    pub(crate) identifier: ExecId,
    /// What the source or normalize noted.
    pub(crate) text: String,
}

table! {
    /// Refused inputs.
    REFUSALS = "refusals", key [seq, part, day], by day, of |row: Refusal| {
        seq: int8 = row.origin.seq as i64;
        part: int4 = row.origin.part as i32;
        day: day = row.origin.day;
        recv: time = row.origin.recv_ns;
        on_kind: int2 = row.on as i16;
        code: int4 = i32::from(row.code);
        rule: int2 = i16::from(row.rule);
        account_id: int4 = row.about.account.0 as i32;
        instrument_id: int4 = row.about.instrument.0 as i32;
        order_id: opt_int8 = row.about.order_id();
        identifier: text = row.identifier.as_str();
        text: text = &row.text;
    }
}

/// Something that somebody should look at, as the record itself says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Alert {
    /// Where it comes from.
    pub(crate) origin: Origin,
    /// Line within the record.
    pub(crate) line: u16,
    /// The record's kind.
    pub(crate) on: u16,
    /// What: for example `OVERFILL`.
    pub(crate) alert: &'static str,
    /// The business rule that alerts, counted from 1; 0 where it is none.
    pub(crate) rule: u8,
    /// Whom it is about.
    pub(crate) about: About,
}

table! {
    /// Alerts that records carry.
    ALERTS = "alerts", key [seq, part, line], of |row: Alert| {
        seq: int8 = row.origin.seq as i64;
        part: int4 = row.origin.part as i32;
        day: day = row.origin.day;
        recv: time = row.origin.recv_ns;
        line: int2 = row.line as i16;
        on_kind: int2 = row.on as i16;
        alert: text = row.alert;
        rule: int2 = i16::from(row.rule);
        account_id: int4 = row.about.account.0 as i32;
        instrument_id: int4 = row.about.instrument.0 as i32;
        order_id: opt_int8 = row.about.order_id();
    }
}

/// What an operator did, or the engine by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Audit {
    /// Where it comes from.
    pub(crate) origin: Origin,
    /// The record's kind.
    pub(crate) kind: u16,
    /// Who; empty for the engine.
    pub(crate) author: String,
    /// The second person.
    pub(crate) second: String,
    /// What it is about, by name.
    pub(crate) subject: String,
    /// What it says: a JSON object.
    pub(crate) detail: String,
    /// The reason given.
    pub(crate) reason: String,
    /// Reject code; 0 where it was accepted.
    pub(crate) code: u16,
}

table! {
    /// The audit trail.
    AUDIT = "audit", key [seq, part], of |row: Audit| {
        seq: int8 = row.origin.seq as i64;
        part: int4 = row.origin.part as i32;
        day: day = row.origin.day;
        recv: time = row.origin.recv_ns;
        kind: int2 = row.kind as i16;
        author: text = &row.author;
        second: text = &row.second;
        subject: text = &row.subject;
        detail: text = &row.detail;
        reason: text = &row.reason;
        code: int4 = i32::from(row.code);
    }
}
