//! Tax lots: what was realised lot by lot, what is held, and what could be sold at a loss (ANALYTICS section 8).
//!
//! Lots are made from the movements of positions as they stand at the journal's end, on the books' own road: trades, corrected ones with
//! their last version, busted ones not at all, with fees in the basis; splits, margin and settlements of contracts. Purchases of the owner's other accounts count for the wash-sale rule.
//!
//! # Invariants
//! - Cost, proceeds and gain of the pieces are those of the lot engine; nothing is priced here.
//! - A disallowed loss is added to the basis of the lot that replaces what was sold, and moves its holding period; where that lot is in an
//!   account for retirement, the loss is lost.
//!
//! Not here: short sales in the wash-sale rule, and a replacement that is suggested (nothing here knows what moves alike).

mod harvest;
mod identity;
mod netting;
mod owner;
mod realised;
mod run;
mod units;

pub use harvest::HarvestTerms;
pub(crate) use harvest::make as harvest;

use crate::ReportOptions;
use crate::cash::{day_cell, decimals};
use crate::error::ReportError;
use crate::model::{Cell, Chart, Highlight, Report, Section, Series, place};
use crate::period::Period;
use crate::walk::{Walked, walk};
use identity::Identity;
use owner::{OwnTrade, OwnerTrades, TradeKey};
use realised::{Piece, Realised, WashLine};
use std::collections::BTreeMap;
use std::path::Path;
use tradewind_domain::fixed::{Money, NetQty};
use tradewind_domain::ids::InstrumentId;
use tradewind_domain::time::{DayNumber, civil, day_number};

/// The most sums at the top.
const HIGHLIGHTS_MAX: usize = 4;
/// The most bars of a picture that names them.
const RANKED_MAX: usize = 12;

/// True for what was held for more than a year: sold after the day of the next year that is called as the day of purchase.
fn is_long_term(held_from: DayNumber, day: DayNumber) -> bool {
    let (year, month, date) = civil(held_from);
    let next = day_number(year + 1, month, date).or_else(|| day_number(year + 1, 3, 1)); // 29 February
    next.is_some_and(|next| day > next)
}

fn term(held_from: i64, day: DayNumber) -> &'static str {
    // What counts as held from before 1970 was held long enough.
    match DayNumber::try_from(held_from) {
        Ok(from) if !is_long_term(from, day) => "SHORT",
        _ => "LONG",
    }
}

fn held_from(day: i64) -> Cell {
    Cell::or_none(DayNumber::try_from(day).ok().map(day_cell))
}

/// The execution that opened a lot.
fn lot_name(trades: &BTreeMap<TradeKey, OwnTrade>, open: TradeKey) -> Cell {
    Cell::or_none(trades.get(&open).map(|own| Cell::text(own.trade.exec_id.clone())))
}

/// The report of realised and open lots.
pub(crate) fn tax_lots(
    data: &Path,
    account: &str,
    period: Period,
    options: &ReportOptions,
) -> Result<Report, ReportError> {
    let mut gathered = OwnerTrades::default();
    // Purchases after the period may replace what was sold in it.
    let mut walked = walk(data, account, Period::default(), &mut gathered)?;
    let identity = Identity::of(&options.tax, &walked)?;
    let found = Realised::of(&gathered, &walked, (options.method, &identity), period.to)?;
    walked.scope.from = period.from.or(walked.scope.from);
    walked.scope.to = period.to.or(walked.scope.to);
    let pieces: Vec<&Piece> = found
        .pieces
        .iter()
        .filter(|piece| period.contains(piece.close_day))
        .collect();
    let is_retirement = identity.is_retirement(walked.account);
    let of_tax: &[&Piece] = if is_retirement { &[] } else { &pieces };
    let sections = vec![
        by_term(&walked, &pieces)?,
        netting::by_year(&walked, of_tax)?,
        realised_pieces(&walked, &gathered, &pieces),
        washes(
            &walked,
            &gathered,
            found.washes.iter().filter(|line| period.contains(line.day)),
        ),
        open_lots(&walked, &gathered, &found),
    ];
    let notes = notes(options, is_retirement);
    Ok(Report {
        name: "tax-lots",
        has_tax_rules: options.has_tax_rules(),
        title: "Tax lots",
        highlights: sums(&walked, &pieces)?,
        sections,
        as_of: walked.as_of,
        scope: walked.scope,
        notes,
    })
}

