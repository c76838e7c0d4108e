//! Lots at a loss that could be sold, and how much of the loss the wash-sale rule would leave (ANALYTICS section 8).

use super::owner::OwnerTrades;
use super::realised::{Realised, is_share};
use super::{held_from, lot_name, term};
use crate::cash::{day_cell, decimals};
use crate::error::ReportError;
use crate::model::{Cell, Chart, Highlight, Report, Section, Series, place};
use crate::period::Period;
use crate::walk::{Walked, walk};
use std::path::Path;
use tradewind_analytics::{Figure, WINDOW_DAYS};
use tradewind_books::lots::Lot;
use tradewind_domain::codes::LotMethod;
use tradewind_domain::fixed::{Money, NetQty, ONE, Price};
use tradewind_domain::ids::{CurrencyId, InstrumentId};
use tradewind_domain::rounding::{Rounding, div_round, value_of};
use tradewind_domain::time::DayNumber;
use tradewind_domain::wide::{mul_div_half_even, share};

/// The most bars of a picture that names them.
const RANKED_MAX: usize = 12;

/// What makes a lot a candidate, and what its loss is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HarvestTerms {
    /// The smallest loss, in the instrument's currency.
    pub loss_min: Money,
    /// The smallest loss as a share of cost.
    pub share_min: Figure,
    /// Tax rate on short-term gains; one where the loss itself is the score.
    pub rate_short: Figure,
    /// Tax rate on long-term gains.
    pub rate_long: Figure,
}

impl HarvestTerms {
    /// From decimals at 1e-8 as people write them: an amount, and percentages. `None` where one is negative or too large.
    pub fn of_decimals(
        loss_min: i64,
        share_min_pct: i64,
        rate_short_pct: i64,
        rate_long_pct: i64,
    ) -> Option<Self> {
        let share = |percent: i64| match percent {
            0.. => Figure::of(percent.into(), 100 * i128::from(ONE)),
            _ => None,
        };
        Some(Self {
            loss_min: Money::from_raw(u64::try_from(loss_min).ok()?.into()),
            share_min: share(share_min_pct)?,
            rate_short: share(rate_short_pct)?,
            rate_long: share(rate_long_pct)?,
        })
    }
}

impl Default for HarvestTerms {
    /// Every loss, by its size: rates are the reader's business.
    fn default() -> Self {
        Self {
            loss_min: Money::ZERO,
            share_min: Figure::ZERO,
            rate_short: Figure::ONE,
            rate_long: Figure::ONE,
        }
    }
}

struct Candidate {
    symbol: String,
    lot: Lot,
    held_from: i64,
    currency: CurrencyId,
    mark: Price,
    basis: i128,
    value: i128,
    loss: i128,
    /// Shares of the owner bought in the window before today, beside this lot.
    recent: i128,
    usable: i128,
    score: i128,
}

pub(crate) fn make(
    data: &Path,
    account: &str,
    period: Period,
    method: LotMethod,
    terms: &HarvestTerms,
) -> Result<Report, ReportError> {
    let mut gathered = OwnerTrades::default();
    let until = Period {
        from: None,
        to: period.to,
    };
    let walked = walk(data, account, until, &mut gathered)?;
    let found = Realised::of(&gathered, &walked, method, period.to)?;
    let today = walked.scope.to.unwrap_or(0);
    let mut candidates = Vec::new();
    for instrument in found.instruments().filter(|id| is_share(&walked.at(), *id)) {
        for lot in found.lots_of(instrument) {
            let candidate = candidate(&walked, &gathered, &found, instrument, &lot, terms, today);
            candidates.extend(candidate);
        }
    }
    candidates.sort_by(|a, b| b.score.cmp(&a.score).then_with(|| a.lot.open.cmp(&b.lot.open)));
    let section = listing(&walked, &gathered, &candidates, today);
    Ok(Report {
        name: "harvest",
        title: "Tax-loss harvesting",
        highlights: vec![Highlight::new("Candidates", Cell::Count(candidates.len() as u64), "")],
        sections: vec![section],
        as_of: walked.as_of,
        scope: walked.scope,
        notes: vec![
            format!("Lots of shares close in the order {method}, fees are part of their cost; marks are the last trades or outside marks."),
            "Usable now is the loss without the part that purchases of the owner within 30 days would disallow. Buying the instrument again \
             before the day after the lock-out disallows the loss; reinvestment of dividends must be off."
                .to_owned(),
            "Information, not advice.".to_owned(),
        ],
    })
}

