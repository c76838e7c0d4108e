//! What rules would have done to a recorded journal: each order, replace, trade and quote of it is shown to them, and nothing
//! else changes.
//!
//! The market is the recorded one. Rules that were in force at the time are left aside, as are their documents; what they and
//! the limits did at the time stays as it was and is shown beside what the tested rules say.
//!
//! Not here: what would have followed (a refused order has no fills). For that, re-run the journal.

use crate::error::ViewError;
use crate::names::Names;
use crate::reader::Reader;
use crate::replay::ReplayOptions;
use serde::Serialize;
use std::collections::HashMap;
use std::path::Path;
use tradewind_domain::codes::Side;
use tradewind_domain::event::{
    CalendarSet, Capacities, Event, Execution, Kind, OrderNew, OrderReplace, Quote, Timer, TimerKind,
};
use tradewind_domain::fixed::{Price, Qty};
use tradewind_domain::ids::{AccountId, InstrumentId, OrderId, Seq};
use tradewind_domain::reject::RejectCode;
use tradewind_domain::time::UnixNanos;
use tradewind_feeds::Normalize;
use tradewind_machine::stage::Stage;
use tradewind_risk::calendar::Calendars;
use tradewind_risk::market::Market;
use tradewind_risk::rules::{Requested, Rules};
use tradewind_rules::{Action, Answer, RuleInfo, parts};

/// What a test of rules found.
#[derive(Clone, Debug, Serialize)]
pub struct RuleTest {
    /// Records of the journal that were read.
    pub records: u64,
    /// New orders and replaces that the rules were asked about.
    pub orders: u64,
    /// Executed trades that they were asked about.
    pub trades: u64,
    /// Quotes that they were asked about.
    pub quotes: u64,
    /// Orders and replaces that were accepted and that a rule would have refused.
    pub orders_refused: u64,
    /// Trades that were booked and that a rule would have put aside.
    pub trades_quarantined: u64,
    /// Quotes that were taken and that a rule would have refused.
    pub quotes_refused: u64,
    /// Each rule, in the order of the file.
    pub rules: Vec<RuleFigures>,
}

/// What one rule would have done.
#[derive(Clone, Debug, Serialize)]
pub struct RuleFigures {
    /// Its number in the file, from 1.
    pub number: u8,
    /// Its name.
    pub name: String,
    /// Line on which it begins.
    pub line: u32,
    /// `order`, `trade` or `quote`.
    pub event: String,
    /// `reject`, `alert` or `quarantine`.
    pub action: String,
    /// Its own code.
    pub code: String,
    /// Its own text.
    pub text: String,
    /// Events that it was asked about.
    pub asked: u64,
    /// Events on which it would have acted, by itself.
    pub acted: u64,
    /// Of these, events that were accepted at the time.
    pub acted_on_accepted: u64,
    /// Of these that it acted on, events whose condition could not be told.
    pub unknown: u64,
    /// The first events on which it would have acted.
    pub examples: Vec<RuleExample>,
}

/// An event on which a rule would have acted.
#[derive(Clone, Debug, Serialize)]
pub struct RuleExample {
    /// Its number.
    pub seq: Seq,
    /// When ingest took it, in nanoseconds.
    pub recv_ns: UnixNanos,
    /// Its kind.
    pub kind: String,
    /// The source's identifier: ClOrdID or ExecID.
    pub id: String,
    /// Instrument.
    pub symbol: String,
    /// Side.
    pub side: String,
    /// Quantity.
    pub qty: String,
    /// Price; of a quote bid and offer.
    pub px: String,
    /// Account.
    pub account: String,
    /// What became of it at the time: `OK` or the code of its refusal.
    pub recorded: String,
    /// True where the condition could not be told.
    pub unknown: bool,
}

/// Shows a journal to the rules of a document, which must be one that
/// [`decode`](tradewind_rules::decode) takes. Each rule keeps `examples_max` examples.
pub fn test_rules(
    data_dir: &Path,
    document: &[u8],
    options: ReplayOptions,
    examples_max: usize,
) -> Result<RuleTest, ViewError> {
    let mut reader = Reader::open(data_dir)?;
    let mut test = Tester::new(reader.capacities(), document, examples_max);
    let mut event = Event::empty();
    while reader.next_into(&mut event)?.is_some() {
        if options.ends_before(&event.head) {
            break;
        }
        test.see(&event);
    }
    Ok(test.result)
}

/// The recorded market as validate had it, and the figures.
struct Tester {
    normalize: Normalize,
    market: Market,
    calendars: Calendars,
    rules: Rules,
    /// Side, type and time in force of accepted orders: a replace does not repeat them.
    orders: HashMap<OrderId, (u8, u8, u8)>,
    examples_max: usize,
    result: RuleTest,
}

impl Tester {
    fn new(capacities: &Capacities, document: &[u8], examples_max: usize) -> Self {
        let mut rules = Rules::new(capacities);
        for part in parts(document) {
            rules.apply(part.event());
        }
        let figures = rules.book().infos().map(figures).collect();
        Self {
            normalize: Normalize::new(capacities),
            market: Market::new(capacities.instruments),
            calendars: Calendars::new(),
            rules,
            orders: HashMap::new(),
            examples_max,
            result: RuleTest {
                records: 0,
                orders: 0,
                trades: 0,
                quotes: 0,
                orders_refused: 0,
                trades_quarantined: 0,
                quotes_refused: 0,
                rules: figures,
            },
        }
    }