fn notes(options: &ReportOptions, is_retirement: bool) -> Vec<String> {
    let method = options.method;
    let bound = match options.tax.coins {
        true => "shares and coins",
        false => "shares",
    };
    let mut notes = vec![
        format!("Lots close in the order {method}, fees are part of cost and proceeds. Held more than a year is LONG."),
        format!("The wash-sale rule is applied to {bound}, over all accounts of the owner and what is identical. Information, not advice."),
        "Netting is of this account and period alone; at most 3,000 of a year's loss go against income, the rest to the next year.".to_owned(),
    ];
    if is_retirement {
        notes.push(
            "Gains and losses in an account for retirement are none for tax: there is nothing to net."
                .to_owned(),
        );
    }
    notes
}

/// What there is to report, by currency.
fn sums(walked: &Walked, pieces: &[&Piece]) -> Result<Vec<Highlight>, ReportError> {
    let mut by_currency: BTreeMap<String, ([i128; 2], u8)> = BTreeMap::new();
    for piece in pieces {
        let [.., disallowed, reported] = piece.figures();
        let (sums, dp) = by_currency
            .entry(walked.names().currency(piece.currency))
            .or_default();
        *dp = decimals(&walked.at(), piece.currency);
        for (sum, figure) in sums.iter_mut().zip([reported, disallowed]) {
            *sum = sum.checked_add(figure).ok_or(ReportError::Overflow)?;
        }
    }
    let mut found = Vec::new();
    for (code, (sums, dp)) in by_currency {
        for (title, raw) in ["Gain or loss reported", "Disallowed by wash sales"]
            .into_iter()
            .zip(sums)
        {
            found.push(Highlight::new(
                title,
                Cell::Money(Money::from_raw(raw), dp),
                code.clone(),
            ));
        }
    }
    found.truncate(HIGHLIGHTS_MAX);
    found.push(Highlight::new(
        "Pieces realised",
        Cell::Count(pieces.len() as u64),
        "",
    ));
    Ok(found)
}

/// Sums by currency and term.
fn by_term(walked: &Walked, pieces: &[&Piece]) -> Result<Section, ReportError> {
    let mut section = Section::new(
        "by_term",
        "Realised by term",
        &[
            ("currency", "Currency"),
            ("term", "Term"),
            ("pieces", "Pieces"),
            ("proceeds", "Proceeds"),
            ("cost", "Cost or basis"),
            ("gain", "Gain or loss"),
            ("disallowed", "Wash sales disallowed"),
            ("reported", "Gain or loss reported"),
        ],
    );
    let mut sums: BTreeMap<(String, &'static str), (u64, [i128; 5], u8)> = BTreeMap::new();
    for piece in pieces {
        let dp = decimals(&walked.at(), piece.currency);
        let key = (
            walked.names().currency(piece.currency),
            term(piece.held_from, piece.close_day),
        );
        let (count, sum, at_dp) = sums.entry(key).or_default();
        (*count, *at_dp) = (*count + 1, dp);
        for (sum, figure) in sum.iter_mut().zip(piece.figures()) {
            *sum = sum.checked_add(figure).ok_or(ReportError::Overflow)?;
        }
    }
    let mut bars = Vec::new();
    for ((currency, term), (count, sum, dp)) in sums {
        bars.push((format!("{term} {currency}"), place(sum[4])));
        let [proceeds, cost, gain, disallowed, reported] =
            sum.map(|raw| Cell::Money(Money::from_raw(raw), dp));
        section.push([
            Cell::text(currency),
            Cell::text(term),
            Cell::Count(count),
            proceeds,
            cost,
            gain,
            disallowed,
            reported,
        ]);
    }
    if bars.len() > 1 {
        section.charts.push(Chart {
            title: "Gain or loss reported".to_owned(),
            series: Series::Ranked(bars),
        });
    }
    Ok(section)
}

fn realised_pieces(walked: &Walked, gathered: &OwnerTrades, pieces: &[&Piece]) -> Section {
    let mut section = Section::new(
        "realised",
        "Realised",
        &[
            ("symbol", "Instrument"),
            ("lot", "Lot"),
            ("qty", "Quantity"),
            ("acquired", "Acquired"),
            ("held_from", "Held from"),
            ("sold", "Closed"),
            ("term", "Term"),
            ("proceeds", "Proceeds"),
            ("cost", "Cost or basis"),
            ("gain", "Gain or loss"),
            ("disallowed", "Disallowed"),
            ("reported", "Reported"),
            ("currency", "Currency"),
            ("side", "Side"),
        ],
    );
    for piece in pieces {
        let dp = decimals(&walked.at(), piece.currency);
        let [proceeds, cost, gain, disallowed, reported] =
            piece.figures().map(|raw| Cell::Money(Money::from_raw(raw), dp));
        section.push([
            Cell::text(walked.names().symbol(piece.instrument)),
            lot_name(&gathered.by_key, (piece.open, piece.account)),
            Cell::Qty(piece.qty),
            day_cell(piece.open_day),
            held_from(piece.held_from),
            day_cell(piece.close_day),
            Cell::text(term(piece.held_from, piece.close_day)),
            proceeds,
            cost,
            gain,
            disallowed,
            reported,
            Cell::text(walked.names().currency(piece.currency)),
            Cell::text(if piece.is_long { "LONG" } else { "SHORT SALE" }),
        ]);
    }
    section
}

fn washes<'a>(walked: &Walked, gathered: &OwnerTrades, lines: impl Iterator<Item = &'a WashLine>) -> Section {
    let mut section = Section::new(
        "wash_sales",
        "Wash sales",
        &[
            ("symbol", "Instrument"),
            ("lot", "Lot sold"),
            ("sold", "Sold"),
            ("qty", "Quantity"),
            ("disallowed", "Disallowed"),
            ("replacement", "Replacement"),
            ("bought", "Bought"),
            ("acquired", "Acquired"),
            ("effect", "Effect"),
            ("held_from", "Now held from"),
            ("account", "Account"),
        ],
    );
    for line in lines {
        let replaced = gathered.by_key.get(&line.replacement);
        section.push([
            Cell::text(walked.names().symbol(line.instrument)),
            lot_name(&gathered.by_key, (line.lot, line.account)),
            day_cell(line.day),
            Cell::Qty(line.qty),
            Cell::Money(Money::from_raw(line.amount), line.money_dp),
            lot_name(&gathered.by_key, line.replacement),
            Cell::or_none(replaced.map(|own| Cell::text(walked.names().symbol(own.trade.instrument)))),
            Cell::or_none(replaced.map(|own| day_cell(own.trade.trade_day))),
            Cell::text(if line.held_from.is_some() {
                "DEFERRED"
            } else {
                "LOST"
            }),
            Cell::or_none(line.held_from.map(held_from)),
            Cell::or_none(replaced.map(|own| Cell::text(walked.names().account(own.account)))),
        ]);
    }
    section
}

