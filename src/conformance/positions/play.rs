//! Steps of a case: each becomes an event, and the position that its record leads to is the answer.

use super::schema::{Op, Setup};
use crate::conformance::compare::REFUSED;
use crate::conformance::decimals::Decimal;
use crate::conformance::desk::{CAPACITIES, Desk, DeskSettings};
use bytemuck::Zeroable;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use tradewind_books::position::{Position, PositionRow};
use tradewind_domain::codes::{AccountKind, CorporateActionKind, InstrumentKind, Level, LotMethod, Side};
use tradewind_domain::event::{
    Body, CorporateAction, CurrencySet, Event, Execution, FxRate, InboundLong, InstrumentSet, Kind,
    LastTrade, LotMethodSet, NodeSet, TradeBust, execution_flags,
};
use tradewind_domain::fixed::{Money, ONE, Price};
use tradewind_domain::ids::{AccountId, HoldingId, Seq, VenueId};
use tradewind_domain::reference::{Instrument, instrument_flags};
use tradewind_domain::reject::RejectCode;
use tradewind_domain::text::{Code, Text};
use tradewind_domain::time::{NANOS_PER_SEC, UnixNanos};
use tradewind_machine::stage::Stage;

const AUTHOR: &str = "conformance";
/// The base currency: none of the files'.
const BASE: &str = "BASE";
const ACCOUNT: &str = "A1";
const VENUE: VenueId = VenueId(1);
/// Any instant will do: nothing here depends on the date.
const START_NS: UnixNanos = 1_772_409_600 * NANOS_PER_SEC;

/// Plays the steps of one case on its engine.
pub(super) struct Player {
    desk: Desk,
    /// What the records lead to.
    replica: Position,
    at_ns: UnixNanos,
    symbol: String,
    currency: String,
    instrument: Instrument,
    method: LotMethod,
    fee_in_basis: bool,
    rate: i64,
    busts: u32,
    /// Trades by record, for the names of lots.
    names: HashMap<Seq, String>,
    /// Prices of trades by identifier: a correction that leaves the price alone says which it is, for 0 is a price of some
    /// instruments.
    prices: HashMap<String, i64>,
    account: AccountId,
    /// Known from the first trade on.
    holding: HoldingId,
    mark: Option<i64>,
}

impl Player {
    /// Starts an engine and brings the setup about.
    pub(super) fn open(setup: &Setup) -> Result<Self, String> {
        let desk = Desk::open(DeskSettings {
            start_ns: START_NS,
            market_slip_bps: 0,
            ref_max_age_ms: 60_000,
        })?;
        let of = &setup.instrument;
        let mut player = Self {
            desk,
            replica: Position::new(&CAPACITIES),
            at_ns: START_NS,
            symbol: of.symbol.clone(),
            currency: of.ccy.clone(),
            instrument: Instrument::zeroed(),
            method: setup.method,
            fee_in_basis: setup.fee_in_basis,
            rate: 0,
            busts: 0,
            names: HashMap::new(),
            prices: HashMap::new(),
            account: AccountId::NONE,
            holding: HoldingId::NONE,
            mark: None,
        };
        player.reference(setup)?;
        Ok(player)
    }

