//! Profit of an account by day and by instrument (ANALYTICS section 1): realised, change of the unrealised, fees, income.

use crate::cash::{day_cell, decimals, trade_date_balances};
use crate::error::ReportError;
use crate::model::{Cell, Chart, Highlight, Report, Section, Series, place};
use crate::performance::{Day, performance};
use crate::period::Period;
use crate::trades::Trades;
use crate::walk::{At, Gather, Walked, walk};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tradewind_analytics::trade_statistics;
use tradewind_books::posting::{Account, adjustment};
use tradewind_domain::event::{Event, FxRate, Kind};
use tradewind_domain::fixed::{Money, ONE, Price};
use tradewind_domain::ids::{CurrencyId, InstrumentId};
use tradewind_domain::rounding::{self, Rounding};
use tradewind_domain::time::DayNumber;

/// Profit figures that only grow, as they stand at an instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Profit {
    pub(crate) realised: i128,
    pub(crate) unrealised: i128,
    pub(crate) fees: i128,
    /// Dividends and fundings, less tax.
    pub(crate) income: i128,
}

impl Profit {
    pub(crate) fn total(&self) -> i128 {
        self.realised + self.unrealised - self.fees + self.income
    }

    fn since(&self, before: &Self) -> Self {
        Self {
            realised: self.realised - before.realised,
            unrealised: self.unrealised - before.unrealised,
            fees: self.fees - before.fees,
            income: self.income - before.income,
        }
    }

    fn add(&mut self, other: &Self) {
        self.realised += other.realised;
        self.unrealised += other.unrealised;
        self.fees += other.fees;
        self.income += other.income;
    }
}

/// Profit of each instrument, and what the account is worth in each currency.
#[derive(Clone, Default)]
pub(crate) struct Standing {
    pub(crate) profits: BTreeMap<InstrumentId, (CurrencyId, Profit)>,
    /// Booked cash and the value of positions at their marks.
    pub(crate) equity: BTreeMap<CurrencyId, i128>,
    /// Open positions without a mark: worth nothing in these figures.
    pub(crate) unmarked: BTreeSet<InstrumentId>,
}

impl Standing {
    pub(crate) fn of(at: &At<'_>) -> Self {
        let mut standing = Self::default();
        for (currency, cash) in trade_date_balances(at) {
            standing.equity.insert(currency, cash.raw());
        }
        let positions = at.replica.positions();
        for (holding, row) in positions.positions().filter(|(_, row)| row.account == at.account) {
            let Some(instrument) = positions.instrument(row.instrument) else {
                continue;
            };
            let unrealised = match positions.unrealised(holding) {
                Some(unrealised) => unrealised.raw(),
                None => {
                    if !row.qty.is_zero() {
                        standing.unmarked.insert(row.instrument);
                    }
                    0
                }
            };
            let income = positions.income(holding).copied();
            // What was paid for a position is worth as much until its mark says otherwise; of contracts nothing was paid, and their profit
            // is worth what has not become cash yet.
            let paid = if instrument.moves_principal() {
                row.qty.raw().signum() * row.cost.raw()
            } else {
                row.realised.raw() - income.map_or(0, |income| income.margin.raw())
            };
            *standing.equity.entry(instrument.currency).or_default() += paid + unrealised;
            let profit = Profit {
                realised: row.realised.raw(),
                unrealised,
                fees: row.fees.raw(),
                income: income.map_or(0, |income| income.net().raw()),
            };
            standing
                .profits
                .insert(row.instrument, (instrument.currency, profit));
        }
        standing
    }

    /// Profit by currency since another standing.
    fn since(&self, before: &Self) -> BTreeMap<CurrencyId, Profit> {
        let mut by_currency: BTreeMap<CurrencyId, Profit> = BTreeMap::new();
        for (instrument, (currency, profit)) in &self.profits {
            let then = before
                .profits
                .get(instrument)
                .map_or(Profit::default(), |(_, then)| *then);
            by_currency
                .entry(*currency)
                .or_default()
                .add(&profit.since(&then));
        }
        by_currency
    }
}

