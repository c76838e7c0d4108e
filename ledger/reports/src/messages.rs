//! Messages of an account for each of its trades (L20): by day, and by instrument.

use crate::cash::day_cell;
use crate::error::ReportError;
use crate::model::{Cell, Chart, Highlight, Report, Section, Series};
use crate::period::Period;
use crate::walk::{At, Gather, walk};
use std::collections::BTreeMap;
use std::path::Path;
use tradewind_analytics::Figure;
use tradewind_domain::event::{Event, Execution, Kind, OrderCancel, OrderNew, OrderReplace};
use tradewind_domain::ids::{AccountId, InstrumentId};
use tradewind_domain::time::DayNumber;

#[derive(Clone, Copy, Default)]
struct Counts {
    orders: u64,
    replaces: u64,
    cancels: u64,
    refused: u64,
    trades: u64,
}

impl Counts {
    fn messages(&self) -> u64 {
        self.orders + self.replaces + self.cancels
    }

    /// Messages for each trade, at least one.
    fn ratio(&self) -> Option<Figure> {
        Figure::of(self.messages().into(), self.trades.max(1).into())
    }

    fn add(&mut self, other: &Self) {
        self.orders += other.orders;
        self.replaces += other.replaces;
        self.cancels += other.cancels;
        self.refused += other.refused;
        self.trades += other.trades;
    }
}

#[derive(Default)]
struct Messages {
    days: BTreeMap<DayNumber, Counts>,
    instruments: BTreeMap<InstrumentId, Counts>,
}

impl Gather for Messages {
    fn see(&mut self, event: &Event, at: &At<'_>) -> Result<(), ReportError> {
        let Some((account, instrument)) = subject(event) else {
            return Ok(());
        };
        if account.is_none() || account != at.account {
            return Ok(());
        }
        let mut counts = Counts::default();
        match event.kind() {
            Some(Kind::OrderNew) => counts.orders = 1,
            Some(Kind::OrderReplace) => counts.replaces = 1,
            Some(Kind::OrderCancel) => counts.cancels = 1,
            _ if event.is_rejected() => return Ok(()), // an execution that was not booked
            _ => counts.trades = 1,
        }
        counts.refused = u64::from(event.is_rejected());
        self.days.entry(at.day).or_default().add(&counts);
        self.instruments.entry(instrument).or_default().add(&counts);
        Ok(())
    }
}

/// Whose message or trade it is, and of what.
fn subject(event: &Event) -> Option<(AccountId, InstrumentId)> {
    match event.kind()? {
        Kind::OrderNew => Some((
            event.body::<OrderNew>().account,
            event.body::<OrderNew>().instrument,
        )),
        Kind::OrderReplace => {
            let body: &OrderReplace = event.body();
            Some((body.account, body.instrument))
        }
        Kind::OrderCancel => {
            let body: &OrderCancel = event.body();
            Some((body.account, body.instrument))
        }
        Kind::VenueFill | Kind::TradeCapture => {
            let body: &Execution = event.body();
            Some((body.account, body.instrument))
        }
        _ => None,
    }
}

fn section(key: &'static str, title: &'static str, first: (&'static str, &'static str)) -> Section {
    Section::new(
        key,
        title,
        &[
            first,
            ("orders", "Orders"),
            ("replaces", "Replaces"),
            ("cancels", "Cancels"),
            ("messages", "Messages"),
            ("refused", "Refused"),
            ("trades", "Trades"),
            ("ratio", "Messages a trade"),
        ],
    )
}

fn row(section: &mut Section, first: Cell, counts: &Counts) {
    section.push([
        first,
        Cell::Count(counts.orders),
        Cell::Count(counts.replaces),
        Cell::Count(counts.cancels),
        Cell::Count(counts.messages()),
        Cell::Count(counts.refused),
        Cell::Count(counts.trades),
        Cell::or_none(counts.ratio().map(Cell::Share)),
    ]);
}

pub(crate) fn make(data: &Path, account: &str, period: Period) -> Result<Report, ReportError> {
    let mut found = Messages::default();
    let walked = walk(data, account, period, &mut found)?;
    let mut by_day = section("by_day", "By day", ("day", "Day"));
    let mut bars = Vec::new();
    let mut total = Counts::default();
    for (day, counts) in &found.days {
        row(&mut by_day, day_cell(*day), counts);
        total.add(counts);
        bars.push((day_cell(*day).plain(), counts.ratio().map_or(0.0, Figure::to_f64)));
    }
    row(&mut by_day, Cell::text("Total"), &total);
    by_day.totals = 1;
    if bars.len() > 1 {
        by_day.charts.push(Chart {
            title: "Messages a trade, by day".to_owned(),
            series: Series::Bars(bars),
        });
    }
    let mut by_instrument = section("by_instrument", "By instrument", ("symbol", "Instrument"));
    let mut rows: Vec<_> = found
        .instruments
        .iter()
        .map(|(id, counts)| (walked.names().symbol(*id), counts))
        .collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    for (symbol, counts) in rows {
        row(&mut by_instrument, Cell::text(symbol), counts);
    }
    Ok(Report {
        name: "order-to-trade",
        has_tax_rules: false,
        title: "Order-to-trade ratio",
        highlights: vec![
            Highlight::new("Messages", Cell::Count(total.messages()), ""),
            Highlight::new("Trades", Cell::Count(total.trades), ""),
            Highlight::new("Messages a trade", Cell::or_none(total.ratio().map(Cell::Share)), ""),
        ],
        sections: vec![by_day, by_instrument],
        as_of: walked.as_of,
        scope: walked.scope,
        notes: vec!["Messages are orders, replaces and cancels, refused ones too; a day without a trade counts as one trade.".to_owned()],
    })
}