fn candidate(
    walked: &Walked,
    gathered: &OwnerTrades,
    found: &Realised,
    instrument: InstrumentId,
    lot: &Lot,
    terms: &HarvestTerms,
    today: DayNumber,
) -> Option<Candidate> {
    let row = walked.replica.registry().instrument(instrument)?;
    if found.sign_of(instrument) <= 0 {
        return None;
    }
    let mark = walked.replica.positions().mark(instrument)?;
    let value = value_of(row, lot.qty, mark, Rounding::HalfUp)?;
    let basis = lot.cost.raw().checked_add(found.added_to(lot.open))?;
    let loss = basis.checked_sub(value.raw())?;
    let of_cost = mul_div_half_even(basis, terms.share_min.raw(), Figure::ONE.raw())?;
    if loss <= 0 || loss < terms.loss_min.raw() || loss < of_cost {
        return None;
    }
    let from = today.saturating_sub(WINDOW_DAYS);
    let recent_trades = gathered.by_key.iter().filter(|(key, own)| {
        let is_other = **key != (lot.open, walked.account) && own.trade.instrument == instrument;
        is_other && own.trade.trade_day >= from && crate::trades::is_purchase(&own.trade)
    });
    let parts =
        recent_trades.map(|((seq, _), own)| i128::from(own.trade.qty) * found.units.at(instrument, *seq));
    let held = found.parts_of(instrument, lot.qty.raw()).ok()?;
    let bought = parts.sum::<i128>().min(held);
    let recent = mul_div_half_even(lot.qty.raw(), bought, held)?;
    let kept = held - bought;
    let usable = if kept == 0 {
        0
    } else {
        share(Money::from_raw(loss), kept, held, row.money_dp).raw()
    };
    let held_from = found.held_from(instrument, lot);
    let rate = if term(held_from, today) == "LONG" {
        terms.rate_long
    } else {
        terms.rate_short
    };
    let minor = 10_i128.pow(8 - u32::from(row.money_dp.min(8)));
    let worth = mul_div_half_even(usable, rate.raw(), Figure::ONE.raw())?;
    Some(Candidate {
        symbol: walked.names().symbol(instrument),
        lot: *lot,
        held_from,
        currency: row.currency,
        mark,
        basis,
        value: value.raw(),
        loss,
        recent,
        usable,
        score: div_round(worth, minor, Rounding::HalfEven)?.checked_mul(minor)?,
    })
}

fn listing(walked: &Walked, gathered: &OwnerTrades, candidates: &[Candidate], today: DayNumber) -> Section {
    let mut section = Section::new(
        "candidates",
        "Candidates",
        &[
            ("symbol", "Instrument"),
            ("lot", "Lot"),
            ("acquired", "Acquired"),
            ("held_from", "Held from"),
            ("term", "Term"),
            ("qty", "Quantity"),
            ("basis", "Basis"),
            ("mark", "Mark"),
            ("value", "Market value"),
            ("loss", "Loss"),
            ("recent_buys", "Bought in 30 days"),
            ("usable", "Usable now"),
            ("score", "Score"),
            ("currency", "Currency"),
            ("lock_out_end", "Lock-out ends"),
        ],
    );
    for found in candidates {
        let dp = decimals(&walked.at(), found.currency);
        let money = |raw: i128| Cell::Money(Money::from_raw(raw), dp);
        section.push([
            Cell::text(found.symbol.clone()),
            lot_name(&gathered.by_key, (found.lot.open, walked.account)),
            day_cell(found.lot.day),
            held_from(found.held_from),
            Cell::text(term(found.held_from, today)),
            Cell::Qty(found.lot.qty),
            money(found.basis),
            Cell::Px(found.mark),
            money(found.value),
            money(found.loss),
            Cell::Qty(NetQty::from_raw(found.recent)),
            money(found.usable),
            money(found.score),
            Cell::text(walked.names().currency(found.currency)),
            day_cell(today + WINDOW_DAYS + 1),
        ]);
    }
    let points = candidates.iter().take(RANKED_MAX).map(|found| {
        let name = lot_name(&gathered.by_key, (found.lot.open, walked.account)).plain();
        (format!("{} {name}", found.symbol), place(found.usable))
    });
    let points: Vec<(String, f64)> = points.collect();
    if points.len() > 1 {
        section.charts.push(Chart {
            title: "Loss usable now".to_owned(),
            series: Series::Ranked(points),
        });
    }
    section
}
