//! The statement of an account: what it had, what happened, what it has.

use crate::actions::Actions;
use crate::cash::{Cash, balances, decimals, standing};
use crate::error::ReportError;
use crate::model::{Cell, Chart, Highlight, Report, Section, Series, place};
use crate::period::Period;
use crate::pnl::Days;
use crate::trades::Trades;
use crate::walk::{At, Gather, Walked, walk};
use std::path::Path;
use tradewind_books::position::PositionRow;
use tradewind_domain::event::Event;
use tradewind_domain::fixed::{Money, NetQty, Price};
use tradewind_domain::ids::HoldingId;

/// The most figures of cash and profit at the top.
const HIGHLIGHTS_MAX: usize = 4;
/// The most bars of a picture that names them.
const RANKED_MAX: usize = 12;

#[derive(Default)]
struct Statement {
    cash: Cash,
    days: Days,
    trades: Trades,
    actions: Actions,
}

impl Gather for Statement {
    fn before(&mut self, event: &Event, at: &At<'_>) {
        self.cash.before(event, at);
        self.days.before(event);
    }

    fn see(&mut self, event: &Event, at: &At<'_>) -> Result<(), ReportError> {
        self.cash.see(event, at);
        self.days.see(event, at);
        self.trades.see(event, at);
        self.actions.see(event, at);
        Ok(())
    }

    fn begin(&mut self, at: &At<'_>) -> Result<(), ReportError> {
        self.cash.begin(at);
        self.days.begin(at);
        Ok(())
    }

    fn end_of_day(&mut self, at: &At<'_>) -> Result<(), ReportError> {
        self.days.end_of_day(at);
        Ok(())
    }
}

pub(crate) fn make(data: &Path, account: &str, period: Period) -> Result<Report, ReportError> {
    let mut statement = Statement::default();
    let walked = walk(data, account, period, &mut statement)?;
    let mut notes = vec![
        "Settled cash is what is booked; unsettled cash is that of trades whose settlement date has not come. Equity and profit are by trade date. \
         Positions are valued at the last trade or outside mark."
            .to_owned(),
    ];
    notes.extend(statement.days.unmarked(&walked));
    if statement.trades.adjustments > 0 {
        notes.push(format!(
            "{} busts or corrections of trades of earlier days are booked in this period.",
            statement.trades.adjustments
        ));
    }
    Ok(Report {
        name: "statement",
        has_tax_rules: false,
        title: "Account statement",
        highlights: highlights(&statement, &walked),
        sections: vec![
            statement.cash.summary(&walked)?,
            standing(&walked),
            positions(&walked),
            statement.days.in_base(&walked),
            statement.days.by_day(&walked),
            statement.days.by_instrument(&walked),
            statement.cash.dated.listing(&walked),
            statement.trades.listing(&walked),
            statement.actions.actions(&walked),
            statement.actions.changes(&walked),
            statement.cash.listing(&walked)?,
            open_orders(&walked),
        ],
        as_of: walked.as_of,
        scope: walked.scope,
        notes,
    })
}

/// Cash and profit of each currency, positions, trades.
fn highlights(statement: &Statement, walked: &Walked) -> Vec<Highlight> {
    let mut found = Vec::new();
    for (currency, settled) in balances(&walked.at()) {
        let (code, dp) = (
            walked.names().currency(currency),
            decimals(&walked.at(), currency),
        );
        found.push(Highlight::new(
            "Settled cash",
            Cell::Money(settled, dp),
            code.clone(),
        ));
        let profit = statement.days.total(currency);
        found.push(Highlight::new(
            "Profit of the period",
            Cell::Money(Money::from_raw(profit), dp),
            code,
        ));
    }
    found.truncate(HIGHLIGHTS_MAX);
    let open = walked.replica.positions().positions();
    let open = open.filter(|(_, row)| row.account == walked.account && !row.qty.is_zero());
    found.push(Highlight::new(
        "Open positions",
        Cell::Count(open.count() as u64),
        "",
    ));
    found.push(Highlight::new(
        "Trades",
        Cell::Count(statement.trades.live().count() as u64),
        "",
    ));
    found
}

