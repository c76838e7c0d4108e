//! Exposures: L23 to L28, margin (L30) and leverage (L31). An instrument counts with its position at the mark and with the worse side of
//! its open orders; instruments add up, and what the order changes is the share of its own.

use super::size::percent_of_equity;
use super::{LimitRow, Measure, Question};
use crate::groups::{OpenFigures, Totals};
use tradewind_domain::reject::RejectCode;

/// The share of the order's instrument, before and after it.
struct Shares {
    before: Totals,
    after: Totals,
}

#[inline]
fn open_after(order: &Question<'_>) -> OpenFigures {
    let mut open = OpenFigures::of(&order.pair.flow);
    let qty = i128::from(order.leaves) - i128::from(order.old_qty);
    let value = order.value - order.old_value;
    if order.is_buy() {
        open.buy_qty += qty;
        open.buy_value += value;
    } else {
        open.sell_qty += qty;
        open.sell_value += value;
    }
    open
}

#[inline]
fn shares(order: &Question<'_>) -> Shares {
    let (pair, open) = (order.pair, open_after(order));
    let margin = order.units.margin(pair.flow.position, &open, pair.mark_value);
    Shares {
        before: Totals::of(pair),
        after: Totals::share(pair.mark_value, open.buy_value, open.sell_value, margin),
    }
}

/// A sum in which the order's instrument has its share. A position that has no mark at all cannot be valued: what would increase
/// the use is refused until there is one (LIMITS section 14).
#[inline]
fn sum(
    order: &Question<'_>,
    figure: fn(&Totals) -> i128,
    scale: i128,
    limit: i128,
    code: RejectCode,
) -> Measure {
    let shares = shares(order);
    let (before, after) = (figure(&shares.before), figure(&shares.after));
    measured(
        order,
        figure(order.totals) - before + after,
        after > before,
        scale,
        limit,
        code,
    )
}

#[inline]
fn measured(
    order: &Question<'_>,
    used: i128,
    grows: bool,
    scale: i128,
    limit: i128,
    code: RejectCode,
) -> Measure {
    if grows && order.units.has_mark == 0 && order.pair.flow.position != 0 {
        return Measure::gate(true, RejectCode::NoReferencePrice);
    }
    Measure::new(used.saturating_mul(scale), limit, code).growing(grows)
}

/// L23: what is long, or would be.
pub(super) fn long(row: &LimitRow, order: &Question<'_>) -> Option<Measure> {
    Some(sum(
        order,
        |totals| totals.long,
        1,
        row.hard,
        RejectCode::LongExposure,
    ))
}

/// L24: what is short, or would be.
pub(super) fn short(row: &LimitRow, order: &Question<'_>) -> Option<Measure> {
    Some(sum(
        order,
        |totals| totals.short,
        1,
        row.hard,
        RejectCode::ShortExposure,
    ))
}

/// L25: the worse of `|M + open buys|` and `|M - open sells|`, over all instruments together.
pub(super) fn net(row: &LimitRow, order: &Question<'_>) -> Option<Measure> {
    let worse = |buys: i128, sells: i128| {
        let mark = order.totals.mark;
        (mark + buys).abs().max((mark - sells).abs())
    };
    let (buys, sells) = (order.flow.buy_value, order.flow.sell_value);
    let added = order.value - order.old_value;
    let before = worse(buys, sells);
    let after = if order.is_buy() {
        worse(buys + added, sells)
    } else {
        worse(buys, sells + added)
    };
    Some(measured(
        order,
        after,
        after > before,
        1,
        row.hard,
        RejectCode::NetExposure,
    ))
}

/// L26: all instruments, long and short alike.
pub(super) fn gross(row: &LimitRow, order: &Question<'_>) -> Option<Measure> {
    Some(sum(
        order,
        |totals| totals.gross,
        1,
        row.hard,
        RejectCode::GrossExposure,
    ))
}

/// L27: one instrument, in percent of equity.
pub(super) fn concentration(row: &LimitRow, order: &Question<'_>) -> Option<Measure> {
    let shares = shares(order);
    let (before, after) = (shares.before.gross, shares.after.gross);
    let limit = percent_of_equity(row, order);
    Some(measured(
        order,
        after,
        after > before,
        100,
        limit,
        RejectCode::Concentration,
    ))
}

/// L28: the order's sector, in percent of equity.
pub(super) fn sector(row: &LimitRow, order: &Question<'_>) -> Option<Measure> {
    Some(sum(
        order,
        |totals| totals.gross,
        100,
        percent_of_equity(row, order),
        RejectCode::Sector,
    ))
}

/// L30: initial margin, in percent of equity.
pub(super) fn margin(row: &LimitRow, order: &Question<'_>) -> Option<Measure> {
    Some(sum(
        order,
        |totals| totals.margin,
        100,
        percent_of_equity(row, order),
        RejectCode::Margin,
    ))
}

/// L31: gross exposure against equity; `hard` is a multiple.
pub(super) fn leverage(row: &LimitRow, order: &Question<'_>) -> Option<Measure> {
    let limit = row.hard.saturating_mul(order.node.equity.max(0));
    Some(sum(order, |totals| totals.gross, 1, limit, RejectCode::Leverage))
}