    fn reference(&mut self, setup: &Setup) -> Result<(), String> {
        let of = &setup.instrument;
        self.currency(BASE, 2)?;
        self.currency(&of.ccy, of.money_dp)?;
        self.rate_is(ONE)?;
        for (node, parent, level) in [("F", "", Level::Firm), (ACCOUNT, "F", Level::Account)] {
            let is_account = level == Level::Account;
            let body = NodeSet {
                code: code(node)?,
                parent_code: code(parent)?,
                author: Code::lossy(AUTHOR),
                currency_code: code(if is_account { BASE } else { "" })?,
                level: level as u8,
                kind: if is_account { AccountKind::Margin as u8 } else { 0 },
                ..NodeSet::zeroed()
            };
            let kind = if is_account {
                Kind::AccountSet
            } else {
                Kind::NodeSet
            };
            let record = self.taken(kind, &body, "", node)?;
            self.account = record.body::<NodeSet>().account;
        }
        let body = InstrumentSet {
            row: Instrument {
                symbol: code(&of.symbol)?,
                mult: e8(of.mult)?,
                tick: 1,
                lot: e8(of.qty_step)?,
                kind: of.kind as u8,
                // A binary contract may be marked at nothing.
                flags: if of.kind == InstrumentKind::Binary {
                    instrument_flags::NEGATIVE_PRICES
                } else {
                    0
                },
                ..Instrument::zeroed()
            },
            author: Code::lossy(AUTHOR),
            currency_code: code(&of.ccy)?,
            ..InstrumentSet::zeroed()
        };
        let symbol = self.symbol.clone();
        self.instrument = self
            .taken(Kind::InstrumentSet, &body, &symbol, "")?
            .body::<InstrumentSet>()
            .row;
        let method = LotMethodSet {
            author: Code::lossy(AUTHOR),
            method: self.method as u8,
            fee_in_basis: u8::from(self.fee_in_basis),
            ..LotMethodSet::zeroed()
        };
        self.taken(Kind::LotMethodSet, &method, "", ACCOUNT).map(drop)
    }

    fn currency(&mut self, name: &str, money_dp: u8) -> Result<(), String> {
        let body = CurrencySet {
            code: code(name)?,
            author: Code::lossy(AUTHOR),
            money_dp,
            ..CurrencySet::zeroed()
        };
        self.taken(Kind::CurrencySet, &body, "", "").map(drop)
    }

    fn rate_is(&mut self, rate: i64) -> Result<(), String> {
        if self.rate != rate {
            let body = FxRate {
                rate,
                rate_dp: 8,
                ..FxRate::zeroed()
            };
            let currency = self.currency.clone();
            self.taken(Kind::FxRate, &body, &currency, "")?;
            self.rate = rate;
        }
        Ok(())
    }

    /// Sends an event; gives its record.
    fn send<T: Body>(&mut self, kind: Kind, body: &T, symbol: &str, account: &str) -> Result<Event, String> {
        self.at_ns += 1_000_000;
        let message = InboundLong::new(kind, body).named(code(symbol)?, code(account)?);
        let mut own = None;
        for record in self.desk.send(message.at(self.at_ns))? {
            self.replica.apply(&record);
            if record.kind() == Some(kind) && record.head.part == 0 {
                own = Some(record);
            }
        }
        own.ok_or_else(|| format!("{kind} left no record"))
    }

    /// As `send`, for what must be accepted.
    fn taken<T: Body>(&mut self, kind: Kind, body: &T, symbol: &str, account: &str) -> Result<Event, String> {
        let record = self.send(kind, body, symbol, account)?;
        match record.reject_code() {
            Some(refusal) => Err(format!("{kind} {symbol} was refused: {refusal}")),
            None => Ok(record),
        }
    }

