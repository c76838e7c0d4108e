//! Identities of trades: booked once, taken back once, and never more filled than was ordered without saying so.

use super::difference::{First, place};
use super::{Check, number_of};
use std::collections::HashMap;
use tradewind_domain::event::{Event, Execution, Kind};
use tradewind_domain::ids::{HoldingId, Seq, VenueId};
use tradewind_domain::text::ExecId;
use tradewind_domain::time::DayNumber;

/// What the venue calls a trade.
type Key = (VenueId, DayNumber, ExecId);

#[derive(Default)]
pub(super) struct Keys {
    /// Every key that was ever booked, with the number of the trade's record; 0 once it was busted.
    booked: HashMap<Key, Seq>,
    /// Keys of the trades that count, by the number of their record and their holding: an allocation books one for each account.
    live: HashMap<(Seq, HoldingId), Key>,
    busts: u64,
    wrong: First,
}

impl Keys {
    pub(super) fn see(&mut self, event: &Event) {
        if let Some(taken) = event.taken_back() {
            return self.take_back(event, (taken.trade_seq, taken.holding));
        }
        if event.is_rejected() || !matches!(event.kind(), Some(Kind::VenueFill | Kind::TradeCapture)) {
            return;
        }
        let execution: &Execution = event.body();
        let day = match execution.trade_date {
            0 => execution.trade_day,
            reported => reported,
        };
        let key = (execution.venue, day, execution.exec_id);
        if self.booked.insert(key, event.head.seq).is_some() {
            self.wrong
                .note(|| format!("record {} books {} again", place(event), execution.exec_id));
        }
        self.live.insert((event.head.seq, execution.holding), key);
    }

    fn take_back(&mut self, event: &Event, trade: (Seq, HoldingId)) {
        let Some(key) = self.live.get(&trade).copied() else {
            return self.wrong.note(|| {
                format!(
                    "record {} takes record {} back, which is no trade that counts",
                    place(event),
                    trade.0
                )
            });
        };
        if event.kind() == Some(Kind::TradeBust) {
            self.live.remove(&trade);
            self.booked.insert(key, 0);
            self.busts += 1;
        }
    }

    /// `overfilled` is the first fill of more than was open that does not say so.
    pub(super) fn compare(&self, overfilled: Option<String>) -> Check {
        let trades = number_of(self.booked.len(), "trade");
        let figure = format!("{trades}, {} of them busted", self.busts);
        Check::of(
            "each trade is booked once, and none is filled unsaid beyond its order",
            figure,
            self.wrong.0.clone().or(overfilled),
        )
    }
}