/// One trading date.
struct DayProfit {
    day: DayNumber,
    profits: BTreeMap<CurrencyId, Profit>,
    equity: BTreeMap<CurrencyId, i128>,
    flows: BTreeMap<CurrencyId, i128>,
}

/// Gathers days.
#[derive(Default)]
pub(crate) struct Days {
    opening: Standing,
    last: Standing,
    /// Payments of the day.
    flows: BTreeMap<CurrencyId, i128>,
    days: Vec<DayProfit>,
    /// Base currency units per unit, at 1e-8, as they were told last.
    rates: BTreeMap<CurrencyId, i64>,
}

impl Days {
    pub(crate) fn begin(&mut self, at: &At<'_>) {
        self.opening = Standing::of(at);
        self.last = self.opening.clone();
    }

    pub(crate) fn see(&mut self, event: &Event, at: &At<'_>) {
        let postings = at.replica.settle().postings(event);
        if postings.parties.account != at.account {
            return;
        }
        let adjusted = adjustment(event);
        let legs = postings.legs().chain(adjusted.legs());
        for leg in legs.filter(|leg| leg.phase.signs().1 != 0) {
            let amount = leg.amount as i128;
            // A conversion takes from one currency what it gives to another.
            let (wallet, flow) = match (leg.debit, leg.credit) {
                (Account::Bank(_) | Account::FxPool(_), Account::Cash(wallet)) => (wallet, amount),
                (Account::Cash(wallet), Account::Bank(_) | Account::FxPool(_)) => (wallet, -amount),
                _ => continue,
            };
            let currency = at.replica.settle().wallet(wallet).map(|wallet| wallet.currency);
            *self
                .flows
                .entry(currency.unwrap_or(CurrencyId::NONE))
                .or_default() += flow;
        }
    }

    /// Takes every record of the journal: rates come from those before the period as well.
    pub(crate) fn before(&mut self, event: &Event) {
        if event.kind() == Some(Kind::FxRate) && !event.is_rejected() {
            let body: &FxRate = event.body();
            self.rates.insert(body.currency, body.rate);
        }
    }

    pub(crate) fn end_of_day(&mut self, at: &At<'_>) {
        let standing = Standing::of(at);
        self.days.push(DayProfit {
            day: at.day,
            profits: standing.since(&self.last),
            equity: standing.equity.clone(),
            flows: std::mem::take(&mut self.flows),
        });
        self.last = standing;
    }

    /// Currencies that there is something to say of, by code.
    fn currencies(&self, walked: &Walked) -> Vec<CurrencyId> {
        let profits = self.days.iter().flat_map(|day| day.profits.keys());
        let all: BTreeSet<CurrencyId> = profits.chain(self.last.equity.keys()).copied().collect();
        let mut all: Vec<CurrencyId> = all.into_iter().collect();
        all.sort_by_key(|currency| walked.names().currency(*currency));
        all
    }

    /// Profit of the period in one currency.
    pub(crate) fn total(&self, currency: CurrencyId) -> i128 {
        let of_days = self.days.iter().filter_map(|day| day.profits.get(&currency));
        of_days.map(Profit::total).sum()
    }

    fn highlights(&self, walked: &Walked) -> Vec<Highlight> {
        let mut found = Vec::new();
        for currency in self.currencies(walked).into_iter().take(HIGHLIGHTS_MAX) {
            let (code, dp) = (
                walked.names().currency(currency),
                decimals(&walked.at(), currency),
            );
            let money = |raw: i128| Cell::Money(Money::from_raw(raw), dp);
            found.push(Highlight::new(
                "Profit of the period",
                money(self.total(currency)),
                code.clone(),
            ));
            let equity = self.last.equity.get(&currency).copied().unwrap_or_default();
            found.push(Highlight::new("Equity at the end", money(equity), code));
        }
        found.push(Highlight::new(
            "Trading dates",
            Cell::Count(self.days.len() as u64),
            "",
        ));
        found
    }

