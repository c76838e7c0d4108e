//! How a case's setup comes about: every row, position and figure of it enters the engine as an event.
//!
//! Reference data and positions are booked some trading days before the first step, so that its daily counters are untouched. Cash
//! follows when what the positions brought in has settled, then equities, which a payment would move; all this before the first
//! step's day begins, so that its balance is the one that the day starts with. Locates and limits come once it has begun: no
//! limit sees how the positions came about.

use super::days::{Days, NODES};
use super::schema::{ByName, Case, Instrument, Setup};
use super::units::{self, AUTHOR, EMERGENCY_LABEL, code};
use crate::conformance::decimals::Decimal;
use crate::conformance::desk::{Desk, DeskSettings};
use crate::conformance::known::Known;
use bytemuck::Zeroable;
use std::cmp::Reverse;
use tradewind_domain::codes::{AccountKind, InstrumentKind, Level, Side};
use tradewind_domain::event::{
    Body, CalendarSet, CashMove, CurrencySet, Event, Execution, FxRate, InboundLong, InstrumentSet, Kind,
    Locate, NodeSet, RestrictedSet, SessionEvent, Valuation,
};
use tradewind_domain::fixed::{Money, ONE};
use tradewind_domain::ids::{CalendarId, SessionId, VenueId};
use tradewind_domain::reference::{CalendarDay, Instrument as Row, instrument_flags};
use tradewind_domain::text::{Code, Symbol};
use tradewind_domain::time::UnixNanos;

/// Decimals of every currency's minor unit: cash as exact as the engine keeps it.
const MONEY_DP: u8 = 8;
/// The venue of every order and fill.
pub(crate) const VENUE: VenueId = VenueId(1);
/// How long before the first step the rest of the setup enters.
const BEFORE_FIRST_NS: u64 = 1_000_000;
/// The session of orders that name none.
pub(crate) const SESSION_DEFAULT: &str = "SES1";

/// A case's engine, ready for the first step.
pub(crate) struct Opened {
    /// The engine.
    pub(crate) desk: Desk,
    /// What its records have told.
    pub(crate) known: Known,
    /// Names of sessions; a session's number is its place, counted from 1.
    pub(crate) sessions: Vec<String>,
}

/// Starts an engine and brings the setup about.
pub(crate) fn open(case: &Case) -> Result<Opened, String> {
    let Case { setup, steps } = case;
    let days = Days::of(setup, steps)?;
    let desk = Desk::open(DeskSettings {
        start_ns: days.booked_ns,
        market_slip_bps: setup
            .market_slip_bps
            .whole()
            .ok_or("market_slip_bps is no whole number")?,
        ref_max_age_ms: setup.risk_ref_max_age_ms,
    })?;
    let first_ns = steps.first().map_or(0, |step| step.t);
    let mut opening = Opening {
        setup,
        desk,
        known: Known::default(),
        at_ns: days.booked_ns,
        payments: 0,
    };
    opening.reference(&days)?;
    let proceeds = opening.positions()?;
    opening.at_ns = days.settled_ns;
    opening.cash(&proceeds)?;
    opening.valuations()?;
    opening.at_ns = days.first_roll_ns.max(first_ns.saturating_sub(BEFORE_FIRST_NS));
    opening.begin_day()?;
    opening.locates()?;
    opening.limits()?;
    let sessions = opening.sessions(case)?;
    Ok(Opened {
        desk: opening.desk,
        known: opening.known,
        sessions,
    })
}

/// Money that a short sale brought in before the case began: account, currency, amount.
type Proceeds = Vec<(Code, Symbol, Money)>;

struct Opening<'a> {
    setup: &'a Setup,
    desk: Desk,
    known: Known,
    at_ns: UnixNanos,
    payments: u32,
}

