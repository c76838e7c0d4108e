//! Exposures: L23 to L28, margin (L30) and leverage (L31). An instrument counts with its position at the mark and with the worse side of
//! its open orders; instruments add up, and what the order changes is the share of its own.

use super::size::percent_of_equity;
use super::{Measure, Question, Terms, times};
use crate::groups::{GroupRow, OpenFigures, Totals};
use tradewind_domain::reject::RejectCode;

#[inline]
fn open_after(order: &Question<'_>) -> OpenFigures {
    let mut open = OpenFigures::of(&order.pair.flow);
    let qty = order.ask.added_qty();
    let value = order.added_value();
    if order.is_buy() {
        open.buy_qty += qty;
        open.buy_value += value;
    } else {
        open.sell_qty += qty;
        open.sell_value += value;
    }
    open
}

/// A figure of the order's instrument, before and after it. Inlined, so that what the figure does not need is not worked out.
#[inline(always)]
fn shares(order: &Question<'_>, figure: impl Fn(&Totals) -> i128) -> (i128, i128) {
    let (pair, open) = (order.pair, open_after(order));
    let margin = order.units.margin(pair.flow.position, &open, pair.mark_value);
    let after = Totals::share(pair.mark_value, open.buy_value, open.sell_value, margin);
    (figure(&Totals::of(pair)), figure(&after))
}

/// A sum in which the order's instrument has its share. A position that has no mark at all cannot be valued: what would increase
/// the use is refused until there is one (LIMITS section 14).
#[inline(always)]
fn sum(
    order: &Question<'_>,
    figure: impl Fn(&Totals) -> i128,
    scale: i64,
    limit: i128,
    code: RejectCode,
) -> Measure {
    let total = figure(order.totals());
    let (before, after) = shares(order, figure);
    measured(order, total - before + after, after > before, scale, limit, code)
}

/// True where the order's instrument has a position that nothing says the value of.
#[inline]
fn is_unvalued(order: &Question<'_>) -> bool {
    order.units.has_mark == 0 && order.pair.flow.position != 0
}

/// Gross exposure after the order, of a node with this gathered row; more than any where its instrument cannot be valued.
#[inline]
pub(super) fn gross_after(order: &Question<'_>, gathered: Option<&GroupRow>) -> i128 {
    if is_unvalued(order) {
        return i128::MAX;
    }
    let (before, after) = shares(order, |totals| totals.gross);
    gathered.map_or(0, |row| row.totals.gross) - before + after
}

#[inline]
fn measured(
    order: &Question<'_>,
    used: i128,
    grows: bool,
    scale: i64,
    limit: i128,
    code: RejectCode,
) -> Measure {
    if grows && is_unvalued(order) {
        return Measure::gate(true, RejectCode::NoReferencePrice);
    }
    Measure::new(times(used, scale), limit, code).growing(grows)
}

/// L23: what is long, or would be.
pub(super) fn long(terms: &Terms, order: &Question<'_>) -> Option<Measure> {
    Some(sum(
        order,
        |totals| totals.long,
        1,
        terms.hard,
        RejectCode::LongExposure,
    ))
}

/// L24: what is short, or would be.
pub(super) fn short(terms: &Terms, order: &Question<'_>) -> Option<Measure> {
    Some(sum(
        order,
        |totals| totals.short,
        1,
        terms.hard,
        RejectCode::ShortExposure,
    ))
}

/// L25: the worse of `|M + open buys|` and `|M - open sells|`, over all instruments together.
pub(super) fn net(terms: &Terms, order: &Question<'_>) -> Option<Measure> {
    let worse = |buys: i128, sells: i128| {
        let mark = order.totals().mark;
        (mark + buys).abs().max((mark - sells).abs())
    };
    let (buys, sells) = (order.flow.buy_value, order.flow.sell_value);
    let added = order.added_value();
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
        terms.hard,
        RejectCode::NetExposure,
    ))
}

/// L26: all instruments, long and short alike.
pub(super) fn gross(terms: &Terms, order: &Question<'_>) -> Option<Measure> {
    Some(sum(
        order,
        |totals| totals.gross,
        1,
        terms.hard,
        RejectCode::GrossExposure,
    ))
}

/// L27: one instrument, in percent of equity.
pub(super) fn concentration(terms: &Terms, order: &Question<'_>) -> Option<Measure> {
    let (before, after) = shares(order, |totals| totals.gross);
    let limit = percent_of_equity(terms, order);
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
pub(super) fn sector(terms: &Terms, order: &Question<'_>) -> Option<Measure> {
    Some(sum(
        order,
        |totals| totals.gross,
        100,
        percent_of_equity(terms, order),
        RejectCode::Sector,
    ))
}

/// L30: initial margin, in percent of equity.
pub(super) fn margin(terms: &Terms, order: &Question<'_>) -> Option<Measure> {
    Some(sum(
        order,
        |totals| totals.margin,
        100,
        percent_of_equity(terms, order),
        RejectCode::Margin,
    ))
}

/// L31: gross exposure against equity; `hard` is a multiple.
pub(super) fn leverage(terms: &Terms, order: &Question<'_>) -> Option<Measure> {
    let limit = terms.hard.saturating_mul(order.node.equity.max(0));
    Some(sum(order, |totals| totals.gross, 1, limit, RejectCode::Leverage))
}
