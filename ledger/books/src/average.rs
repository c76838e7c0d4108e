//! Average cost: a position's row, and what trades, splits and settlements do to it.
//!
//! # Invariants
//! - A flat position costs nothing.
//! - What is decided here is integers that a record carries; [`PositionRow`] only adds them.

use crate::lots::Rules;
use crate::replay::Version;
use crate::wide::{mul_div_half_even, share};
use bytemuck::{Pod, Zeroable};
use tradewind_domain::codes::Side;
use tradewind_domain::corporate::{Ratio, SplitQty};
use tradewind_domain::event::{
    Adjustment, CorporateAction, Event, Execution, HolderAction, Kind, TakenBack, TradeBust,
};
use tradewind_domain::fixed::{Money, NetQty, ONE, Price};
use tradewind_domain::ids::{AccountId, InstrumentId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::rounding::{self, Rounding, div_round};

/// A holding's position: average cost, one continuous record through all crossings of zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct PositionRow {
    /// Signed quantity.
    pub qty: NetQty,
    /// Money of the fills that make it up: paid (long) or received (short).
    pub cost: Money,
    /// Realised profit, before fees.
    pub realised: Money,
    /// Fees paid, rebates subtracted.
    pub fees: Money,
    /// Quantity that opened or added to a position, over all time.
    pub opened_qty: NetQty,
    /// Quantity that closed a position, over all time.
    pub closed_qty: NetQty,
    /// Executions that were not taken back.
    pub fills: u64,
    /// Account.
    pub account: AccountId,
    /// Instrument.
    pub instrument: InstrumentId,
    /// Realised profit in base currency: each piece at the rate of the trade that closed it, half up to 0.01.
    pub realised_base: Money,
}

const _: () = assert!(size_of::<PositionRow>() == 128); // two cache lines

/// What a position earned beside trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct IncomeRow {
    /// Dividends and fundings, gross; negative where they were paid.
    pub gross: Money,
    /// Tax withheld from them.
    pub withheld: Money,
    /// Both together in base currency, each payment at the rate of its day, half up to 0.01.
    pub net_base: Money,
    /// Of contracts that move no principal the profit that was paid as cash: margin, and the settlement.
    pub margin: Money,
}

impl IncomeRow {
    /// What the account got.
    pub const fn net(&self) -> Money {
        Money::from_raw(self.gross.raw().wrapping_sub(self.withheld.raw()))
    }

    pub(crate) fn add(&mut self, gross: Money, withheld: Money, rate: i64) {
        self.gross = add(self.gross, gross);
        self.withheld = add(self.withheld, withheld);
        self.net_base = add(
            self.net_base,
            in_base(Money::from_raw(gross.raw().wrapping_sub(withheld.raw())), rate),
        );
    }
}

/// An amount in base currency, half up to 0.01. What does not fit counts nothing: amounts of one event are far below that.
pub fn in_base(amount: Money, rate: i64) -> Money {
    const CENT: i128 = ONE as i128 / 100;
    let product = amount.raw().checked_mul(i128::from(rate));
    let cents = product.and_then(|product| div_round(product, i128::from(ONE) * CENT, Rounding::HalfUp));
    Money::from_raw(cents.unwrap_or(0) * CENT)
}

/// What an execution does to a position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Profit of the closed part, before fees.
    pub realised: Money,
    /// Change of the cost.
    pub cost_delta: Money,
    /// Quantity that closed, at 1e-8.
    pub closed_qty: i64,
}

#[inline]
pub(crate) fn side_sign(side: u8) -> i128 {
    Side::from_code(side).map_or(0, Side::sign)
}

/// Signed quantity of an execution; zero where the side is none, which the limit check never accepts.
#[inline]
pub(crate) fn signed_qty(execution: &Execution) -> i128 {
    side_sign(execution.side) * i128::from(execution.qty)
}

/// What the execution does to the position (SETTLEMENT section 6, average cost). Reads state, changes nothing.
#[inline]
pub fn decide(position: &PositionRow, rules: Rules, execution: &Execution) -> Facts {
    if execution.qty <= 0 {
        return Facts::default();
    }
    effect(position, rules, signed_qty(execution), execution.principal)
}

