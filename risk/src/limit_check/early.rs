//! Busts and corrections that came before their trade, or that a person lets through (LIMITS section 9: parked until the original
//! comes).
//!
//! One that names a trade which is not known waits in quarantine. When the trade is booked, by its source or out of quarantine, what
//! waits for it becomes an effect in the same group: the `TradeBust` or `TradeCorrect` that it would have been had it come in order.
//! A correction of a trade without an order is asked what the trade was asked; one that fails waits for a person, who may release it.
//!
//! # Invariants
//! - What waits is matched by venue, identifier and trade date, all three. Where its source named no date and the trade stands under
//!   another one, a person decides: venues use identifiers again.
//! - What is refused when its trade has come goes on waiting, and leaves no record.
//! - A bust or correction takes effect once: the row is closed with its effect.

use super::book::Book;
use super::quarantine::QuarantineRow;
use bytemuck::Zeroable;
use tradewind_domain::codes::QuarantineAction;
use tradewind_domain::event::{Event, Execution, Kind, TradeBust};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{AccountId, InstrumentId, NodeId, OrderSlot, Seq, VenueId};
use tradewind_domain::reject::RejectCode;
use tradewind_domain::text::ExecId;
use tradewind_domain::time::{DayNumber, UnixNanos};

/// What a bust says of the trade that it takes back.
pub(super) fn named_by(bust: &TradeBust) -> Execution {
    Execution {
        exec_id: bust.exec_ref_id,
        trade_date: bust.trade_date,
        venue: bust.venue,
        leaf: NodeId::NONE,
        account: AccountId::NONE,
        instrument: InstrumentId::NONE,
        slot: OrderSlot::NONE,
        ..Execution::zeroed()
    }
}

/// The bust that waits in a row.
fn bust_of(row: &QuarantineRow) -> TradeBust {
    TradeBust {
        exec_ref_id: row.body.exec_id,
        trade_date: row.body.trade_date,
        venue: row.body.venue,
        ..TradeBust::zeroed()
    }
}

/// A trade as busts and corrections name it.
type Name = (VenueId, ExecId, DayNumber);

fn name_of(trade: &Execution) -> Name {
    (trade.venue, trade.exec_id, trade.trade_date)
}

impl Book {
    /// Why a person cannot let a bust or correction through; nobody repairs one.
    pub(super) fn check_release(
        &self,
        row: &QuarantineRow,
        action: QuarantineAction,
    ) -> Result<(), RejectCode> {
        if action == QuarantineAction::Repair {
            return Err(RejectCode::InvalidValue);
        }
        let (taken, new) = if row.kind() == Some(Kind::TradeBust) {
            (self.bust_facts(&mut bust_of(row))?, (0, Money::ZERO))
        } else {
            let mut body = row.body;
            (self.correction_facts(&mut body)?, (body.qty, body.principal))
        };
        let instrument = self
            .market
            .instrument(taken.instrument)
            .ok_or(RejectCode::UnknownSymbol)?;
        self.adjustment_of(&taken, instrument, new).map(drop)
    }

    /// What waits for the trade that has come, behind the record `after`: the oldest first.
    pub(super) fn next_early(&self, after: Seq) -> Option<(Seq, u32)> {
        let (trade, _) = self.quarantine.arrived()?;
        self.early_rows(name_of(trade))
            .filter(|(_, row)| row.seq > after)
            .map(|(at, row)| (row.seq, at))
            .min()
    }

    fn early_rows(&self, name: Name) -> impl Iterator<Item = (u32, &QuarantineRow)> {
        let rows = self.quarantine.taking_back();
        rows.filter(move |(_, row)| name_of(&row.body) == name)
    }

    /// Writes what waits in a row as an effect; `None` where it is refused.
    pub(super) fn write_early(&self, at: u32, out: &mut Event) -> Option<Kind> {
        let (_, now_ns) = self.quarantine.arrived()?;
        self.write_taking_back(self.quarantine.row(at)?, *now_ns, false, out)
    }

    /// As [`write_early`](Self::write_early). What a person lets through is not asked what trades are asked.
    pub(super) fn write_taking_back(
        &self,
        row: &QuarantineRow,
        now_ns: UnixNanos,
        is_overruled: bool,
        out: &mut Event,
    ) -> Option<Kind> {
        let kind = row.kind()?;
        out.reset(kind);
        out.head.recv_ns = now_ns;
        if kind == Kind::TradeBust {
            *out.body_mut() = bust_of(row);
        } else {
            *out.body_mut() = row.body;
        }
        self.take_back(out, kind, is_overruled);
        (!out.is_rejected()).then_some(kind)
    }

    /// Makes an effect true: the bust or correction, and the end of its waiting. One that a person let through waits no more.
    pub(super) fn apply_early(&mut self, event: &Event, kind: Kind) {
        if let Some((_, at)) = self.early_of(event, kind)
            && let Some(row) = self.quarantine.row(at).copied()
        {
            self.quarantine.close(at, row.closed_by(self.input_seq));
        }
        self.apply_taking_back(event, kind);
    }

    /// The row that a recorded effect comes from, with the number of the record that put it aside.
    pub(super) fn early_of(&self, event: &Event, kind: Kind) -> Option<(Seq, u32)> {
        let name = if kind == Kind::TradeBust {
            let bust: &TradeBust = event.body();
            (bust.venue, bust.exec_ref_id, bust.trade_date)
        } else {
            name_of(event.body())
        };
        let mut rows = self.early_rows(name).filter(|(_, row)| row.kind() == Some(kind));
        rows.next().map(|(at, row)| (row.seq, at))
    }
}