    /// Profit of the period by instrument, with a total for each currency.
    pub(crate) fn by_instrument(&self, walked: &Walked) -> Section {
        let mut section = Section::new("pnl_by_instrument", "Profit by instrument", &INSTRUMENT_COLUMNS);
        let mut rows: Vec<(String, CurrencyId, Profit)> = Vec::new();
        for (instrument, (currency, profit)) in &self.last.profits {
            let opening = self.opening.profits.get(instrument);
            let since = profit.since(&opening.map_or(Profit::default(), |(_, then)| *then));
            if since != Profit::default() {
                rows.push((walked.names().symbol(*instrument), *currency, since));
            }
        }
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        let mut totals: BTreeMap<CurrencyId, Profit> = BTreeMap::new();
        for (symbol, currency, profit) in &rows {
            totals.entry(*currency).or_default().add(profit);
            section.push(profit_cells(
                walked,
                Cell::text(symbol.clone()),
                *currency,
                profit,
            ));
        }
        for (currency, total) in &totals {
            section.push(profit_cells(walked, Cell::text("Total"), *currency, total));
        }
        section.totals = totals.len();
        for currency in totals.keys() {
            let own = rows.iter().filter(|(_, of, _)| of == currency);
            let mut points: Vec<_> = own
                .map(|(symbol, _, profit)| (symbol.clone(), place(profit.total())))
                .collect();
            points.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
            points.truncate(RANKED_MAX);
            section.charts.push(Chart {
                title: format!("Profit by instrument, {}", walked.names().currency(*currency)),
                series: Series::Ranked(points),
            });
        }
        section
    }

    /// Equity and profit in base currency, at the rates of the end.
    pub(crate) fn in_base(&self, walked: &Walked) -> Section {
        let mut section = Section::new("base", "In base currency", &BASE_COLUMNS);
        let base = walked.replica.registry().base_currency();
        let Some((base, dp)) = base.map(|row| (row.currency, row.money_dp)) else {
            return section;
        };
        let (mut equity_sum, mut profit_sum) = (Some(0_i128), Some(0_i128));
        for currency in self.currencies(walked) {
            let rate = if currency == base {
                Some(ONE)
            } else {
                self.rates.get(&currency).copied()
            };
            let equity = self.last.equity.get(&currency).copied().unwrap_or_default();
            let profit = self.total(currency);
            let own_dp = decimals(&walked.at(), currency);
            let translated = |raw: i128| translate(raw, rate?, dp);
            let of_base =
                |raw: Option<i128>| Cell::or_none(raw.map(|raw| Cell::Money(Money::from_raw(raw), dp)));
            equity_sum = equity_sum.zip(translated(equity)).map(|(sum, part)| sum + part);
            profit_sum = profit_sum.zip(translated(profit)).map(|(sum, part)| sum + part);
            section.push([
                Cell::text(walked.names().currency(currency)),
                Cell::or_none(rate.map(|rate| Cell::Px(Price::from_raw(rate)))),
                Cell::Money(Money::from_raw(equity), own_dp),
                of_base(translated(equity)),
                Cell::Money(Money::from_raw(profit), own_dp),
                of_base(translated(profit)),
            ]);
        }
        let total = |raw: Option<i128>| Cell::or_none(raw.map(|raw| Cell::Money(Money::from_raw(raw), dp)));
        let name = format!("Total, {}", walked.names().currency(base));
        section.push([
            Cell::text(name),
            Cell::None,
            Cell::None,
            total(equity_sum),
            Cell::None,
            total(profit_sum),
        ]);
        section.totals = 1;
        section
    }