/// What a trade of this signed quantity and money does.
#[inline]
pub(crate) fn effect(position: &PositionRow, rules: Rules, signed: i128, value: Money) -> Facts {
    let held = position.qty.raw();
    if signed == 0 {
        return Facts::default();
    }
    if held == 0 || (held < 0) == (signed < 0) {
        return Facts {
            cost_delta: value,
            ..Facts::default()
        };
    }
    let (qty, open) = (signed.unsigned_abs(), held.unsigned_abs());
    let close = qty.min(open) as i128; // at most `qty`, which has 63 bits
    let closed_value = if close as u128 == qty {
        value
    } else {
        share(value, close, qty as i128, rules.money_dp)
    };
    let removed = if close as u128 == open {
        position.cost
    } else {
        share(position.cost, close, open as i128, rules.money_dp)
    };
    let gain = closed_value.raw().wrapping_sub(removed.raw());
    let gain = if (held < 0) != rules.inverse {
        gain.wrapping_neg()
    } else {
        gain
    };
    let opened_value = value.raw().wrapping_sub(closed_value.raw());
    Facts {
        realised: Money::from_raw(gain),
        cost_delta: Money::from_raw(opened_value.wrapping_sub(removed.raw())),
        closed_qty: close as i64,
    }
}

impl PositionRow {
    /// Makes the recorded facts true.
    #[inline]
    pub(crate) fn apply(&mut self, execution: &Execution) {
        let closed = i128::from(execution.closed_qty);
        self.qty = NetQty::from_raw(self.qty.raw().wrapping_add(signed_qty(execution)));
        self.cost = add(self.cost, execution.cost_delta);
        self.realised = add(self.realised, execution.realised);
        self.fees = add(self.fees, execution.fee);
        self.opened_qty = NetQty::from_raw(
            self.opened_qty
                .raw()
                .wrapping_add(i128::from(execution.qty) - closed),
        );
        self.closed_qty = NetQty::from_raw(self.closed_qty.raw().wrapping_add(closed));
        self.fills += 1;
        self.account = execution.account;
        self.instrument = execution.instrument;
    }

    /// Makes the recorded facts of a bust or correction true.
    pub(crate) fn restate(&mut self, taken: &TakenBack, new: &Restated) {
        let sign = side_sign(taken.side);
        let qty = i128::from(new.qty) - i128::from(taken.qty);
        let closed = i128::from(new.facts.closed_qty);
        self.qty = plus(self.qty, sign * qty + i128::from(new.adjustment.qty));
        self.cost = add(self.cost, new.facts.cost_delta);
        self.realised = add(self.realised, new.facts.realised);
        self.fees = add(self.fees, new.fee);
        self.fees = add(self.fees, taken.fee.neg());
        self.closed_qty = plus(self.closed_qty, closed);
        self.opened_qty = if taken.adjusts == 0 {
            plus(self.opened_qty, qty - closed)
        } else {
            plus(self.closed_qty, self.qty.abs().raw())
        };
        self.fills = self.fills.wrapping_sub(u64::from(new.is_bust));
    }

    /// Makes a change of quantity true that no trade made.
    fn rescale(&mut self, qty_delta: i64) {
        let before = self.qty.abs();
        self.qty = plus(self.qty, qty_delta.into());
        let grown = self.qty.abs().raw().wrapping_sub(before.raw());
        self.opened_qty = plus(self.opened_qty, grown);
    }

    /// Makes a holder's part of a split true: what was not paid for the fraction is the profit.
    pub(crate) fn apply_split(&mut self, split: &CorporateAction) -> Money {
        let realised = split.split_profit();
        self.cost = add(self.cost, split.cost_delta);
        self.realised = add(self.realised, realised);
        self.rescale(split.qty_delta);
        realised
    }

    /// Makes variation margin or the settlement of a contract true.
    pub(crate) fn apply_action(&mut self, action: &HolderAction) {
        self.cost = add(self.cost, action.cost_delta);
        self.realised = add(self.realised, action.realised);
        self.qty = plus(self.qty, action.qty_delta.into());
        self.closed_qty = plus(self.closed_qty, i128::from(action.qty_delta).abs());
    }

    /// Profit at `mark` that is not realised yet. `None` where the value does not fit or has none (inverse price not above zero).
    pub fn unrealised(&self, instrument: &Instrument, mark: Price) -> Option<Money> {
        let value = rounding::value_of(instrument, self.qty.abs(), mark, Rounding::HalfUp)?;
        let gain = value.checked_sub(self.cost)?;
        Some(if self.qty.is_negative() != instrument.is_inverse() {
            gain.neg()
        } else {
            gain
        })
    }

    /// Average price at 1e-8, half even: for display, never fed back. `None` for a flat position, or where it has none.
    pub fn avg_px(&self, instrument: &Instrument) -> Option<i128> {
        let qty_mult = self.qty.abs().raw().checked_mul(i128::from(instrument.mult))?;
        if instrument.is_inverse() {
            return mul_div_half_even(qty_mult, 1, self.cost.raw());
        }
        mul_div_half_even(self.cost.raw(), 10i128.pow(16), qty_mult)
    }
}

