//! The topics `lifecycle` and `fx`: one account, and its money and securities from order to settlement.
//!
//! Every step is a message, and what it gives stands in the records that it led to. Figures are those of a replica of the journal.
//!
//! The files speak of dates and never of the time of day, and settle when they say so. Here the clock stands on one day after the last
//! of their dates, and the settlement calendar's days follow each other by the second: a settlement is the clock's way to the second of
//! its date.

use super::rules::{date, e8, money_dp};
use super::{Got, Plays, found};
use crate::conformance::decimals::Decimal;
use crate::conformance::desk::{Desk, DeskSettings};
use bytemuck::Zeroable;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tradewind_domain::codes::{
    AccountKind, InstrumentKind, Level, LimitAction, LimitType, OrderType, Side, TimeInForce,
};
use tradewind_domain::event::{
    Body, CalendarSet, CashMove, CorporateAction, CurrencySet, DatedSettlement, EdgeStats, Event, Execution,
    FeeScheduleSet, FxConversion, FxRate, InboundLong, InstrumentSet, Kind, LimitSet, NodeSet, OrderNew,
    TradeBust, VenueReport, execution_flags,
};
use tradewind_domain::fees::FeeModel;
use tradewind_domain::fixed::{Money, ONE};
use tradewind_domain::ids::{
    AccountId, CalendarId, CurrencyId, HoldingId, InstrumentId, OrderId, SessionId, VenueId,
};
use tradewind_domain::reference::{CalendarDay, Instrument};
use tradewind_domain::reject::RejectCode;
use tradewind_domain::settlement::is_weekend;
use tradewind_domain::text::Text;
use tradewind_domain::time::{Date, DayNumber, NANOS_PER_DAY, NANOS_PER_SEC, UnixNanos};
use tradewind_views::Replica;

const ACCOUNT: &str = "CLIENT";
const VENUE: VenueId = VenueId(1);
const SESSION: SessionId = SessionId(1);
/// The settlement calendar.
const SETTLEMENT: CalendarId = CalendarId(1);
/// The currency of steps that name none.
const BASE: &str = "USD";
/// Days of the calendar before the first date of a case and after the last.
const DAYS_AROUND: u32 = 60;
/// [`CorporateAction::action`] of a cash dividend.
const DIVIDEND: u8 = 2;
/// Time from one message to the next.
const STEP_NS: u64 = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Setup {
    account_type: String,
    #[serde(default)]
    holidays: Vec<String>,
}

/// A step as the file has it.
#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Step {
    /// Money comes in.
    Deposit { amount: Decimal, ccy: Option<String> },
    /// Money goes out.
    Withdraw { amount: Decimal, ccy: Option<String> },
    /// An order to buy.
    Reserve {
        order: String,
        qty: Decimal,
        px: Decimal,
        fee_est: Option<Decimal>,
        ccy: Option<String>,
    },
    /// Its end.
    Release { order: String },
    /// A trade, of an order or without one.
    Trade(Trade),
    /// The settlement run of a date.
    Settle { date: String },
    /// A trade is taken back.
    Bust { id: String },
    /// A conversion.
    Fx {
        sell_ccy: String,
        buy_ccy: String,
        amount: Decimal,
        rate: Decimal,
    },
    /// A dividend.
    Dividend {
        sym: String,
        per_share: Decimal,
        wh_pct: Option<Decimal>,
    },
}

/// A trade as the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trade {
    id: String,
    side: String,
    qty: Decimal,
    px: Decimal,
    sym: String,
    date: String,
    n: Option<u8>,
    fee: Option<Decimal>,
    order: Option<String>,
    ccy: Option<String>,
}

/// A trade that was booked.
struct Booked {
    id: String,
    trade_date: DayNumber,
    /// Where and when it settles; none once it has, or was taken back.
    unsettled: Option<(HoldingId, DayNumber)>,
}

/// An engine and the account in it.
pub(super) struct Player {
    desk: Desk,
    replica: Replica,
    now_ns: UnixNanos,
    /// Business days and when they begin.
    days: Vec<CalendarDay>,
    currencies: BTreeMap<String, CurrencyId>,
    /// Days to settlement of each symbol and currency, as they were set last.
    listed: BTreeMap<(String, String), u8>,
    /// Symbols of instruments that were traded.
    traded: BTreeMap<InstrumentId, String>,
    orders: BTreeMap<String, OrderId>,
    /// What the fills of each order are of.
    symbols: BTreeMap<String, String>,
    booked: Vec<Booked>,
    references: u32,
    /// The estimate that the fee schedule gives.
    fee_est: Money,
}