    /// Profit by day.
    pub(crate) fn by_day(&self, walked: &Walked) -> Section {
        let mut section = Section::new("pnl_by_day", "Profit by day", &DAY_COLUMNS);
        for currency in self.currencies(walked) {
            let (mut bars, mut line, mut sum) = (Vec::new(), Vec::new(), 0);
            for day in &self.days {
                let profit = day.profits.get(&currency).copied().unwrap_or_default();
                let flow = day.flows.get(&currency).copied().unwrap_or_default();
                let equity = day.equity.get(&currency).copied().unwrap_or_default();
                let [realised, unrealised, fees, income, total] = money_cells(walked, currency, &profit);
                let dp = decimals(&walked.at(), currency);
                section.push([
                    day_cell(day.day),
                    Cell::text(walked.names().currency(currency)),
                    realised,
                    unrealised,
                    fees,
                    income,
                    total,
                    Cell::Money(Money::from_raw(flow), dp),
                    Cell::Money(Money::from_raw(equity), dp),
                ]);
                sum += profit.total();
                let label = day_cell(day.day).plain();
                bars.push((label.clone(), place(profit.total())));
                line.push((label, place(sum)));
            }
            let code = walked.names().currency(currency);
            if self.days.len() > 1 {
                section.charts.push(Chart {
                    title: format!("Profit by day, {code}"),
                    series: Series::Bars(bars),
                });
                section.charts.push(Chart {
                    title: format!("Profit since the first day, {code}"),
                    series: Series::Line(line),
                });
            }
        }
        section
    }

    /// Instruments that no figure values.
    pub(crate) fn unmarked(&self, walked: &Walked) -> Option<String> {
        let names: Vec<String> = self
            .last
            .unmarked
            .iter()
            .map(|id| walked.names().symbol(*id))
            .collect();
        let text = format!(
            "Without a mark and not in the unrealised profit: {}.",
            names.join(", ")
        );
        (!names.is_empty()).then_some(text)
    }

    fn performance(&self, walked: &Walked) -> Section {
        let of = |currency: CurrencyId| {
            let opening = self.opening.equity.get(&currency).copied().unwrap_or_default();
            let days = self.days.iter().map(move |day| Day {
                day: day.day,
                equity: Money::from_raw(day.equity.get(&currency).copied().unwrap_or_default()),
                flow: Money::from_raw(day.flows.get(&currency).copied().unwrap_or_default()),
            });
            (
                walked.names().currency(currency),
                Money::from_raw(opening),
                days.collect::<Vec<_>>(),
            )
        };
        performance(self.currencies(walked).into_iter().map(of))
    }
}

/// The most currencies at the top.
const HIGHLIGHTS_MAX: usize = 2;
/// The most bars of a picture that names them.
const RANKED_MAX: usize = 12;

const INSTRUMENT_COLUMNS: [(&str, &str); 7] = [
    ("symbol", "Instrument"),
    ("currency", "Currency"),
    ("realised", "Realised"),
    ("unrealised_change", "Change of unrealised"),
    ("fees", "Fees"),
    ("income", "Income"),
    ("total", "Total"),
];

const BASE_COLUMNS: [(&str, &str); 6] = [
    ("currency", "Currency"),
    ("rate", "Rate"),
    ("equity", "Equity"),
    ("equity_base", "Equity in base"),
    ("profit", "Profit of the period"),
    ("profit_base", "Profit in base"),
];

const DAY_COLUMNS: [(&str, &str); 9] = [
    ("day", "Day"),
    ("currency", "Currency"),
    ("realised", "Realised"),
    ("unrealised_change", "Change of unrealised"),
    ("fees", "Fees"),
    ("income", "Income"),
    ("total", "Total"),
    ("flows", "Payments"),
    ("equity", "Equity at close"),
];

/// An amount in another currency, half up to its minor unit; none where it does not fit.
fn translate(raw: i128, rate: i64, dp: u8) -> Option<i128> {
    let unit = 10_i128.pow(8 - u32::from(dp.min(8)));
    let product = raw.checked_mul(i128::from(rate))?;
    Some(rounding::div_round(product, i128::from(ONE) * unit, Rounding::HalfUp)? * unit)
}