impl Opening<'_> {
    /// Sends an event that must be taken; gives its record.
    fn send<T: Body>(&mut self, kind: Kind, body: &T, symbol: &str, account: &str) -> Result<Event, String> {
        let message = InboundLong::new(kind, body).named(code(symbol)?, code(account)?);
        let records = self.desk.send(message.at(self.at_ns))?;
        records.iter().for_each(|record| self.known.observe(record));
        let record = records
            .into_iter()
            .find(|record| record.kind() == Some(kind) && record.head.part == 0);
        let record = record.ok_or_else(|| format!("{kind} left no record"))?;
        match record.reject_code() {
            Some(refusal) => {
                let names = format!("{kind} {account} {symbol}");
                Err(format!("{} was refused: {refusal}", names.trim_end()))
            }
            None => Ok(record),
        }
    }

    fn reference(&mut self, days: &Days) -> Result<(), String> {
        self.currencies()?;
        self.calendar(NODES, &days.nodes)?;
        for (at, session) in days.sessions.iter().enumerate() {
            self.calendar(CalendarId(NODES.0 + 1 + at as u16), session)?;
        }
        self.nodes()?;
        for (symbol, instrument) in &self.setup.instruments {
            self.instrument(symbol, instrument, days.calendar_of(instrument.session.as_ref()))?;
        }
        Ok(())
    }

    /// The base currency first: it is the first row.
    fn currencies(&mut self) -> Result<(), String> {
        let setup = self.setup;
        let base = &setup.base_ccy;
        let mut others: Vec<&String> = setup.fx.keys().collect();
        others.extend(setup.instruments.values().map(|instrument| &instrument.ccy));
        others.retain(|currency| *currency != base);
        others.sort_unstable();
        others.dedup();
        for currency in std::iter::once(base).chain(others) {
            let body = CurrencySet {
                code: code(currency)?,
                author: Code::lossy(AUTHOR),
                money_dp: MONEY_DP,
                ..CurrencySet::zeroed()
            };
            self.send(Kind::CurrencySet, &body, "", "")?;
            if let Some(rate) = setup.fx.get(currency).filter(|_| currency != base) {
                let body = FxRate {
                    rate: e8(*rate, "rate")?,
                    rate_dp: 8,
                    ..FxRate::zeroed()
                };
                self.send(Kind::FxRate, &body, currency, "")?;
            }
        }
        Ok(())
    }

    fn calendar(&mut self, calendar: CalendarId, days: &[CalendarDay]) -> Result<(), String> {
        for part in days.chunks(8) {
            let mut body = CalendarSet {
                code: code(&format!("calendar-{calendar}"))?,
                calendar,
                count: part.len() as u8,
                ..CalendarSet::zeroed()
            };
            body.days[..part.len()].copy_from_slice(part);
            self.send(Kind::CalendarSet, &body, "", "")?;
        }
        Ok(())
    }

    /// Broad to narrow: a parent stands before its children.
    fn nodes(&mut self) -> Result<(), String> {
        let setup = self.setup;
        let mut nodes: Vec<(&String, Level)> =
            setup.levels.iter().map(|(node, level)| (node, *level)).collect();
        nodes.sort_by_key(|(_, level)| Reverse(*level));
        for (node, level) in nodes {
            let is_account = level == Level::Account;
            let parent = setup.tree.get(node).map(String::as_str).unwrap_or_default();
            let body = NodeSet {
                code: code(node)?,
                parent_code: code(parent)?,
                author: Code::lossy(AUTHOR),
                currency_code: code(if is_account { &setup.base_ccy } else { "" })?,
                level: level as u8,
                kind: if is_account { AccountKind::Cash as u8 } else { 0 },
                calendar: NODES,
                ..NodeSet::zeroed()
            };
            let kind = if is_account {
                Kind::AccountSet
            } else {
                Kind::NodeSet
            };
            self.send(kind, &body, "", node)?;
        }
        Ok(())
    }

    fn instrument(
        &mut self,
        symbol: &str,
        instrument: &Instrument,
        calendar: CalendarId,
    ) -> Result<(), String> {
        let or_zero = |value: Option<Decimal>, what| value.map_or(Ok(0), |value| e8(value, what));
        let mark = self.setup.marks.get(symbol).copied();
        let row = Row {
            symbol: code(symbol)?,
            sector: code(&instrument.sector)?,
            mult: e8(instrument.mult, "mult")?,
            tick: instrument.tick.map_or(Ok(1), |tick| e8(tick, "tick"))?,
            lot: instrument.lot.map_or(Ok(1), |lot| e8(lot, "lot"))?,
            configured_mark: or_zero(mark, "mark")?,
            adv: or_zero(instrument.adv, "adv")?,
            avg_order_qty: or_zero(instrument.avg_order_qty, "avg_order_qty")?,
            im_buy: or_zero(instrument.im_buy, "im_buy")?,
            im_sell: or_zero(instrument.im_sell, "im_sell")?,
            calendar,
            kind: instrument.kind as u8,
            settle_days: 1,
            flags: if instrument.easy_to_borrow {
                instrument_flags::EASY_TO_BORROW
            } else {
                0
            },
            ..Row::zeroed()
        };
        let body = InstrumentSet {
            row,
            author: Code::lossy(AUTHOR),
            currency_code: code(&instrument.ccy)?,
            ..InstrumentSet::zeroed()
        };
        self.send(Kind::InstrumentSet, &body, symbol, "").map(drop)
    }

    /// Positions as trades done elsewhere. What they cost is paid in; what they brought in is given back.
    fn positions(&mut self) -> Result<Proceeds, String> {
        let mut proceeds = Proceeds::new();
        let setup = self.setup;
        for (leaf, symbol, qty) in pairs(&setup.positions) {
            let qty = e8(qty, "position")?;
            if qty == 0 {
                continue;
            }
            let instrument = setup
                .instruments
                .get(symbol)
                .ok_or_else(|| format!("position in unknown {symbol}"))?;
            self.payments += 1;
            let body = Execution {
                exec_id: code(&format!("opening-{}", self.payments))?,
                qty: qty.checked_abs().ok_or("a position does not fit")?,
                px: price_booked(instrument, setup.marks.get(symbol).copied())?,
                qty_dp: 8,
                px_dp: 8,
                side: if qty > 0 { Side::Buy } else { Side::SellShort } as u8,
                venue: VENUE,
                ..Execution::zeroed()
            };
            let record = self.send(Kind::TradeCapture, &body, symbol, leaf)?;
            let principal = record.body::<Execution>().principal;
            let moves = matches!(
                instrument.kind,
                InstrumentKind::Equity | InstrumentKind::Crypto | InstrumentKind::Binary
            );
            match qty > 0 {
                _ if !moves || principal.is_zero() => {}
                true => self.pay(Kind::Deposit, leaf, &instrument.ccy, principal)?,
                // A binary short keeps its proceeds, and holds what the contract can pay beside them.
                false if instrument.kind == InstrumentKind::Binary => {
                    let pays =
                        i128::from(body.qty) * i128::from(e8(instrument.mult, "mult")?) / i128::from(ONE);
                    let held = Money::from_raw(pays - principal.raw());
                    self.pay(Kind::Deposit, leaf, &instrument.ccy, held)?;
                }
                false => proceeds.push((code(leaf)?, code(&instrument.ccy)?, principal)),
            }
        }
        Ok(proceeds)
    }

    fn pay(&mut self, kind: Kind, account: &str, currency: &str, amount: Money) -> Result<(), String> {
        self.payments += 1;
        let body = CashMove {
            reference: code(&format!("opening-{}", self.payments))?,
            amount,
            ..CashMove::zeroed()
        };
        self.send(kind, &body, currency, account).map(drop)
    }

    /// Equities, with the balance that the day begins with where the case has one.
    fn valuations(&mut self) -> Result<(), String> {
        let setup = self.setup;
        let nodes: std::collections::BTreeSet<&String> =
            setup.equity.keys().chain(setup.sod_balance.keys()).collect();
        for node in nodes {
            let balance = setup.sod_balance.get(node).copied();
            let equity = setup.equity.get(node).copied().or(balance);
            let body = Valuation {
                equity: money(equity, "equity")?,
                balance: money(balance, "sod_balance")?,
                has_balance: u8::from(balance.is_some()),
                ..Valuation::zeroed()
            };
            self.send(Kind::Valuation, &body, "", node)?;
        }
        Ok(())
    }

    /// A node's day begins with its first figure: they come once more before the limits, whose marks begin at what they say and not at the
    /// balance of the day before.
    fn begin_day(&mut self) -> Result<(), String> {
        let setup = self.setup;
        for (node, balance) in &setup.sod_balance {
            let equity = setup.equity.get(node).copied().unwrap_or(*balance);
            let body = Valuation {
                equity: money(Some(equity), "equity")?,
                ..Valuation::zeroed()
            };
            self.send(Kind::Valuation, &body, "", node)?;
        }
        Ok(())
    }

    fn cash(&mut self, proceeds: &Proceeds) -> Result<(), String> {
        for (account, currency, amount) in proceeds {
            self.pay(Kind::Withdrawal, account.as_str(), currency.as_str(), *amount)?;
        }
        let setup = self.setup;
        for (node, cash) in &setup.cash {
            let amount = money(Some(*cash), "cash")?;
            if !amount.is_zero() {
                self.pay(Kind::Deposit, node, &setup.base_ccy, amount)?;
            }
        }
        Ok(())
    }

    fn locates(&mut self) -> Result<(), String> {
        let setup = self.setup;
        for (account, symbol, qty) in pairs(&setup.locates) {
            let body = Locate {
                qty: e8(qty, "locate")?,
                qty_dp: 8,
                ..Locate::zeroed()
            };
            self.send(Kind::Locate, &body, symbol, account)?;
        }
        Ok(())
    }

    fn limits(&mut self) -> Result<(), String> {
        let setup = self.setup;
        // Of two limits that refuse alike the one with the lower id is named first. The files order ids as text, the engine by
        // when they were set.
        let mut limits: Vec<_> = setup.limits.iter().collect();
        limits.sort_by(|one, other| one.id.cmp(&other.id));
        for limit in limits {
            let body = units::limit_set(limit)?;
            let symbol = limit.filter.as_ref().and_then(|filter| filter.symbol.as_deref());
            let sent = self.send(Kind::LimitSet, &body, symbol.unwrap_or_default(), &limit.scope);
            sent.map_err(|error| format!("limit {} {}: {error}", limit.id, limit.limit_type))?;
            // A list may name what the case does not trade; orders in it are unknown anyway.
            let mut restrictions = units::restrictions(limit)?;
            restrictions.retain(|(symbol, _)| setup.instruments.contains_key(symbol));
            for (symbol, restriction) in restrictions {
                let line = RestrictedSet {
                    label: code(&limit.id)?,
                    author: Code::lossy(AUTHOR),
                    restriction: restriction as u8,
                    ..RestrictedSet::zeroed()
                };
                self.send(Kind::RestrictedSet, &line, &symbol, "")?;
            }
        }
        if let Some(emergency) = &setup.emergency {
            let root = setup.levels.iter().find(|(_, level)| **level == Level::Firm);
            let (root, _) = root.ok_or("emergency limits without a firm")?;
            let sent = self.send(Kind::LimitSet, &units::emergency_set(emergency)?, "", root);
            sent.map_err(|error| format!("{EMERGENCY_LABEL}: {error}"))?;
        }
        Ok(())
    }

    /// The sessions that the steps name, each connected.
    fn sessions(&mut self, case: &Case) -> Result<Vec<String>, String> {
        let mut sessions = vec![SESSION_DEFAULT.to_owned()];
        for session in case.steps.iter().filter_map(|step| step.session.as_ref()) {
            if !sessions.contains(session) {
                sessions.push(session.clone());
            }
        }
        for (at, name) in sessions.iter().enumerate() {
            let body = session_event(case, SessionId(at as u32 + 1), name)?;
            self.send(Kind::SessionConnected, &body, "", "")?;
        }
        Ok(sessions)
    }
}