impl Player {
    /// Starts the engine: a firm with one account, and a limit on what it buys.
    pub(super) fn open(setup: Value, steps: &[Map<String, Value>]) -> Result<Self, String> {
        let setup: Setup = serde_json::from_value(setup).map_err(|error| error.to_string())?;
        let (first, last) = dates_of(steps)?;
        let holidays: Result<BTreeSet<DayNumber>, String> =
            setup.holidays.iter().map(|text| date(text)).collect();
        let start_ns = u64::from(last + 1) * NANOS_PER_DAY;
        let desk = Desk::open(DeskSettings {
            start_ns,
            market_slip_bps: 0,
            ref_max_age_ms: 60_000,
        })?;
        let mut player = Self {
            replica: Desk::empty_replica(),
            desk,
            now_ns: start_ns,
            days: days(first, last, &holidays?, start_ns),
            currencies: BTreeMap::new(),
            listed: BTreeMap::new(),
            traded: BTreeMap::new(),
            orders: BTreeMap::new(),
            symbols: symbols_of(steps),
            booked: Vec::new(),
            references: 0,
            fee_est: Money::ZERO,
        };
        let opening = player.desk.records().to_vec();
        player.learn(&opening)?;
        player.firm(&setup.account_type)?;
        Ok(player)
    }

    fn firm(&mut self, account_type: &str) -> Result<(), String> {
        self.currency(BASE)?;
        for part in self.days.clone().chunks(8) {
            let mut body = CalendarSet {
                code: Text::lossy("settlement"),
                calendar: SETTLEMENT,
                count: part.len() as u8,
                ..CalendarSet::zeroed()
            };
            body.days[..part.len()].copy_from_slice(part);
            self.must(Kind::CalendarSet, &body, "", "")?;
        }
        let kind = match account_type {
            "CASH" => AccountKind::Cash,
            "MARGIN" => AccountKind::Margin,
            other => return Err(format!("unknown account type {other}")),
        };
        let firm = NodeSet {
            code: Text::lossy("FIRM"),
            level: Level::Firm as u8,
            ..NodeSet::zeroed()
        };
        self.must(Kind::NodeSet, &firm, "", "FIRM")?;
        let account = NodeSet {
            code: Text::lossy(ACCOUNT),
            parent_code: Text::lossy("FIRM"),
            currency_code: Text::lossy(BASE),
            level: Level::Account as u8,
            kind: kind as u8,
            ..NodeSet::zeroed()
        };
        self.must(Kind::AccountSet, &account, "", ACCOUNT)?;
        let limit = LimitSet {
            label: Text::lossy("cash"),
            limit_type: LimitType::BuyingPower as u8,
            action: LimitAction::Reject as u8,
            ..LimitSet::zeroed()
        };
        self.must(Kind::LimitSet, &limit, "", ACCOUNT).map(drop)
    }

    /// Sends a message; gives its record and the effects behind it.
    fn send<T: Body>(
        &mut self,
        kind: Kind,
        body: &T,
        symbol: &str,
        account: &str,
    ) -> Result<Vec<Event>, String> {
        self.now_ns += STEP_NS;
        let message = InboundLong::new(kind, body)
            .named(Text::lossy(symbol), Text::lossy(account))
            .at(self.now_ns);
        let records = self.desk.send(message)?;
        self.learn(&records)?;
        Ok(records)
    }

    /// The record of a message.
    fn ask<T: Body>(&mut self, kind: Kind, body: &T, symbol: &str, account: &str) -> Result<Event, String> {
        let records = self.send(kind, body, symbol, account)?;
        let record = records
            .into_iter()
            .find(|record| record.kind() == Some(kind) && record.head.part == 0);
        record.ok_or_else(|| format!("{kind} left no record"))
    }

    /// The record of a message that must be taken.
    fn must<T: Body>(&mut self, kind: Kind, body: &T, symbol: &str, account: &str) -> Result<Event, String> {
        let record = self.ask(kind, body, symbol, account)?;
        match record.reject_code() {
            Some(code) => Err(format!("{kind} {symbol} was refused: {code}")),
            None => Ok(record),
        }
    }