fn profit_cells(walked: &Walked, name: Cell, currency: CurrencyId, profit: &Profit) -> [Cell; 7] {
    let [realised, unrealised, fees, income, total] = money_cells(walked, currency, profit);
    let currency = Cell::text(walked.names().currency(currency));
    [name, currency, realised, unrealised, fees, income, total]
}

/// Realised, change of the unrealised, fees, income, total.
fn money_cells(walked: &Walked, currency: CurrencyId, profit: &Profit) -> [Cell; 5] {
    let dp = decimals(&walked.at(), currency);
    let figures = [
        profit.realised,
        profit.unrealised,
        -profit.fees,
        profit.income,
        profit.total(),
    ];
    figures.map(|raw| Cell::Money(Money::from_raw(raw), dp))
}

/// Gathers for the report.
#[derive(Default)]
struct Pnl {
    days: Days,
    trades: Trades,
}

impl Gather for Pnl {
    fn before(&mut self, event: &Event, _at: &At<'_>) {
        self.days.before(event);
    }

    fn see(&mut self, event: &Event, at: &At<'_>) -> Result<(), ReportError> {
        self.days.see(event, at);
        self.trades.see(event, at);
        Ok(())
    }

    fn begin(&mut self, at: &At<'_>) -> Result<(), ReportError> {
        self.days.begin(at);
        Ok(())
    }

    fn end_of_day(&mut self, at: &At<'_>) -> Result<(), ReportError> {
        self.days.end_of_day(at);
        Ok(())
    }
}

pub(crate) fn make(data: &Path, account: &str, period: Period) -> Result<Report, ReportError> {
    let mut pnl = Pnl::default();
    let walked = walk(data, account, period, &mut pnl)?;
    let mut notes = vec![
        "Total = realised + change of unrealised + fees (paid fees are below zero) + income (dividends and fundings, less tax). Positions are valued at the last trade or outside mark."
            .to_owned(),
    ];
    notes.extend(pnl.days.unmarked(&walked));
    Ok(Report {
        name: "pnl",
        has_tax_rules: false,
        title: "Profit and loss",
        highlights: pnl.days.highlights(&walked),
        sections: vec![
            pnl.days.in_base(&walked),
            pnl.days.by_day(&walked),
            pnl.days.by_instrument(&walked),
            pnl.days.performance(&walked),
            closing_trades(&pnl.trades, &walked)?,
        ],
        as_of: walked.as_of,
        scope: walked.scope,
        notes,
    })
}

/// Statistics of the trades that realised something, by currency.
fn closing_trades(trades: &Trades, walked: &Walked) -> Result<Section, ReportError> {
    let mut section = Section::new(
        "closing_trades",
        "Closing trades",
        &[
            ("currency", "Currency"),
            ("wins", "Wins"),
            ("losses", "Losses"),
            ("gross_win", "Gross win"),
            ("gross_loss", "Gross loss"),
            ("win_rate", "Win rate"),
            ("profit_factor", "Profit factor"),
            ("payoff", "Payoff"),
            ("expectancy", "Expectancy"),
        ],
    );
    let mut by_currency: BTreeMap<CurrencyId, Vec<Money>> = BTreeMap::new();
    for trade in trades.live().filter(|trade| trade.closed) {
        by_currency
            .entry(trade.currency)
            .or_default()
            .push(trade.realised);
    }
    for (currency, results) in by_currency {
        let found = trade_statistics(results).ok_or(ReportError::Overflow)?;
        let dp = decimals(&walked.at(), currency);
        let share = |figure: Option<_>| Cell::or_none(figure.map(Cell::Share));
        section.push([
            Cell::text(walked.names().currency(currency)),
            Cell::Count(found.wins),
            Cell::Count(found.losses),
            Cell::Money(found.gross_win, dp),
            Cell::Money(found.gross_loss, dp),
            share(found.win_rate),
            share(found.profit_factor),
            share(found.payoff),
            share(found.expectancy),
        ]);
    }
    Ok(section)
}
