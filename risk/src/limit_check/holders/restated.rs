//! What a bust or correction changes of the corporate actions behind its trade: worked out once, recorded with it, and applied.

use super::Book;
use crate::actions::Shift;
use crate::limit_check::bust::side_of;
use tradewind_domain::event::{Adjustment, TakenBack};
use tradewind_domain::fixed::Money;
use tradewind_domain::reference::Instrument;
use tradewind_domain::reject::RejectCode;

impl Book {
    /// What a bust or correction changes of the corporate actions behind its trade. `Err` where it does not fit.
    pub(in crate::limit_check) fn adjustment_of(
        &self,
        taken: &TakenBack,
        instrument: &Instrument,
        new: (i64, Money),
    ) -> Result<Adjustment, RejectCode> {
        let shift = shift_of(taken, new);
        self.actions
            .adjustment(taken.holding, taken.trade_seq, instrument, shift)
            .ok_or(RejectCode::Overflow)
    }

    /// Makes such changes true: positions of the account and above, cash, and what is retained of the actions.
    pub(in crate::limit_check) fn apply_adjustment(
        &mut self,
        taken: &TakenBack,
        instrument: &Instrument,
        new: (i64, Money),
        adjustment: &Adjustment,
    ) {
        self.actions
            .restate(taken.holding, taken.trade_seq, instrument, shift_of(taken, new));
        if taken.adjusts == 0 {
            return;
        }
        let mut pair = self.hierarchy.find_pair(taken.leaf, taken.instrument);
        while adjustment.qty != 0 && self.hierarchy.pair(pair).is_some() {
            pair = self
                .hierarchy
                .change_pair(pair, |flow| flow.shift(adjustment.qty.into()));
        }
        if let Some(wallet) = self.wallets.row_mut(taken.wallet) {
            wallet.settled = Money::from_raw(wallet.settled.raw() + adjusted_cash(adjustment));
        }
    }
}

/// Money that an adjustment brings.
fn adjusted_cash(adjustment: &Adjustment) -> i128 {
    adjustment.cash.raw() + adjustment.income.raw() - adjustment.withheld.raw()
}

/// By how much quantity and money of a trade change where another version takes its place.
fn shift_of(taken: &TakenBack, (qty, principal): (i64, Money)) -> Shift {
    let sign = side_of(taken).sign();
    Shift {
        qty: sign * (i128::from(qty) - i128::from(taken.qty)),
        value: sign * (principal.raw() - taken.principal.raw()),
    }
}
