//! Lots: which purchases (or short sales) of a holding a closing trade closes, and what each of them earned (SETTLEMENT sections 5,
//! 6 and 12).
//!
//! One engine for average cost, FIFO, LIFO, HIFO and lots that the client names, for linear, inverse and binary contracts. It is asked
//! by the position stage for tax lots, by reports, and by the vectors. What a trade closes goes to a visitor, piece by piece.
//!
//! # Invariants
//! - The quantities of a holding's lots add up to its position, their costs to its cost; all lots are on one side, none is empty.
//! - `realised - side * cost` is the net money of the trades (with the fees where they are in the basis), to the minor unit, whatever
//!   the method; inverse contracts have the opposite sign.
//! - Integers only, nothing fails and nothing is refused: principal comes rounded, splits of it are half even and the remainder stays.
//! - Memory is taken at start-up. A trade costs what it closes, and for HIFO the logarithm of the holding's lots; never their number.
//! - A method never changes its meaning: who replays the same trades under the same methods gets the same lots.
//!
//! Lots that a trade names are looked for one by one: who lets trades name lots bounds how many a holding may have by then (the position
//! stage replays at most 4,096 movements).
//!
//! Where the pool is full the two oldest lots of the holding become one, at carried cost, and the holding says so
//! ([`LotHead::merges`]). Each holding has one row of its own, so that there always is a place.
//!
//! Not here: which trades count (the position stage), base currency, wash sales (reports).

mod highest;
mod pool;
mod split;
mod take;
mod trade;

#[cfg(test)]
mod naive;
#[cfg(test)]
mod tests;

pub use pool::{Lot, LotHead, Lots};
pub use split::Action;

use tradewind_domain::codes::LotMethod;
use tradewind_domain::fixed::{Money, NetQty};
use tradewind_domain::ids::Seq;
use tradewind_domain::time::DayNumber;

/// How an instrument's money is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Decimals of the currency's minor unit.
    pub money_dp: u8,
    /// True where value is `qty * mult / px`: what was paid is worth less as the price rises.
    pub inverse: bool,
}

/// How a holding's lots are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How money is counted.
    pub rules: Rules,
    /// Which lots close first.
    pub method: LotMethod,
    /// True where fees of purchases are part of the cost and fees of sales are taken from the proceeds (the tax view).
    pub fee_in_basis: bool,
}

/// A trade, as the lots see it.
#[derive(Clone, Copy, Debug)]
pub struct Trade<'a> {
    /// What the lots that it opens are called: the sequence number of its record.
    pub id: Seq,
    /// Signed quantity.
    pub qty: NetQty,
    /// Its money, rounded to the minor unit: `qty * px * mult`, of inverse contracts `qty * mult / px`. Unsigned but for negative prices.
    pub value: Money,
    /// Fee, negative for a rebate.
    pub fee: Money,
    /// Trade date.
    pub day: DayNumber,
    /// Lots that the client wants closed first, in this order; what is left goes by the method.
    pub named: &'a [NamedLot],
}

/// A lot that a client names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NamedLot {
    /// The trade that opened it.
    pub open: Seq,
    /// At most so much of it.
    pub qty: NetQty,
}

/// Why a piece of a lot was realised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosedBy {
    /// A trade on the other side, or the settlement of a contract.
    Trade,
    /// A fraction of a split that was paid in cash.
    CashInLieu,
    /// Variation margin: the lot stays, at a new cost.
    Revaluation,
}

/// A piece of a lot that was realised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The trade that opened the lot; of merged lots the oldest.
    pub open: Seq,
    /// Its trade date.
    pub open_day: DayNumber,
    /// The trade or corporate action that realised it.
    pub close: Seq,
    /// Its date.
    pub close_day: DayNumber,
    /// Quantity, above zero; of a fraction that a split leaves what there is of it at 1e-8, in units after the split.
    pub qty: NetQty,
    /// Cost that goes with it: of a long lot what was paid, of a short one what was received.
    pub cost: Money,
    /// What it was closed for: of a long lot what was received, of a short one what was paid.
    pub proceeds: Money,
    /// Profit.
    pub gain: Money,
    /// True for a long lot.
    pub is_long: bool,
    /// True where the lot was merged with others, since the pool was full: its date is that of the oldest.
    pub is_merged: bool,
    /// Why.
    pub by: ClosedBy,
}

/// What a trade or corporate action did to a holding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Profit of what was closed.
    pub realised: Money,
    /// Change of the cost.
    pub cost_delta: Money,
    /// Quantity that closed.
    pub closed: NetQty,
    /// True where lots were merged, since the pool is full.
    pub merged: bool,
}

/// The sum, which holds `2^47` amounts of the largest size and wraps rather than stops beyond them.
#[inline]
fn plus(sum: Money, amount: i128) -> Money {
    Money::from_raw(sum.raw().wrapping_add(amount))
}

/// Profit of a piece: proceeds less cost of a long linear lot, the opposite for short and for inverse ones.
#[inline]
fn gain_of(cost: Money, proceeds: Money, is_long: bool, inverse: bool) -> Money {
    let gain = proceeds.raw().wrapping_sub(cost.raw());
    Money::from_raw(if is_long == inverse {
        gain.wrapping_neg()
    } else {
        gain
    })
}
