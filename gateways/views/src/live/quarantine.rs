//! Executed trades that were put aside, as the journal shows them.
//!
//! An execution that is refused is kept: it waits in quarantine until somebody releases, repairs or refuses it (LIMITS
//! section 9). Only an execution that was booked already waits for nothing. A bust or correction of a trade that is not known waits for
//! its trade, a correction that a trade would not have passed with for a person.
//!
//! Invariant: the list is bounded; what it can no longer hold is counted, and stays in the journal.

use bytemuck::Zeroable;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tradewind_domain::codes::{QuarantineAction, Side};
use tradewind_domain::event::{Event, Execution, Kind, QuarantineResolve, TradeBust};
use tradewind_domain::fixed::{Price, Qty, SCALE_DP};
use tradewind_domain::ids::{AccountId, InstrumentId, Seq};
use tradewind_domain::reject::RejectCode;
use tradewind_domain::time::Rfc3339;
use tradewind_feeds::Registry;
use tradewind_risk::limit_check::is_put_aside;

/// Trades that the list holds at most.
const HELD_MAX: usize = 10_000;

/// A trade that was put aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantinedTrade {
    /// Sequence number, by which it is resolved.
    pub seq: Seq,
    /// When ingest took it.
    pub time: String,
    /// trade_capture or venue_fill; trade_bust or trade_correct where it came before its trade.
    pub kind: String,
    /// Why it was put aside.
    pub reason: String,
    /// The venue's identifier.
    pub exec_id: String,
    /// Account, as far as it is known.
    pub account: String,
    /// Instrument, as far as it is known.
    pub symbol: String,
    /// Side.
    pub side: String,
    /// Quantity.
    pub qty: String,
    /// Price.
    pub px: String,
    /// What its source said of it, and names that did not resolve.
    pub text: String,
}

/// All trades that wait.
#[derive(Debug, Default)]
pub struct Quarantine {
    waiting: BTreeMap<Seq, QuarantinedTrade>,
    /// Trades that did not fit and are not in the list.
    dropped: u64,
}

impl Quarantine {
    /// Takes a record of the journal.
    pub(crate) fn observe(&mut self, event: &Event, registry: &Registry) {
        match event.kind() {
            Some(Kind::VenueFill | Kind::TradeCapture | Kind::TradeCorrect) => {
                self.execution(event, event.body(), registry);
            }
            Some(Kind::TradeBust) => self.execution(event, &named_by(event.body()), registry),
            Some(Kind::QuarantineResolve) if !event.is_rejected() => self.resolve(event.body()),
            _ => {}
        }
    }

    fn execution(&mut self, event: &Event, body: &Execution, registry: &Registry) {
        let Some((kind, reason)) = event.kind().zip(event.reject_code()) else {
            return;
        };
        if !is_put_aside(kind, reason) {
            return;
        }
        if self.waiting.len() == HELD_MAX {
            self.waiting.pop_first();
            self.dropped += 1;
        }
        self.waiting
            .insert(event.head.seq, trade(event, body, reason, registry));
    }

    /// Takes out the busts and corrections that the stage keeps no more: those that have become effects of their trades.
    pub(crate) fn keep_taking_back(&mut self, is_kept: impl Fn(Seq) -> bool) {
        let takes_back = |row: &QuarantinedTrade| {
            [Kind::TradeBust, Kind::TradeCorrect]
                .map(|kind| kind.text())
                .contains(&row.kind.as_str())
        };
        self.waiting.retain(|seq, row| !takes_back(row) || is_kept(*seq));
    }

    fn resolve(&mut self, resolve: &QuarantineResolve) {
        if QuarantineAction::from_code(resolve.action).is_some() {
            self.waiting.remove(&resolve.trade_seq);
        }
    }

    /// Trades that did not fit into the list: they stand in the journal alone.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The trades that wait, oldest first.
    pub fn list(&self) -> Vec<QuarantinedTrade> {
        self.waiting.values().cloned().collect()
    }
}

/// What a bust says of the trade that it takes back.
fn named_by(bust: &TradeBust) -> Execution {
    Execution {
        exec_id: bust.exec_ref_id,
        account: AccountId::NONE,
        instrument: InstrumentId::NONE,
        qty_dp: SCALE_DP as u8,
        px_dp: SCALE_DP as u8,
        ..Execution::zeroed()
    }
}