    /// Plays a step and gives what the position is then.
    pub(super) fn play(&mut self, op: &Op) -> Result<Map<String, Value>, String> {
        let record = match op {
            Op::Fill {
                exec_id,
                side,
                qty,
                px,
                fee,
                fx,
            } => self.fill(exec_id, (*side, *qty, *px), *fee, *fx)?,
            Op::Mark { mark } => self.marked(*mark)?,
            Op::Settle { px, .. } => self.action(CorporateActionKind::Settlement, *px, |_| {})?,
            Op::Split { num, den, cil_px } => {
                let px = cil_px.unwrap_or(Decimal::ZERO);
                let whole = |of: Decimal| of.whole().ok_or_else(|| format!("{of} is no whole number"));
                let ratio = (whole(*num)?, whole(*den)?);
                self.action(CorporateActionKind::Split, px, |action| {
                    (action.numerator, action.denominator) = ratio;
                })?
            }
            Op::Dividend { per_share, wh_pct } => {
                let bps = match wh_pct {
                    Some(percent) => e8(*percent)? / (ONE / 100),
                    None => 0,
                };
                let bps = u32::try_from(bps).map_err(|_| "wh_pct does not fit")?;
                self.action(CorporateActionKind::CashDividend, *per_share, |action| {
                    action.withhold_bps = bps;
                })?
            }
            Op::Bust { exec_id } => self.bust(exec_id)?,
            Op::Correct {
                exec_id,
                qty,
                px,
                fee,
            } => self.correct(exec_id, *qty, *px, *fee)?,
        };
        let mut got = self.seen(matches!(op, Op::Mark { .. }))?;
        match record.reject_code() {
            None => {}
            Some(RejectCode::DuplicateExecId) => drop(got.insert("note".to_owned(), json!("DUPLICATE"))),
            Some(RejectCode::UnknownTrade) => drop(got.insert("note".to_owned(), json!("UNKNOWN_EXEC"))),
            Some(RejectCode::AlreadyBusted) => drop(got.insert("note".to_owned(), json!("ALREADY_BUSTED"))),
            Some(other) => drop(got.insert(REFUSED.to_owned(), json!(other.text()))),
        }
        Ok(got)
    }

    fn fill(
        &mut self,
        exec_id: &str,
        (side, qty, px): (Side, Decimal, Decimal),
        fee: Option<Decimal>,
        fx: Option<Decimal>,
    ) -> Result<Event, String> {
        self.rate_is(fx.map_or(Ok(ONE), e8)?)?;
        let body = Execution {
            exec_id: code(exec_id)?,
            side: side as u8,
            qty: e8(qty)?,
            px: e8(px)?,
            qty_dp: 8,
            px_dp: 8,
            venue: VENUE,
            ..fee_of(fee)?
        };
        let symbol = self.symbol.clone();
        let record = self.send(Kind::TradeCapture, &body, &symbol, ACCOUNT)?;
        if !record.is_rejected() {
            self.names.insert(record.head.seq, exec_id.to_owned());
            self.prices.insert(exec_id.to_owned(), body.px);
            self.holding = record.body::<Execution>().holding;
        }
        Ok(record)
    }

    fn bust(&mut self, exec_id: &str) -> Result<Event, String> {
        self.busts += 1;
        let body = TradeBust {
            exec_id: code(&format!("~bust-{}", self.busts))?,
            exec_ref_id: code(exec_id)?,
            venue: VENUE,
            ..TradeBust::zeroed()
        };
        self.send(Kind::TradeBust, &body, "", "")
    }

    fn correct(
        &mut self,
        exec_id: &str,
        qty: Option<Decimal>,
        px: Option<Decimal>,
        fee: Option<Decimal>,
    ) -> Result<Event, String> {
        let kept = self.prices.get(exec_id).copied().unwrap_or(0);
        let body = Execution {
            exec_id: code(exec_id)?,
            qty: qty.map_or(Ok(0), e8)?,
            px: px.map_or(Ok(kept), e8)?,
            qty_dp: 8,
            px_dp: 8,
            venue: VENUE,
            ..fee_of(fee)?
        };
        let record = self.send(Kind::TradeCorrect, &body, "", "")?;
        if !record.is_rejected() {
            self.prices.insert(exec_id.to_owned(), body.px);
        }
        Ok(record)
    }

    fn marked(&mut self, mark: Decimal) -> Result<Event, String> {
        let px = e8(mark)?;
        let body = LastTrade {
            px,
            px_dp: 8,
            qty_dp: 8,
            venue: VENUE,
            ..LastTrade::zeroed()
        };
        self.mark = Some(px);
        let symbol = self.symbol.clone();
        self.taken(Kind::LastTrade, &body, &symbol, "")
    }

    fn action(
        &mut self,
        kind: CorporateActionKind,
        amount: Decimal,
        terms: impl FnOnce(&mut CorporateAction),
    ) -> Result<Event, String> {
        let mut body = CorporateAction {
            cash_per_unit: Money::from_raw(e8(amount)?.into()),
            action: kind as u8,
            ..CorporateAction::zeroed()
        };
        terms(&mut body);
        let symbol = self.symbol.clone();
        self.taken(Kind::CorporateAction, &body, &symbol, "")
    }

