//! Lots at a loss that could be sold, and how much of the loss the wash-sale rule would leave (ANALYTICS section 8).

use super::identity::Identity;
use super::owner::{OwnerTrades, user_above};
use super::realised::Realised;
use super::{held_from, lot_name, term};
use crate::ReportOptions;
use crate::cash::{day_cell, decimals};
use crate::error::ReportError;
use crate::model::{Cell, Chart, Highlight, Report, Section, Series, place};
use crate::period::Period;
use crate::walk::{Walked, walk};
use std::collections::BTreeSet;
use std::path::Path;
use tradewind_analytics::{Figure, WINDOW_DAYS};
use tradewind_books::lots::Lot;
use tradewind_domain::codes::Restriction;
use tradewind_domain::fixed::{Money, NetQty, ONE, Price};
use tradewind_domain::ids::{CurrencyId, InstrumentId, NodeId};
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
    /// What selling and replacing is estimated to cost, as a share of the market value.
    pub cost: Figure,
}

impl HarvestTerms {
    /// From decimals at 1e-8 as people write them: an amount, and percentages. `None` where one is negative or too large.
    pub fn of_decimals(
        loss_min: i64,
        share_min_pct: i64,
        (rate_short_pct, rate_long_pct): (i64, i64),
        cost_pct: i64,
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
            cost: share(cost_pct)?,
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
            cost: Figure::ZERO,
        }
    }
}

struct Candidate {
    instrument: InstrumentId,
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

/// What a candidate is looked for with.
struct Search<'a> {
    walked: &'a Walked,
    gathered: &'a OwnerTrades,
    found: &'a Realised,
    identity: &'a Identity,
    terms: &'a HarvestTerms,
    today: DayNumber,
}

pub(crate) fn make(
    data: &Path,
    account: &str,
    period: Period,
    options: &ReportOptions,
) -> Result<Report, ReportError> {
    let mut gathered = OwnerTrades::default();
    let until = Period {
        from: None,
        to: period.to,
    };
    let walked = walk(data, account, until, &mut gathered)?;
    let identity = Identity::of(&options.tax, &walked)?;
    let found = Realised::of(&gathered, &walked, (options.method, &identity), period.to)?;
    let search = Search {
        walked: &walked,
        gathered: &gathered,
        found: &found,
        identity: &identity,
        terms: &options.harvest,
        today: walked.scope.to.unwrap_or(0),
    };
    let candidates = search.candidates();
    let sections = vec![search.listing(&candidates), search.lock_out(&candidates)];
    Ok(Report {
        name: "harvest",
        has_tax_rules: options.has_tax_rules(),
        title: "Tax-loss harvesting",
        highlights: vec![Highlight::new(
            "Candidates",
            Cell::Count(candidates.len() as u64),
            "",
        )],
        sections,
        notes: notes(options, identity.is_retirement(walked.account)),
        as_of: walked.as_of,
        scope: walked.scope,
    })
}

fn notes(options: &ReportOptions, is_retirement: bool) -> Vec<String> {
    let method = options.method;
    let mut notes = vec![
        format!("Settled lots close in the order {method}, fees are part of their cost; marks are the last trades or outside marks."),
        "Usable now is the loss without the part that purchases of the owner within 30 days would disallow. Buying the instrument, or one \
         that is identical to it, again before the day after the lock-out disallows the loss; reinvestment of dividends must be off. \
         tradewind limits restrict puts the rows of the lock-out on a RESTRICTED limit of the owner."
            .to_owned(),
    ];
    if is_retirement {
        notes.push("Losses in an account for retirement are none for tax: it has no candidates.".to_owned());
    }
    notes.push("Information, not advice.".to_owned());
    notes
}