    fn see(&mut self, event: &Event) {
        self.result.records += 1;
        if event.head.part != 0 {
            return;
        }
        let mut answers = Vec::new();
        let is_asked = match event.kind() {
            Some(Kind::OrderReplace) => self.ask_replace(event, &mut answers),
            Some(Kind::OrderNew | Kind::TradeCapture | Kind::TradeCorrect | Kind::Quote) => {
                let each = |number, answer| answers.push((number, answer));
                self.rules.answers(event, &self.market, &self.calendars, each)
            }
            _ => false,
        };
        if is_asked {
            self.count(event, &answers);
        }
        self.learn(event);
    }

    fn ask_replace(&self, event: &Event, answers: &mut Vec<(u8, Answer)>) -> bool {
        let replace: &OrderReplace = event.body();
        let Some(&(side, ord_type, tif)) = self.orders.get(&replace.view.order_id) else {
            return false;
        };
        let requested = Requested {
            side,
            ord_type,
            tif,
            qty: replace.qty,
            px: replace.px,
            stop_px: replace.stop_px,
            session: replace.session.0,
            located: None,
            is_replace: true,
        };
        let each = |number, answer| answers.push((number, answer));
        self.rules
            .answers_replace(event, &self.market, &self.calendars, &requested, each)
    }

    fn count(&mut self, event: &Event, answers: &[(u8, Answer)]) {
        let was_accepted = !event.is_rejected();
        let mut is_stopped = false;
        for &(number, answer) in answers {
            let Some(figures) = self.result.rules.get_mut(usize::from(number).wrapping_sub(1)) else {
                continue;
            };
            figures.asked += 1;
            if !answer.acts() {
                continue;
            }
            figures.acted += 1;
            figures.acted_on_accepted += u64::from(was_accepted);
            figures.unknown += u64::from(answer == Answer::Unknown);
            is_stopped |= figures.action != Action::Alert.text();
            if figures.examples.len() < self.examples_max {
                let names = Names(self.normalize.registry());
                figures.examples.push(example(event, &names, answer));
            }
        }
        let stopped = u64::from(is_stopped && was_accepted);
        let result = &mut self.result;
        let (asked, would_stop) = match event.kind() {
            Some(Kind::TradeCapture | Kind::TradeCorrect) => {
                (&mut result.trades, &mut result.trades_quarantined)
            }
            Some(Kind::Quote) => (&mut result.quotes, &mut result.quotes_refused),
            _ => (&mut result.orders, &mut result.orders_refused),
        };
        *asked += 1;
        *would_stop += stopped;
    }

    /// Takes what a record says, as validate would; its documents of rules are left aside.
    fn learn(&mut self, event: &Event) {
        self.normalize.apply(event);
        if event.is_rejected() {
            return;
        }
        match event.kind() {
            Some(Kind::Blob) => {}
            Some(Kind::CalendarSet) => self.calendars.set_days(event.body::<CalendarSet>()),
            Some(Kind::Timer) => {
                let timer: &Timer = event.body();
                if timer.timer == TimerKind::DayRoll as u8 {
                    self.calendars.roll(timer.calendar, timer.date);
                }
            }
            Some(Kind::OrderNew) => {
                let order: &OrderNew = event.body();
                let known = (order.side, order.ord_type, order.tif);
                self.orders.insert(order.view.order_id, known);
            }
            _ => {
                self.market.apply(event);
                self.rules.apply(event);
            }
        }
    }
}

fn figures(info: RuleInfo) -> RuleFigures {
    RuleFigures {
        number: info.number,
        name: info.row.name.to_string(),
        line: info.row.line,
        event: info.event.text().to_owned(),
        action: info.action.text().to_owned(),
        code: info.row.code.to_string(),
        text: info.row.text.to_string(),
        asked: 0,
        acted: 0,
        acted_on_accepted: 0,
        unknown: 0,
        examples: Vec::new(),
    }
}

fn example(event: &Event, names: &Names<'_>, answer: Answer) -> RuleExample {
    let px = |raw: i64| Price::from_raw(raw).to_string();
    let (id, instrument, account, side, qty, px) = match event.kind() {
        Some(Kind::OrderReplace) => {
            let body: &OrderReplace = event.body();
            let id = body.cl_ord_id.to_string();
            (id, body.instrument, body.account, 0, body.qty, px(body.px))
        }
        Some(Kind::TradeCapture | Kind::TradeCorrect) => {
            let body: &Execution = event.body();
            let id = body.exec_id.to_string();
            (
                id,
                body.instrument,
                body.account,
                body.side,
                body.qty,
                px(body.px),
            )
        }
        Some(Kind::Quote) => {
            let body: &Quote = event.body();
            let both = format!("{} / {}", px(body.bid), px(body.ask));
            (String::new(), body.instrument, AccountId::NONE, 0, 0, both)
        }
        Some(Kind::OrderNew) => {
            let body: &OrderNew = event.body();
            let id = body.cl_ord_id.to_string();
            (
                id,
                body.instrument,
                body.account,
                body.side,
                body.qty,
                px(body.px),
            )
        }
        _ => (
            String::new(),
            InstrumentId::NONE,
            AccountId::NONE,
            0,
            0,
            String::new(),
        ),
    };
    RuleExample {
        seq: event.head.seq,
        recv_ns: event.head.recv_ns,
        kind: event.kind().map_or("", Kind::text).to_owned(),
        id,
        symbol: names.symbol(instrument),
        side: Side::from_code(side).map_or_else(String::new, |side| side.to_string()),
        qty: if qty == 0 {
            String::new()
        } else {
            Qty::from_raw(qty).to_string()
        },
        px,
        account: names.account(account),
        recorded: match event.is_rejected() {
            true => event.reject_code().map_or("?", RejectCode::text).to_owned(),
            false => "OK".to_owned(),
        },
        unknown: answer == Answer::Unknown,
    }
}