    /// The position as the records have left it.
    fn seen(&self, with_mark: bool) -> Result<Map<String, Value>, String> {
        let row = self.replica.position(self.holding).copied();
        let row = row.unwrap_or(PositionRow::zeroed());
        let tax = self.replica.tax_lots(self.holding);
        let is_live = self.method == LotMethod::AverageCost && !self.fee_in_basis;
        let (position, realised_base) = match tax.filter(|_| !is_live) {
            None => (row, row.realised_base),
            Some(head) => (
                PositionRow {
                    qty: head.qty,
                    cost: head.cost,
                    realised: head.realised,
                    ..row
                },
                head.realised_base,
            ),
        };
        let income = self
            .replica
            .income(self.holding)
            .map_or(Money::ZERO, |row| row.net());
        let mut got = Map::new();
        let mut put = |key: &str, raw: i128| {
            let value = Decimal::scaled(raw, 8).ok_or_else(|| format!("{key} does not fit"))?;
            got.insert(key.to_owned(), json!(value));
            Ok::<(), String>(())
        };
        put("qty", position.qty.raw())?;
        put("cost", position.cost.raw())?;
        put("realised", position.realised.raw())?;
        put("fees", row.fees.raw())?;
        put("income", income.raw())?;
        put("realised_base", realised_base.raw())?;
        if !position.qty.is_zero() {
            if let Some(px) = position.avg_px(&self.instrument) {
                put("avg_px", px)?;
            }
            if self.instrument.kind == InstrumentKind::Binary as u8 {
                put("max_loss", max_loss(&position, &self.instrument))?;
            }
        }
        if let Some(mark) = self.mark.filter(|_| with_mark) {
            let unrealised = match position.qty.is_zero() {
                true => Money::ZERO,
                false => position
                    .unrealised(&self.instrument, Price::from_raw(mark))
                    .ok_or("no value at the mark")?,
            };
            let fees = if self.fee_in_basis { Money::ZERO } else { row.fees };
            put("unrealised", unrealised.raw())?;
            put(
                "total_pnl",
                position.realised.raw() + unrealised.raw() - fees.raw() + income.raw(),
            )?;
        }
        got.insert("lots".to_owned(), self.lots()?);
        Ok(got)
    }

    fn lots(&self) -> Result<Value, String> {
        let decimal = |raw: i128| Decimal::scaled(raw, 8).ok_or("a lot does not fit");
        let mut lots = Vec::new();
        for lot in self.replica.lots(self.holding) {
            let name = self.names.get(&lot.open).ok_or("a lot of an unknown trade")?;
            lots.push(json!([name, decimal(lot.qty.raw())?, decimal(lot.cost.raw())?]));
        }
        Ok(Value::Array(lots))
    }
}

/// What can be lost of a binary position: what was paid, or what the contract pays less what was received.
fn max_loss(position: &PositionRow, instrument: &Instrument) -> i128 {
    if position.qty.raw() >= 0 {
        return position.cost.raw();
    }
    let pays = position.qty.abs().raw() * i128::from(instrument.mult) / i128::from(ONE);
    pays - position.cost.raw()
}

fn fee_of(fee: Option<Decimal>) -> Result<Execution, String> {
    let Some(fee) = fee else {
        return Ok(Execution::zeroed());
    };
    Ok(Execution {
        fee: Money::from_raw(e8(fee)?.into()),
        flags: execution_flags::HAS_FEE,
        ..Execution::zeroed()
    })
}

fn e8(value: Decimal) -> Result<i64, String> {
    value.e8().ok_or_else(|| format!("{value} does not fit"))
}

fn code<const N: usize>(text: &str) -> Result<Text<N>, String> {
    Text::new(text).map_err(|error| format!("name {text}: {error}"))
}