/// What the account holds.
fn positions(walked: &Walked) -> Section {
    let mut section = Section::new(
        "positions",
        "Positions",
        &[
            ("symbol", "Instrument"),
            ("qty", "Quantity"),
            ("settled_qty", "Settled"),
            ("avg_px", "Average price"),
            ("cost", "Cost"),
            ("mark", "Mark"),
            ("value", "Market value"),
            ("unrealised", "Unrealised"),
            ("currency", "Currency"),
        ],
    );
    let stage = walked.replica.positions();
    let own = stage
        .positions()
        .filter(|(_, row)| row.account == walked.account && !row.qty.is_zero());
    let mut rows: Vec<(String, HoldingId, &PositionRow)> = own
        .map(|(holding, row)| (walked.names().symbol(row.instrument), holding, row))
        .collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    let mut values = Vec::new();
    for (symbol, holding, row) in rows {
        let Some(instrument) = stage.instrument(row.instrument) else {
            continue;
        };
        let dp = decimals(&walked.at(), instrument.currency);
        let money = |raw: i128| Cell::Money(Money::from_raw(raw), dp);
        let unrealised = stage.unrealised(holding);
        // Of a contract only the profit is worth something; of everything else what it was paid for and the profit.
        let paid = if instrument.moves_principal() {
            row.qty.raw().signum() * row.cost.raw()
        } else {
            0
        };
        let value = unrealised.map(|unrealised| paid + unrealised.raw());
        if let Some(value) = value {
            values.push((symbol.clone(), place(value)));
        }
        section.push([
            Cell::text(symbol),
            Cell::Qty(NetQty::from_raw(row.qty.raw())),
            Cell::Qty(walked.replica.settle().custody(holding).settled),
            Cell::or_none(row.avg_px(instrument).map(money)),
            money(row.cost.raw()),
            Cell::or_none(
                stage
                    .mark(row.instrument)
                    .map(|mark| Cell::Px(Price::from_raw(mark.raw()))),
            ),
            Cell::or_none(value.map(money)),
            Cell::or_none(unrealised.map(|unrealised| money(unrealised.raw()))),
            Cell::text(walked.names().currency(instrument.currency)),
        ]);
    }
    if values.len() > 1 {
        values.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        values.truncate(RANKED_MAX);
        section.charts.push(Chart {
            title: "Market value by instrument".to_owned(),
            series: Series::Ranked(values),
        });
    }
    section
}

/// Orders that still wait.
fn open_orders(walked: &Walked) -> Section {
    let mut section = Section::new(
        "open_orders",
        "Open orders",
        &[
            ("order_id", "Order"),
            ("cl_ord_id", "Client's identifier"),
            ("symbol", "Instrument"),
            ("side", "Side"),
            ("type", "Type"),
            ("tif", "Time in force"),
            ("qty", "Quantity"),
            ("filled", "Filled"),
            ("px", "Price"),
            ("state", "State"),
            ("reserved", "Cash held"),
            ("currency", "Currency"),
        ],
    );
    let rows = walked.replica.limit_check().open_orders().map(|(_, row)| row);
    let mut rows: Vec<_> = rows.filter(|row| row.account == walked.account).collect();
    rows.sort_by_key(|row| row.order_id);
    for row in rows {
        let names = walked.names();
        let qty = |raw: i64| Cell::Qty(NetQty::from_raw(raw.into()));
        section.push([
            Cell::text(row.order_id.to_string()),
            Cell::text(row.cl_ord_id.to_string()),
            Cell::text(names.symbol(row.instrument)),
            Cell::text(row.order_side().to_string()),
            Cell::text(row.order_type().to_string()),
            Cell::text(row.time_in_force().to_string()),
            qty(row.qty),
            qty(row.cum),
            if row.px == 0 {
                Cell::None
            } else {
                Cell::Px(Price::from_raw(row.px))
            },
            Cell::text(row.order_state().to_string()),
            Cell::Money(row.reserved_cash(), decimals(&walked.at(), row.currency)),
            Cell::text(names.currency(row.currency)),
        ]);
    }
    section
}
