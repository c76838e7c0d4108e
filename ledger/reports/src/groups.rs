//! Profit by organisation, desk, user, account, strategy, instrument and sector, of a node and all below it.

use crate::error::ReportError;
use crate::model::{AsOf, Cell, Chart, Highlight, Report, Scope, Section, Series, place};
use crate::period::Period;
use std::path::Path;
use tradewind_domain::fixed::{Money, ONE};
use tradewind_views::live::ProfitStanding;
use tradewind_views::query::current::{Decimal, Profit};

/// Groups broad to narrow, with the headlines of their sections.
const GROUPS: [(&str, &str, &str); 8] = [
    ("FIRM", "firm", "Firm"),
    ("ORG", "organisations", "Organisations"),
    ("DESK", "desks", "Desks"),
    ("USER", "users", "Users"),
    ("ACCOUNT", "accounts", "Accounts"),
    ("STRATEGY", "strategies", "Strategies"),
    ("INSTRUMENT", "instruments", "Instruments"),
    ("SECTOR", "sectors", "Sectors"),
];

const COLUMNS: [(&str, &str); 10] = [
    ("name", "Name"),
    ("currency", "Currency"),
    ("realised", "Realised"),
    ("unrealised", "Unrealised"),
    ("fees", "Fees"),
    ("income", "Income"),
    ("total", "Total"),
    ("total_base", "Total in base"),
    ("open", "Open positions"),
    ("unmarked", "Without a mark"),
];

/// The most bars of a picture that names them.
const RANKED_MAX: usize = 12;
/// Decimals that every amount is shown with at least.
const DP: u8 = 2;

pub(crate) fn make(data: &Path, node: &str, period: Period) -> Result<Report, ReportError> {
    if period != Period::default() {
        return Err(ReportError::NoPeriod);
    }
    let found = ProfitStanding::read(data, node)?;
    let standing = found.ok_or_else(|| ReportError::Node {
        node: node.to_owned(),
    })?;
    let (seq, time_ns) = standing.as_of;
    let base = standing.base_currency.to_string();
    Ok(Report {
        name: "groups",
        has_tax_rules: false,
        title: "Profit by group",
        scope: Scope {
            account: node.to_owned(),
            currency: base.clone(),
            from: None,
            to: None,
        },
        as_of: AsOf { seq, time_ns },
        highlights: highlights(&standing, node),
        sections: GROUPS
            .into_iter()
            .map(|(group, key, title)| section(&standing, group, key, title))
            .collect(),
        notes: vec![
            "Total = realised + unrealised + fees (paid fees are below zero) + income. Positions are valued at the last trade or outside mark, \
             other currencies at their last rate."
                .to_owned(),
            "Strategies are valued by their own fills at their own average cost; instruments and sectors are those of the whole firm.".to_owned(),
        ],
    })
}

/// The node's own total in base currency; empty where a rate is missing.
fn highlights(standing: &ProfitStanding, node: &str) -> Vec<Highlight> {
    let is_own = |row: &&Profit| row.name.as_str() == node && !matches!(row.group, "INSTRUMENT" | "SECTOR");
    let own: Vec<&Profit> = standing.rows.iter().filter(is_own).collect();
    let total = own
        .iter()
        .try_fold(0_i128, |sum, row| sum.checked_add(row.total_base?.0));
    let open: u64 = own.iter().map(|row| row.open).sum();
    vec![
        Highlight::new(
            "Profit in base currency",
            Cell::or_none(total.map(|raw| cents(Decimal(raw)))),
            standing.base_currency.to_string(),
        ),
        Highlight::new("Open positions", Cell::Count(open), ""),
    ]
}

fn money(raw: i128) -> Cell {
    Cell::Money(Money::from_raw(raw), DP)
}

/// To the cent, half away from zero: sums in base currency have the decimals of their rates.
fn cents(amount: Decimal) -> Cell {
    const CENT: i128 = ONE as i128 / 100;
    let half = if amount.0 < 0 { -CENT / 2 } else { CENT / 2 };
    money((amount.0 + half) / CENT * CENT)
}

fn section(standing: &ProfitStanding, group: &str, key: &'static str, title: &'static str) -> Section {
    let mut section = Section::new(key, title, &COLUMNS);
    let mut bars = Vec::new();
    for row in standing.rows.iter().filter(|row| row.group == group) {
        let base = row.total_base;
        section.push([
            Cell::text(row.name.as_str()),
            Cell::text(row.currency.as_str()),
            money(row.realised.0),
            money(row.unrealised.0),
            money(-row.fees.0),
            money(row.income.0),
            money(row.total.0),
            Cell::or_none(base.map(cents)),
            Cell::Count(row.open),
            Cell::Count(row.unmarked),
        ]);
        bars.extend(base.map(|base| (format!("{} {}", row.name, row.currency), place(base.0))));
    }
    bars.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    bars.truncate(RANKED_MAX);
    if bars.len() > 1 {
        section.charts.push(Chart {
            title: format!("{title} by profit, {}", standing.base_currency),
            series: Series::Ranked(bars),
        });
    }
    section
}