impl Search<'_> {
    /// Lots whose loss is worth taking, the best first.
    fn candidates(&self) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        if self.identity.is_retirement(self.walked.account) {
            return candidates;
        }
        let bound = |id: &InstrumentId| self.identity.binds(self.walked, *id);
        for instrument in self.found.instruments().filter(bound) {
            let settled = self.settled(instrument);
            let mut qty = 0;
            for lot in self.found.lots_of(instrument) {
                qty += lot.qty.raw();
                // What has settled are the oldest shares.
                candidates.extend(self.candidate(instrument, &lot).filter(|_| qty <= settled));
            }
        }
        candidates.sort_by(|a, b| b.score.cmp(&a.score).then_with(|| a.lot.open.cmp(&b.lot.open)));
        candidates
    }

    /// How much of a holding has settled at least: what is in custody and not sold yet.
    fn settled(&self, instrument: InstrumentId) -> i128 {
        let replica = &self.walked.replica;
        let mut holdings = replica.positions().positions();
        let own =
            holdings.find(|(_, row)| row.account == self.walked.account && row.instrument == instrument);
        own.map_or(0, |(holding, _)| {
            let custody = replica.settle().custody(holding);
            custody.settled.raw().saturating_sub(custody.pending_out.raw())
        })
    }

    fn candidate(&self, instrument: InstrumentId, lot: &Lot) -> Option<Candidate> {
        let Self {
            walked, found, terms, ..
        } = self;
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
        let held = found.parts_of(instrument, lot.qty.raw()).ok()?;
        let bought = self.bought(instrument, lot).min(held);
        let recent = mul_div_half_even(lot.qty.raw(), bought, held)?;
        let kept = held - bought;
        let usable = if kept == 0 {
            0
        } else {
            share(Money::from_raw(loss), kept, held, row.money_dp).raw()
        };
        let held_from = found.held_from(instrument, lot);
        let rate = if term(held_from, self.today) == "LONG" {
            terms.rate_long
        } else {
            terms.rate_short
        };
        let minor = 10_i128.pow(8 - u32::from(row.money_dp.min(8)));
        let saved = mul_div_half_even(loss, rate.raw(), Figure::ONE.raw())?;
        let cost = mul_div_half_even(value.raw(), terms.cost.raw(), Figure::ONE.raw())?;
        let score = div_round(saved.checked_sub(cost)?, minor, Rounding::HalfEven)?.checked_mul(minor)?;
        (score > 0).then(|| Candidate {
            instrument,
            lot: *lot,
            held_from,
            currency: row.currency,
            mark,
            basis,
            value: value.raw(),
            loss,
            recent,
            usable,
            score,
        })
    }

    /// Parts that the owner bought in the window before today, beside a lot, of what is identical to it.
    fn bought(&self, instrument: InstrumentId, lot: &Lot) -> i128 {
        let from = self.today.saturating_sub(WINDOW_DAYS);
        let one = self.identity.one_of(instrument);
        let recent = self.gathered.by_key.iter().filter(|(key, own)| {
            let is_other = **key != (lot.open, self.walked.account);
            let is_identical = self.identity.one_of(own.trade.instrument) == one;
            is_other && is_identical && own.trade.trade_day >= from && crate::trades::is_purchase(&own.trade)
        });
        let units = &self.found.units;
        let parts =
            recent.map(|((seq, _), own)| i128::from(own.trade.qty) * units.at(own.trade.instrument, *seq));
        parts.sum()
    }

    /// Names of what is identical to an instrument, itself among them.
    fn identical(&self, instrument: InstrumentId) -> Vec<String> {
        let members = self.identity.members(instrument);
        members
            .into_iter()
            .map(|id| self.walked.names().symbol(id))
            .collect()
    }

    fn listing(&self, candidates: &[Candidate]) -> Section {
        let Self {
            walked,
            gathered,
            today,
            ..
        } = self;
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
                ("identical", "Identical"),
                ("lock_out_end", "Lock-out ends"),
            ],
        );
        for found in candidates {
            let dp = decimals(&walked.at(), found.currency);
            let money = |raw: i128| Cell::Money(Money::from_raw(raw), dp);
            section.push([
                Cell::text(walked.names().symbol(found.instrument)),
                lot_name(&gathered.by_key, (found.lot.open, walked.account)),
                day_cell(found.lot.day),
                held_from(found.held_from),
                Cell::text(term(found.held_from, *today)),
                Cell::Qty(found.lot.qty),
                money(found.basis),
                Cell::Px(found.mark),
                money(found.value),
                money(found.loss),
                Cell::Qty(NetQty::from_raw(found.recent)),
                money(found.usable),
                money(found.score),
                Cell::text(walked.names().currency(found.currency)),
                identical(&self.identical(found.instrument)),
                day_cell(self.lock_out_end()),
            ]);
        }
        let points = candidates.iter().take(RANKED_MAX).map(|found| {
            let name = lot_name(&gathered.by_key, (found.lot.open, walked.account)).plain();
            let symbol = walked.names().symbol(found.instrument);
            (format!("{symbol} {name}"), place(found.usable))
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

    /// The first day on which the owner may buy again what he sells today.
    fn lock_out_end(&self) -> DayNumber {
        self.today.saturating_add(WINDOW_DAYS + 1)
    }

    /// What nobody of the owner may buy where he sells a candidate today.
    fn lock_out(&self, candidates: &[Candidate]) -> Section {
        let mut section = Section::new(
            "lock_out",
            "Lock-out",
            &[
                ("node", "Node"),
                ("symbol", "Instrument"),
                ("restriction", "Restriction"),
                ("until", "Until"),
            ],
        );
        let owner = user_above(&self.walked.at(), self.walked.account);
        let node = match owner == NodeId::NONE {
            true => self.walked.names().account(self.walked.account),
            false => self.walked.names().node(owner),
        };
        let symbols: BTreeSet<String> = candidates
            .iter()
            .flat_map(|found| self.identical(found.instrument))
            .collect();
        for symbol in symbols {
            section.push([
                Cell::text(node.clone()),
                Cell::text(symbol),
                Cell::text(Restriction::CloseOnly.text()),
                day_cell(self.lock_out_end()),
            ]);
        }
        section
    }
}

/// Names where there is more than one.
fn identical(names: &[String]) -> Cell {
    match names {
        [_] => Cell::None,
        names => Cell::text(names.join(" ")),
    }
}
