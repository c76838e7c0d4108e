//! What the rest of an order needs: limit value and cash of the order as it stands, and of the order that a pending replace asks for.
//!
//! While a replace is on its way an order holds the larger of the two, worked out anew with each fill (LIMITS section 2, rule b):
//! nobody knows yet which of them the venue has.
//!
//! # Invariants
//! - The need of a smaller rest is never larger, so a fill never has to be refused for want of a reservation.
//! - Where a rest cannot be valued (its instrument was redefined since) all its cash stays held: releasing too late is safe.

use super::book::Book;
use crate::orders::table::{OrderRow, parts_value};
use tradewind_domain::fixed::{Money, NetQty, Price, Qty};
use tradewind_domain::reference::Instrument;
use tradewind_domain::rounding::{self, Rounding};

/// What is held for a rest.
#[derive(Clone, Copy, Default)]
pub(super) struct Need {
    /// Limit value (1e-16 base).
    pub(super) value: i128,
    /// Principal and estimated fee, in units of 1e-8.
    pub(super) cash: i128,
    /// The estimated fee within `cash`.
    pub(super) fee: i128,
}

impl Need {
    /// The larger in each figure; the fee is the one within the larger cash.
    fn max(self, other: Self) -> Self {
        let of_cash = if other.cash > self.cash { other } else { self };
        Self {
            value: self.value.max(other.value),
            ..of_cash
        }
    }
}

impl Book {
    /// Of the order as it stands.
    pub(super) fn need_of_old(&self, row: &OrderRow) -> Need {
        // Fills since a replace was accepted have lowered the leaves, not `cash`.
        let since = if row.has_replace() {
            row.cum.saturating_sub(row.pending_cum)
        } else {
            0
        };
        let whole = row.leaves.saturating_add(since);
        let instrument = self.market.instrument(row.instrument);
        // Cash is held for what opens: all of a purchase, the short part of a binary sale.
        let closed = if row.has_replace() {
            row.pending_close
        } else {
            row.close_qty
        };
        let (whole, rest) = (
            whole.saturating_sub(closed),
            row.leaves.saturating_sub(row.close_qty),
        );
        Need {
            value: row.open_value(),
            ..cash_need(row.cash, whole, rest, row.risk_px, instrument)
        }
    }

    /// Of the order that a pending replace asks for: its quantity less all fills, those since it was accepted included.
    pub(super) fn need_of_new(&self, row: &OrderRow) -> Need {
        let (whole, rest) = (row.new_qty.saturating_sub(row.pending_cum), row.new_leaves());
        let instrument = self.market.instrument(row.instrument);
        let close = row.new_close_left();
        let (whole_opens, opens) = (
            whole.saturating_sub(row.new_close_qty),
            rest.saturating_sub(close),
        );
        Need {
            value: parts_value(rest, close, row.new_unit, row.new_short_unit),
            ..cash_need(row.new_cash, whole_opens, opens, row.new_risk_px, instrument)
        }
    }

    /// What the order has to hold: its own need, or the larger of both while a replace is pending.
    pub(super) fn need(&self, row: &OrderRow) -> Need {
        let old = self.need_of_old(row);
        if row.has_replace() {
            old.max(self.need_of_new(row))
        } else {
            old
        }
    }
}

/// Void and reserve again (SETTLEMENT section 12): the principal of the rest, ceiled, and of the fee estimate that `cash` holds for
/// `whole` what is left once the filled part's share, half even, is taken out.
pub(super) fn cash_need(
    cash: Money,
    whole: i64,
    rest: i64,
    px: i64,
    instrument: Option<&Instrument>,
) -> Need {
    if cash.is_zero() || rest <= 0 {
        return Need::default();
    }
    let all = Need {
        cash: cash.raw(),
        ..Need::default()
    };
    instrument
        .and_then(|instrument| cash_share(cash, whole, rest, px, instrument))
        .unwrap_or(all)
}

fn cash_share(cash: Money, whole: i64, rest: i64, px: i64, instrument: &Instrument) -> Option<Need> {
    let principal = |qty| {
        rounding::principal(
            instrument,
            Qty::from_raw(qty),
            Price::from_raw(px),
            Rounding::Ceiling,
        )
        .map(|principal| principal.raw().max(0))
    };
    let fee = Money::from_raw((cash.raw() - principal(whole)?).max(0));
    if rest >= whole {
        return Some(Need {
            value: 0,
            cash: cash.raw(),
            fee: fee.raw(),
        });
    }
    let fee = if fee.is_zero() {
        0
    } else {
        let gone = NetQty::from_raw(i128::from(whole) - i128::from(rest));
        let share = rounding::split(fee, gone, NetQty::from_raw(whole.into()), instrument.money_dp)?;
        fee.raw() - share.raw()
    };
    Some(Need {
        value: 0,
        cash: (principal(rest)? + fee).min(cash.raw()),
        fee,
    })
}