fn trade(event: &Event, body: &Execution, reason: RejectCode, registry: &Registry) -> QuarantinedTrade {
    let account = registry.account(body.account).map(|row| row.code.to_string());
    let symbol = registry
        .instrument(body.instrument)
        .map(|row| row.symbol.to_string());
    QuarantinedTrade {
        seq: event.head.seq,
        time: Rfc3339(event.head.recv_ns).to_string(),
        kind: Kind::from_number(event.head.kind).map_or_else(String::new, |kind| kind.to_string()),
        reason: reason.text().to_owned(),
        exec_id: body.exec_id.to_string(),
        account: account.unwrap_or_default(),
        symbol: symbol.unwrap_or_default(),
        side: Side::from_code(body.side).map_or_else(|| body.side.to_string(), |side| side.to_string()),
        qty: scaled(body.qty, body.qty_dp, |raw| Qty::from_raw(raw).to_string()),
        px: scaled(body.px, body.px_dp, |raw| Price::from_raw(raw).to_string()),
        text: String::from_utf8_lossy(event.tail()).into_owned(),
    }
}

/// A decimal that could not be scaled stays as the source wrote it, with its own decimals.
fn scaled(raw: i64, dp: u8, show: fn(i64) -> String) -> String {
    if u32::from(dp) == SCALE_DP {
        show(raw)
    } else {
        format!("{raw}e-{dp}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::event::Capacities;
    use tradewind_domain::text::ExecId;

    fn refused(seq: Seq, code: RejectCode) -> Event {
        let mut event = Event::empty();
        event.reset(Kind::TradeCapture);
        event.head.seq = seq;
        event.reject(code);
        *event.body_mut::<Execution>() = Execution {
            qty: 250_000_000,
            qty_dp: 8,
            px: 12_345,
            px_dp: 12,
            ..Execution::zeroed()
        };
        event
    }

    #[test]
    fn a_trade_waits_until_it_is_resolved_and_one_that_was_booked_does_not() {
        let registry = Registry::new(&Capacities::default());
        let mut quarantine = Quarantine::default();
        quarantine.observe(&refused(5, RejectCode::QuarantinePrice), &registry);
        quarantine.observe(&refused(6, RejectCode::DuplicateExecId), &registry);
        let list = quarantine.list();
        assert_eq!(list.len(), 1);
        assert_eq!((list[0].seq, list[0].reason.as_str()), (5, "QUARANTINE_PRICE"));
        assert_eq!((list[0].qty.as_str(), list[0].px.as_str()), ("2.5", "12345e-12"));
        let mut resolve = Event::empty();
        resolve.reset(Kind::QuarantineResolve);
        *resolve.body_mut::<QuarantineResolve>() = QuarantineResolve {
            trade_seq: 5,
            action: QuarantineAction::Release as u8,
            ..QuarantineResolve::zeroed()
        };
        let mut failed = resolve;
        failed.reject(RejectCode::UnknownAccount);
        quarantine.observe(&failed, &registry);
        assert_eq!(quarantine.list().len(), 1);
        quarantine.observe(&resolve, &registry);
        assert!(quarantine.list().is_empty());
    }

    #[test]
    fn the_list_is_bounded() {
        let registry = Registry::new(&Capacities::default());
        let mut quarantine = Quarantine::default();
        for seq in 0..HELD_MAX as u64 + 3 {
            quarantine.observe(&refused(seq, RejectCode::OrphanFill), &registry);
        }
        assert_eq!((quarantine.list().len(), quarantine.dropped()), (HELD_MAX, 3));
    }

    #[test]
    fn a_bust_that_came_before_its_trade_is_in_the_list_and_one_that_came_twice_is_not() {
        let registry = Registry::new(&Capacities::default());
        let mut quarantine = Quarantine::default();
        for (seq, code) in [(5, RejectCode::UnknownTrade), (6, RejectCode::AlreadyBusted)] {
            let mut bust = Event::empty();
            bust.reset(Kind::TradeBust);
            bust.head.seq = seq;
            bust.body_mut::<TradeBust>().exec_ref_id = ExecId::new("E1").unwrap();
            bust.reject(code);
            quarantine.observe(&bust, &registry);
        }
        let list = quarantine.list();
        assert_eq!(list.len(), 1);
        assert_eq!(
            (list[0].seq, list[0].kind.as_str(), list[0].exec_id.as_str()),
            (5, "trade_bust", "E1")
        );
    }
}
