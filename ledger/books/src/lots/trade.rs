//! What a trade does to a holding's lots: it closes some of the other side, and opens what is left of it (SETTLEMENT section 6).

use super::pool::{Lots, NIL};
use super::{ClosedBy, Closing, NamedLot, Outcome, Terms, Trade, gain_of, plus};
use crate::wide::share;
use tradewind_domain::codes::LotMethod;
use tradewind_domain::fixed::{Money, NetQty};
use tradewind_domain::ids::HoldingId;

/// What is still to be closed, and the money that it brings.
struct Left {
    qty: i128,
    value: Money,
}

impl Left {
    /// The money of a piece: half even, the remainder stays, the last piece takes all.
    fn take(&mut self, qty: i128, money_dp: u8) -> Money {
        let value = if qty == self.qty {
            self.value
        } else {
            share(self.value, qty, self.qty, money_dp)
        };
        self.qty -= qty;
        self.value = plus(self.value, value.raw().wrapping_neg());
        value
    }
}

impl Lots {
    /// Books a trade. Every piece that it closes goes to `sink`. A holding without a row changes nothing.
    pub fn trade(
        &mut self,
        holding: HoldingId,
        terms: Terms,
        trade: &Trade<'_>,
        sink: &mut impl FnMut(&Closing),
    ) -> Outcome {
        let signed = trade.qty.raw();
        if self.head(holding).is_none() || signed == 0 {
            return Outcome::default();
        }
        self.adopt(holding, terms);
        let held = self.heads[holding.index()].qty.raw();
        let is_other_side = held != 0 && (held < 0) != (signed < 0);
        let qty = signed.saturating_abs();
        let close = if is_other_side {
            qty.min(held.saturating_abs())
        } else {
            0
        };
        let mut whole = Left {
            qty,
            value: trade.value,
        };
        let mut fees = Left {
            qty,
            value: trade.fee,
        };
        // Of a sale fees lessen the money, of a purchase they add to it.
        let in_basis = |value: Money, fee: Money| match terms.fee_in_basis {
            true => plus(value, signed.signum().wrapping_mul(fee.raw())),
            false => value,
        };
        let mut outcome = Outcome::default();
        if close > 0 {
            let dp = terms.rules.money_dp;
            let value = in_basis(whole.take(close, dp), fees.take(close, dp));
            self.close(
                holding,
                terms,
                trade,
                Left { qty: close, value },
                &mut outcome,
                sink,
            );
        }
        if close < qty {
            let cost = in_basis(whole.value, fees.value);
            outcome.merged = self.open(holding, terms, trade, qty - close, cost);
            outcome.cost_delta = plus(outcome.cost_delta, cost.raw());
        }
        let head = &mut self.heads[holding.index()];
        head.qty = NetQty::from_raw(held.wrapping_add(signed));
        head.cost = plus(head.cost, outcome.cost_delta.raw());
        head.realised = plus(head.realised, outcome.realised.raw());
        outcome
    }

    /// Brings a holding under a method: one that it was not kept by before orders (or merges) its lots anew.
    fn adopt(&mut self, holding: HoldingId, terms: Terms) {
        let head = &mut self.heads[holding.index()];
        if head.method == terms.method as u8 {
            return;
        }
        head.method = terms.method as u8;
        let is_long = head.is_long();
        if terms.method == LotMethod::AverageCost {
            head.set_order(is_long, terms.rules.inverse);
            return self.merge_all(holding);
        }
        self.order_anew(holding, is_long, terms);
    }

    /// Builds the order by cost from the list of lots.
    pub(super) fn order_anew(&mut self, holding: HoldingId, is_long: bool, terms: Terms) {
        let head = &mut self.heads[holding.index()];
        head.set_order(is_long, terms.rules.inverse);
        let mut at = head.oldest;
        while let Some(row) = self.get(at) {
            let newer = row.newer;
            self.file(holding, at);
            at = newer;
        }
    }

    fn close(
        &mut self,
        holding: HoldingId,
        terms: Terms,
        trade: &Trade<'_>,
        mut left: Left,
        outcome: &mut Outcome,
        sink: &mut impl FnMut(&Closing),
    ) {
        for named in trade.named {
            let (at, qty) = self.find(holding, named);
            let take = qty.min(left.qty);
            if take > 0 {
                self.close_piece(holding, terms, trade, (at, take), &mut left, outcome, sink);
            }
        }
        while left.qty > 0 {
            let at = self.next_to_close(holding);
            let Some(row) = self.get(at) else { break };
            let take = row.qty.raw().min(left.qty);
            self.close_piece(holding, terms, trade, (at, take), &mut left, outcome, sink);
        }
    }

    /// A named lot's row, and how much of it may be taken.
    fn find(&self, holding: HoldingId, named: &NamedLot) -> (u32, i128) {
        let mut at = self.heads[holding.index()].oldest;
        while let Some(row) = self.get(at) {
            if row.open == named.open {
                return (at, row.qty.raw().min(named.qty.raw()));
            }
            at = row.newer;
        }
        (NIL, 0)
    }

    #[allow(clippy::too_many_arguments)] // one step of `close`, with its state
    fn close_piece(
        &mut self,
        holding: HoldingId,
        terms: Terms,
        trade: &Trade<'_>,
        (at, take): (u32, i128),
        left: &mut Left,
        outcome: &mut Outcome,
        sink: &mut impl FnMut(&Closing),
    ) {
        let Some(&lot) = self.get(at) else { return };
        let is_whole = take == lot.qty.raw();
        let cost = if is_whole {
            lot.cost
        } else {
            share(lot.cost, take, lot.qty.raw(), terms.rules.money_dp)
        };
        if is_whole {
            self.remove(holding, at);
        } else {
            let rest = NetQty::from_raw(lot.qty.raw() - take);
            self.set(holding, at, rest, plus(lot.cost, cost.raw().wrapping_neg()));
        }
        let is_long = self.heads[holding.index()].is_long();
        let proceeds = left.take(take, terms.rules.money_dp);
        let gain = gain_of(cost, proceeds, is_long, terms.rules.inverse);
        outcome.realised = plus(outcome.realised, gain.raw());
        outcome.cost_delta = plus(outcome.cost_delta, cost.raw().wrapping_neg());
        outcome.closed = NetQty::from_raw(outcome.closed.raw() + take);
        sink(&Closing {
            open: lot.open,
            open_day: lot.day,
            close: trade.id,
            close_day: trade.day,
            qty: NetQty::from_raw(take),
            cost,
            proceeds,
            gain,
            is_long,
            is_merged: lot.is_merged(),
            by: ClosedBy::Trade,
        });
    }

    fn open(&mut self, holding: HoldingId, terms: Terms, trade: &Trade<'_>, qty: i128, cost: Money) -> bool {
        let head = &mut self.heads[holding.index()];
        if head.count == 0 {
            head.set_order(trade.qty.raw() > 0, terms.rules.inverse);
        }
        self.append(holding, trade.id, trade.day, NetQty::from_raw(qty), cost)
    }

    /// Makes one lot of all.
    fn merge_all(&mut self, holding: HoldingId) {
        while self.heads[holding.index()].count > 1 {
            let newest = self.heads[holding.index()].newest;
            let Some(&row) = self.get(newest) else { return };
            self.remove(holding, newest);
            let oldest = self.heads[holding.index()].oldest;
            self.grow_lot(holding, oldest, row.qty, row.cost);
        }
    }
}