fn open_lots(walked: &Walked, gathered: &OwnerTrades, found: &Realised) -> Section {
    let mut section = Section::new(
        "open_lots",
        "Open lots",
        &[
            ("symbol", "Instrument"),
            ("lot", "Lot"),
            ("acquired", "Acquired"),
            ("qty", "Quantity"),
            ("cost", "Cost"),
            ("wash_added", "Added by wash sales"),
            ("basis", "Basis"),
            ("currency", "Currency"),
        ],
    );
    let mut by_symbol: BTreeMap<String, i128> = BTreeMap::new();
    let mut rows: Vec<(String, InstrumentId)> = found
        .instruments()
        .map(|id| (walked.names().symbol(id), id))
        .collect();
    rows.sort();
    for (symbol, instrument) in rows {
        let currency = walked
            .replica
            .registry()
            .instrument(instrument)
            .map(|row| row.currency);
        let currency = currency.unwrap_or(tradewind_domain::ids::CurrencyId::NONE);
        let dp = decimals(&walked.at(), currency);
        for lot in found.lots_of(instrument) {
            let sign = found.sign_of(instrument);
            let added = found.added_to(lot.open);
            let basis = lot.cost.raw().saturating_add(added);
            *by_symbol.entry(symbol.clone()).or_default() += basis;
            section.push([
                Cell::text(symbol.clone()),
                lot_name(&gathered.by_key, (lot.open, walked.account)),
                day_cell(lot.day),
                Cell::Qty(NetQty::from_raw(sign * lot.qty.raw())),
                Cell::Money(lot.cost, dp),
                Cell::Money(Money::from_raw(added), dp),
                Cell::Money(Money::from_raw(basis), dp),
                Cell::text(walked.names().currency(currency)),
            ]);
        }
    }
    let mut points: Vec<(String, f64)> = by_symbol
        .into_iter()
        .map(|(name, basis)| (name, place(basis)))
        .collect();
    if points.len() > 1 {
        points.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        points.truncate(RANKED_MAX);
        section.charts.push(Chart {
            title: "Basis by instrument".to_owned(),
            series: Series::Ranked(points),
        });
    }
    section
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::time::parse_date;

    #[test]
    fn more_than_a_year_begins_the_day_after_the_anniversary() {
        let is_long = |from: &str, to: &str| is_long_term(parse_date(from).unwrap(), parse_date(to).unwrap());
        assert!(!is_long("2025-06-01", "2026-06-01"));
        assert!(is_long("2025-06-01", "2026-06-02"));
        assert!(!is_long("2024-02-29", "2025-03-01"));
        assert!(is_long("2024-02-29", "2025-03-02"));
        assert_eq!(term(-5, 100), "LONG");
    }
}