/// A session with the case's cancel on disconnect; without one it never cancels.
pub(crate) fn session_event(case: &Case, session: SessionId, name: &str) -> Result<SessionEvent, String> {
    let cod = case.setup.cod.as_ref();
    Ok(SessionEvent {
        session,
        grace_ms: cod.map_or(u32::MAX, |cod| cod.grace_ms),
        include_gtc: u8::from(cod.is_some_and(|cod| cod.include_gtc)),
        name: code(name)?,
        ..SessionEvent::zeroed()
    })
}

/// The price at which a position is booked: the mark, or one unit of currency on the tick; a binary contract costs half a unit.
fn price_booked(instrument: &Instrument, mark: Option<Decimal>) -> Result<i64, String> {
    if let Some(mark) = mark {
        return e8(mark, "mark");
    }
    let about = if instrument.kind == InstrumentKind::Binary {
        ONE / 2
    } else {
        ONE
    };
    let tick = instrument.tick.map_or(Ok(1), |tick| e8(tick, "tick"))?.max(1);
    Ok((about / tick * tick).max(tick))
}

fn e8(value: Decimal, what: &str) -> Result<i64, String> {
    value.e8().ok_or_else(|| format!("{what} {value} does not fit"))
}

fn money(value: Option<Decimal>, what: &str) -> Result<Money, String> {
    let raw = value.map_or(Some(0), |value| value.raw(8));
    raw.map(Money::from_raw)
        .ok_or_else(|| format!("{what} has too many decimals"))
}

/// Entries of a map of maps.
fn pairs(map: &ByName<ByName<Decimal>>) -> impl Iterator<Item = (&str, &str, Decimal)> {
    map.iter().flat_map(|(outer, inner)| {
        inner
            .iter()
            .map(move |(name, value)| (outer.as_str(), name.as_str(), *value))
    })
}
