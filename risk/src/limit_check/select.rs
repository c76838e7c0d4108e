//! Specific lots: an execution that was booked names the lots that it closes (SETTLEMENT section 6).
//!
//! # Invariants
//! - What is selected are trades of the same holding, on the other side, that came before, and that count.
//! - Nothing here changes: lots are no part of any verdict.
//!
//! Not here: the lots themselves, and whether they can be made anew from that trade on (position).

use super::book::Book;
use tradewind_domain::codes::Side;
use tradewind_domain::event::{Event, LotSelect, NAMED_LOTS_MAX, SelectedLot, TakenBack};
use tradewind_domain::reject::{Note, RejectCode};

impl Book {
    /// Decides a selection.
    pub(super) fn decide_select(&self, event: &mut Event) {
        let result = match Note::first(event.head.notes) {
            Some(code) => Err(code),
            None => self.select_facts(event),
        };
        match result {
            Ok((body, lots)) => {
                let count = usize::from(body.lots);
                *event.body_mut() = body;
                // The source has left room for them, or it is refused.
                if !event.append_tail(bytemuck::cast_slice(&lots[..count])) {
                    event.reject(RejectCode::Malformed);
                }
            }
            Err(code) => event.reject(code),
        }
    }

    fn select_facts(&self, event: &Event) -> Result<(LotSelect, [SelectedLot; NAMED_LOTS_MAX]), RejectCode> {
        let body: LotSelect = *event.body();
        let is_whole = event.named_lots_len().is_some();
        if body.author.is_empty() || !is_whole || usize::from(body.lots) > NAMED_LOTS_MAX {
            return Err(RejectCode::Malformed);
        }
        let (trade_date, row) = self.booked(body.venue, body.trade_date, &body.exec_id)?;
        let closing = row.trade;
        let mut lots = [SelectedLot::default(); NAMED_LOTS_MAX];
        for (count, (named, qty)) in event.named_lots().enumerate() {
            let (_, row) = self.booked(named.venue, named.trade_date, &named.exec_id)?;
            let open = row.trade.trade_seq;
            let is_new = lots[..count].iter().all(|lot| lot.open != open);
            if qty <= 0 || !is_new || !opens_for(&row.trade, &closing) {
                return Err(RejectCode::InvalidValue);
            }
            lots[count] = SelectedLot { open, qty };
        }
        let body = LotSelect {
            trade_date,
            trade_seq: closing.trade_seq,
            holding: closing.holding,
            account: closing.account,
            instrument: closing.instrument,
            alerts: 0,
            ..body
        };
        Ok((body, lots))
    }
}

/// True where a trade may have opened what the other one closes.
fn opens_for(lot: &TakenBack, closing: &TakenBack) -> bool {
    let is_buy = |trade: &TakenBack| Side::from_code(trade.side).map(Side::is_buy);
    lot.holding == closing.holding && lot.trade_seq < closing.trade_seq && is_buy(lot) != is_buy(closing)
}