/// What stands in a trade's place after a bust or correction, and what that does to the position.
#[derive(Clone, Copy)]
pub(crate) struct Restated {
    /// Quantity at 1e-8; 0 after a bust.
    pub(crate) qty: i64,
    pub(crate) principal: Money,
    pub(crate) fee: Money,
    pub(crate) is_bust: bool,
    pub(crate) facts: Facts,
    /// What corporate actions since then change.
    pub(crate) adjustment: Adjustment,
}

impl Restated {
    /// As an accepted bust or correction records it.
    pub(crate) fn of(event: &Event) -> Self {
        let adjustment = event.adjustment();
        if event.kind() == Some(Kind::TradeBust) {
            let body: &TradeBust = event.body();
            return Self {
                qty: 0,
                principal: Money::ZERO,
                fee: Money::ZERO,
                is_bust: true,
                facts: Facts {
                    realised: body.realised,
                    cost_delta: body.cost_delta,
                    closed_qty: body.closed_qty,
                },
                adjustment,
            };
        }
        let body: &Execution = event.body();
        Self {
            qty: body.qty,
            principal: body.principal,
            fee: body.fee,
            is_bust: false,
            facts: Facts {
                realised: body.realised,
                cost_delta: body.cost_delta,
                closed_qty: body.closed_qty,
            },
            adjustment,
        }
    }

    pub(crate) fn version(&self, taken: &TakenBack) -> Version {
        Version {
            qty: side_sign(taken.side) as i64 * self.qty,
            principal: self.principal,
            fee: self.fee,
        }
    }

    /// The position's quantity once it is true.
    pub(crate) fn qty_after(&self, held: i128, taken: &TakenBack) -> i128 {
        let change = side_sign(taken.side) * (i128::from(self.qty) - i128::from(taken.qty));
        held.wrapping_add(change)
            .wrapping_add(i128::from(self.adjustment.qty))
    }
}

/// What a split does to a position: its facts, and the change of quantity. `cash` is what is paid for the fraction, unsigned.
pub(crate) fn split_effect(
    position: &PositionRow,
    rules: Rules,
    ratio: Ratio,
    split: SplitQty,
    cash: Money,
) -> (Facts, i128) {
    let held = position.qty.raw();
    let side = held.signum();
    let exact = held.saturating_abs().saturating_mul(i128::from(ratio.numerator));
    let cost = if split.fraction == exact {
        position.cost
    } else {
        share(position.cost, split.fraction, exact, rules.money_dp)
    };
    let cost_delta = cost.neg();
    let signed_cash = Money::from_raw(side.wrapping_mul(cash.raw()));
    let facts = Facts {
        realised: split_profit(position.qty, signed_cash, cost_delta),
        cost_delta,
        closed_qty: 0,
    };
    (facts, side * split.qty.raw() - held)
}

/// Profit of the fraction that a split leaves: its cash, which a short position pays, less its cost.
fn split_profit(held: NetQty, cash: Money, cost_delta: Money) -> Money {
    add(
        cash,
        Money::from_raw(held.raw().signum().wrapping_mul(cost_delta.raw())),
    )
}

/// What variation margin does: the position costs its value.
pub(crate) fn margin_effect(position: &PositionRow, rules: Rules, value: Money) -> Facts {
    let gain = value.raw().wrapping_sub(position.cost.raw());
    let is_opposite = position.qty.is_negative() != rules.inverse;
    Facts {
        realised: Money::from_raw(if is_opposite { gain.wrapping_neg() } else { gain }),
        cost_delta: Money::from_raw(gain),
        closed_qty: 0,
    }
}

/// The cost after an opposite trade of the same quantity and money, and a new one: for trades whose later fills are forgotten.
pub(crate) fn adjusted_cost(
    position: &PositionRow,
    rules: Rules,
    taken: &TakenBack,
    new: &Restated,
) -> Money {
    let sign = side_sign(taken.side);
    let held = position.qty.raw();
    let mut position = *position;
    for (signed, value) in [
        (-sign * i128::from(taken.qty), taken.principal),
        (sign * i128::from(new.qty), new.principal),
    ] {
        let facts = effect(&position, rules, signed, value);
        position.cost = add(position.cost, facts.cost_delta);
        position.qty = plus(position.qty, signed);
    }
    if new.qty_after(held, taken) == 0 {
        Money::ZERO
    } else {
        position.cost
    }
}

#[inline]
pub(crate) fn plus(sum: NetQty, change: i128) -> NetQty {
    NetQty::from_raw(sum.raw().wrapping_add(change))
}

#[inline]
pub(crate) fn add(sum: Money, amount: Money) -> Money {
    Money::from_raw(sum.raw().wrapping_add(amount.raw()))
}