    fn learn(&mut self, records: &[Event]) -> Result<(), String> {
        for record in records {
            self.replica.apply(record).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Makes a currency known, at the rate of the base currency: no figure of these cases is in base currency.
    fn currency(&mut self, code: &str) -> Result<(), String> {
        if self.currencies.contains_key(code) {
            return Ok(());
        }
        let body = CurrencySet {
            code: Text::lossy(code),
            money_dp: money_dp(code),
            ..CurrencySet::zeroed()
        };
        let record = self.must(Kind::CurrencySet, &body, "", "")?;
        self.currencies
            .insert(code.to_owned(), record.body::<CurrencySet>().currency);
        if code != BASE {
            let rate = FxRate {
                rate: ONE,
                rate_dp: 8,
                ..FxRate::zeroed()
            };
            self.must(Kind::FxRate, &rate, code, "")?;
        }
        Ok(())
    }

    /// Makes a share known that settles after so many days; gives its symbol in the engine.
    fn list(&mut self, sym: &str, ccy: &str, days: u8) -> Result<String, String> {
        self.currency(ccy)?;
        let symbol = if ccy == BASE {
            sym.to_owned()
        } else {
            format!("{sym}.{ccy}")
        };
        let key = (sym.to_owned(), ccy.to_owned());
        if self.listed.get(&key) == Some(&days) {
            return Ok(symbol);
        }
        let row = Instrument {
            symbol: Text::lossy(&symbol),
            mult: ONE,
            tick: 1,
            lot: 1,
            kind: InstrumentKind::Equity as u8,
            settle_days: days,
            settle_calendar: SETTLEMENT,
            ..Instrument::zeroed()
        };
        let body = InstrumentSet {
            row,
            currency_code: Text::lossy(ccy),
            ..InstrumentSet::zeroed()
        };
        let record = self.must(Kind::InstrumentSet, &body, &symbol, "")?;
        let id = record.body::<InstrumentSet>().row.id;
        self.traded.entry(id).or_insert_with(|| sym.to_owned());
        self.listed.insert(key, days);
        Ok(symbol)
    }

    fn reference(&mut self) -> Text<40> {
        self.references += 1;
        Text::lossy(format!("P{}", self.references))
    }

    fn pay(&mut self, kind: Kind, amount: Decimal, ccy: Option<String>) -> Got {
        let ccy = ccy.unwrap_or_else(|| BASE.to_owned());
        self.currency(&ccy)?;
        let body = CashMove {
            reference: self.reference(),
            amount: money(amount)?,
            ..CashMove::zeroed()
        };
        let record = self.ask(kind, &body, &ccy, ACCOUNT)?;
        Ok(found([("result", json!(payment_result(&record)))]))
    }

    /// Sets the fee that is estimated for orders.
    fn estimate(&mut self, fee: Money) -> Result<(), String> {
        if fee == self.fee_est {
            return Ok(());
        }
        let rate = i64::try_from(fee.raw()).map_err(|_| "the estimated fee does not fit")?;
        let body = FeeScheduleSet {
            params: [rate, 0, 0, 0, 0, 0],
            code: Text::lossy("estimate"),
            model: FeeModel::Flat as u8,
            venue: VenueId::NONE,
            ..FeeScheduleSet::zeroed()
        };
        self.must(Kind::FeeScheduleSet, &body, "", ACCOUNT)?;
        self.fee_est = fee;
        Ok(())
    }

    fn reserve(&mut self, order: &str, qty: Decimal, px: Decimal, fee: Money, ccy: &str) -> Got {
        // Reservations of orders that are never filled name nothing.
        let sym = self
            .symbols
            .get(order)
            .map_or("ORDERS", String::as_str)
            .to_owned();
        let symbol = self.list(&sym, ccy, 1)?;
        self.estimate(fee)?;
        self.references += 1;
        let body = OrderNew {
            cl_ord_id: Text::lossy(format!("O{}", self.references)),
            qty: e8(qty)?,
            px: e8(px)?,
            session: SESSION,
            side: Side::Buy as u8,
            ord_type: OrderType::Limit as u8,
            tif: TimeInForce::Gtc as u8,
            qty_dp: 8,
            px_dp: 8,
            ..OrderNew::zeroed()
        };
        let record = self.ask(Kind::OrderNew, &body, &symbol, ACCOUNT)?;
        let view = record.body::<OrderNew>().view;
        match record.reject_code() {
            Some(RejectCode::BuyingPower) => Ok(found([("result", json!("INSUFFICIENT_FUNDS"))])),
            Some(code) => Ok(found([("result", json!(code.text()))])),
            None => {
                self.report(Kind::VenueAck, view.order_id)?;
                self.orders.insert(order.to_owned(), view.order_id);
                Ok(found([
                    ("result", json!("OK")),
                    ("reserved", json!(view.cash.to_string())),
                ]))
            }
        }
    }

    fn report(&mut self, kind: Kind, order_id: OrderId) -> Result<Event, String> {
        let body = VenueReport {
            order_id,
            ..VenueReport::zeroed()
        };
        self.ask(kind, &body, "", "")
    }

    fn release(&mut self, order: &str) -> Got {
        let order_id = self.orders.get(order).copied().unwrap_or(OrderId::NONE);
        let record = self.report(Kind::VenueCancelled, order_id)?;
        let released = match record.is_rejected() {
            true => Money::ZERO,
            false => Money::from_raw(-record.body::<VenueReport>().view.cash.raw()),
        };
        Ok(found([("released", json!(released.to_string()))]))
    }

    fn trade(&mut self, trade: &Trade) -> Got {
        let ccy = trade.ccy.as_deref().unwrap_or(BASE);
        let side = Side::from_text(&trade.side).ok_or_else(|| format!("{} is no side", trade.side))?;
        let order_id = trade
            .order
            .as_ref()
            .and_then(|order| self.orders.get(order))
            .copied();
        let symbol = self.list(&trade.sym, ccy, trade.n.unwrap_or(1))?;
        let body = Execution {
            exec_id: Text::lossy(&trade.id),
            order_id: order_id.unwrap_or(OrderId::NONE),
            qty: e8(trade.qty)?,
            px: e8(trade.px)?,
            fee: trade.fee.map_or(Ok(Money::ZERO), money)?,
            trade_date: date(&trade.date)?,
            venue: VENUE,
            side: side as u8,
            flags: execution_flags::HAS_FEE,
            qty_dp: 8,
            px_dp: 8,
            ..Execution::zeroed()
        };
        let record = match order_id {
            Some(_) => self.ask(Kind::VenueFill, &body, "", "")?,
            None => self.ask(Kind::TradeCapture, &body, &symbol, ACCOUNT)?,
        };
        let booked: Execution = *record.body();
        match record.reject_code() {
            None => {}
            Some(RejectCode::DuplicateExecId) => return Ok(found([("result", json!("EXISTS"))])),
            Some(code) => return Err(format!("trade {} was refused: {code}", trade.id)),
        }
        self.booked.push(Booked {
            id: trade.id.clone(),
            trade_date: booked.trade_date,
            unsettled: (booked.settle_calendar != 0).then_some((booked.holding, booked.settle_date)),
        });
        let (principal, fee) = (booked.principal.raw(), booked.fee.raw());
        let net = if side.is_buy() {
            principal + fee
        } else {
            principal - fee
        };
        Ok(found([
            ("principal", json!(booked.principal.to_string())),
            ("net_amount", json!(Money::from_raw(net).to_string())),
            ("settle_date", json!(Date(booked.settle_date).to_string())),
        ]))
    }

    /// Lets the clock go on to the settlement run of a date.
    fn settle(&mut self, until: DayNumber) -> Got {
        let run = self.days.iter().rev().find(|day| day.date <= until);
        self.now_ns = self.now_ns.max(run.map_or(0, |day| day.roll_ns));
        let records = self.send(Kind::EdgeStats, &EdgeStats::zeroed(), "", "")?;
        let settled = records
            .iter()
            .filter(|record| record.kind() == Some(Kind::DatedCashSettled));
        let buckets: BTreeSet<(HoldingId, DayNumber)> = settled
            .map(|record| record.body::<DatedSettlement>())
            .map(|body| (body.holding, body.settle_date))
            .collect();
        let mut ids = Vec::new();
        for trade in &mut self.booked {
            if trade.unsettled.is_some_and(|bucket| buckets.contains(&bucket)) {
                trade.unsettled = None;
                ids.push(trade.id.clone());
            }
        }
        Ok(found([("settled", json!(ids))]))
    }

    fn bust(&mut self, id: &str) -> Got {
        let at = self.booked.iter().rposition(|trade| trade.id == id);
        let body = TradeBust {
            exec_id: self.reference(),
            exec_ref_id: Text::lossy(id),
            trade_date: at.map_or(0, |at| self.booked[at].trade_date),
            venue: VENUE,
            ..TradeBust::zeroed()
        };
        let record = self.ask(Kind::TradeBust, &body, "", "")?;
        let result = match (record.reject_code(), record.taken_back()) {
            (Some(code), _) => code.text(),
            (None, Some(taken)) if taken.settle_calendar != 0 => "VOIDED",
            _ => "REVERSED",
        };
        if let Some(at) = at.filter(|_| !record.is_rejected()) {
            self.booked[at].unsettled = None;
        }
        Ok(found([("result", json!(result))]))
    }

    fn convert(&mut self, sell: &str, buy: &str, amount: Decimal, rate: Decimal) -> Got {
        self.currency(sell)?;
        self.currency(buy)?;
        let body = FxConversion {
            reference: self.reference(),
            amount: money(amount)?,
            rate: e8(rate)?,
            rate_dp: 8,
            bought_code: Text::lossy(buy),
            ..FxConversion::zeroed()
        };
        let record = self.ask(Kind::FxConversion, &body, sell, ACCOUNT)?;
        let bought = record.body::<FxConversion>().bought;
        let mut got = found([("result", json!(payment_result(&record)))]);
        if !record.is_rejected() {
            got.insert("bought".to_owned(), json!(bought.to_string()));
        }
        Ok(got)
    }

    /// A dividend to who holds the share by trade date, paid at once.
    fn dividend(&mut self, sym: &str, per_share: Decimal, wh_pct: Option<Decimal>) -> Got {
        let withhold = wh_pct.map_or(Ok(0), e8)? / (ONE / 100);
        let body = CorporateAction {
            cash_per_unit: money(per_share)?,
            withhold_bps: u32::try_from(withhold).map_err(|_| "the tax does not fit")?,
            action: DIVIDEND,
            ..CorporateAction::zeroed()
        };
        let records = self.send(Kind::CorporateAction, &body, sym, "")?;
        if let Some(code) = records.iter().find_map(Event::reject_code) {
            return Err(format!("the dividend of {sym} was refused: {code}"));
        }
        let mut parts = records
            .iter()
            .filter(|record| record.kind() == Some(Kind::HolderDividend))
            .map(|record| record.body::<CorporateAction>());
        let (gross, withheld) = parts
            .find(|part| !part.holding.is_none())
            .map_or((Money::ZERO, Money::ZERO), |part| (part.gross, part.withheld));
        let net = Money::from_raw(gross.raw() - withheld.raw());
        Ok(found([
            ("gross", json!(gross.to_string())),
            ("withheld", json!(withheld.to_string())),
            ("net", json!(net.to_string())),
        ]))
    }

    fn cash(&self) -> Value {
        let name = |id: CurrencyId| self.currencies.iter().find(|(_, known)| **known == id);
        let wallets = self.replica.settle().wallets();
        let shown = wallets.filter_map(|(_, wallet)| {
            let (code, _) = name(wallet.currency)?;
            let figures = json!({
                "settled": wallet.settled.to_string(),
                "pending_in": wallet.pending_in.to_string(),
                "pending_out": wallet.pending_out.to_string(),
                "reserved": wallet.reserved.to_string(),
                "available": wallet.available.to_string(),
                "trade_date_balance": wallet.trade_date_balance().to_string(),
            });
            Some((code.clone(), figures))
        });
        Value::Object(shown.collect())
    }

    /// What is held of everything that was traded.
    fn securities(&self) -> Option<Value> {
        let positions: BTreeSet<HoldingId> = self.replica.positions().positions().map(|(id, _)| id).collect();
        let settle = self.replica.settle();
        let shown: Map<String, Value> = settle
            .holdings()
            .filter(|holding| positions.contains(holding) || self.has_settled(*holding))
            .filter_map(|holding| {
                let (_, instrument): (AccountId, InstrumentId) = settle.holder(holding)?;
                let held = settle.custody(holding);
                let figures = json!({
                    "settled": held.settled.to_string(),
                    "pending_in": held.pending_in.to_string(),
                    "pending_out": held.pending_out.to_string(),
                    "trade_date_position": held.trade_date_qty().to_string(),
                });
                Some((self.traded.get(&instrument)?.clone(), figures))
            })
            .collect();
        (!shown.is_empty()).then_some(Value::Object(shown))
    }

    /// True for a holding that was traded, although nothing may be left of it.
    fn has_settled(&self, holding: HoldingId) -> bool {
        let records = self.desk.records();
        records.iter().any(|record| {
            matches!(record.kind(), Some(Kind::VenueFill | Kind::TradeCapture))
                && !record.is_rejected()
                && record.body::<Execution>().holding == holding
        })
    }
}

impl Plays for Player {
    type Step = Step;

    fn play(&mut self, step: Step) -> Got {
        let mut got = match step {
            Step::Deposit { amount, ccy } => self.pay(Kind::Deposit, amount, ccy),
            Step::Withdraw { amount, ccy } => self.pay(Kind::Withdrawal, amount, ccy),
            Step::Reserve {
                order,
                qty,
                px,
                fee_est,
                ccy,
            } => {
                let fee = fee_est.map_or(Ok(Money::ZERO), money)?;
                self.reserve(&order, qty, px, fee, ccy.as_deref().unwrap_or(BASE))
            }
            Step::Release { order } => self.release(&order),
            Step::Trade(trade) => self.trade(&trade),
            Step::Settle { date: until } => self.settle(date(&until)?),
            Step::Bust { id } => self.bust(&id),
            Step::Fx {
                sell_ccy,
                buy_ccy,
                amount,
                rate,
            } => self.convert(&sell_ccy, &buy_ccy, amount, rate),
            Step::Dividend {
                sym,
                per_share,
                wh_pct,
            } => self.dividend(&sym, per_share, wh_pct),
        }?;
        got.insert("cash".to_owned(), self.cash());
        if let Some(securities) = self.securities() {
            got.insert("securities".to_owned(), securities);
        }
        Ok(got)
    }
}

/// What became of money that leaves the account.
fn payment_result(record: &Event) -> &'static str {
    match record.reject_code() {
        None => "OK",
        Some(RejectCode::BuyingPower) => "INSUFFICIENT_SETTLED_CASH",
        Some(code) => code.text(),
    }
}

/// The first and the last date of a case.
fn dates_of(steps: &[Map<String, Value>]) -> Result<(DayNumber, DayNumber), String> {
    let texts = steps.iter().filter_map(|step| step.get("date")?.as_str());
    let dates: Vec<DayNumber> = texts.map(date).collect::<Result<_, _>>()?;
    let any = date("2026-03-02")?;
    let first = dates.iter().copied().min().unwrap_or(any);
    Ok((first, dates.into_iter().max().unwrap_or(any)))
}

/// The symbols of orders, by the fills that name them.
fn symbols_of(steps: &[Map<String, Value>]) -> BTreeMap<String, String> {
    let text =
        |step: &Map<String, Value>, key: &str| step.get(key).and_then(Value::as_str).map(str::to_owned);
    steps
        .iter()
        .filter_map(|step| {
            let sym = text(step, "sym")?;
            Some((text(step, "order")?, sym))
        })
        .collect()
}

/// Business days around the dates of a case, a second apart.
fn days(
    first: DayNumber,
    last: DayNumber,
    holidays: &BTreeSet<DayNumber>,
    start_ns: UnixNanos,
) -> Vec<CalendarDay> {
    let dates = first.saturating_sub(DAYS_AROUND)..=last.saturating_add(DAYS_AROUND);
    let open = dates.filter(|date| !is_weekend(*date) && !holidays.contains(date));
    (1u64..)
        .zip(open)
        .map(|(at, date)| {
            let roll_ns = start_ns + at * NANOS_PER_SEC;
            CalendarDay {
                roll_ns,
                open_ns: roll_ns,
                close_ns: roll_ns,
                date,
                reserved: 0,
            }
        })
        .collect()
}

fn money(amount: Decimal) -> Result<Money, String> {
    let raw = amount.raw(8).ok_or_else(|| format!("{amount} does not fit"))?;
    Ok(Money::from_raw(raw))
}
