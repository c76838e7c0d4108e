//! Asking: what an order would be worth, and what every state, rate and limit on its chain says to it. Also what limits say to an
//! executed trade, and what remembers that they spoke.

use super::book::Book;
use super::findings::{Findings, hits};
use crate::checks;
use crate::hierarchy::{Chain, Flow, PairRow};
use crate::limits::{self, LimitRow, Measure, Question, WarnEdge};
use crate::orders::table::OrderRow;
use bytemuck::Zeroable;
use tradewind_domain::codes::{AccountKind, ControlState, LimitAction, OrderType};
use tradewind_domain::event::{Event, HitKind, LimitHit, Verdict};
use tradewind_domain::fixed::{Money, Price, Qty};
use tradewind_domain::ids::{InstrumentId, LimitId, NodeId, SessionId, WalletId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::reject::{Note, RejectCode};
use tradewind_domain::rounding::{self, Rounding, div_round};
use tradewind_domain::time::{DayNumber, UnixNanos};

/// The largest value of one order or execution, 10^13 units of base currency at 1e-16: far above every real one, and small
/// enough that sums over a billion of them fit 128 bits.
pub(super) const VALUE_MAX: i128 = 100_000_000_000_000_000_000_000_000_000;

static NO_FLOW: Flow = Flow::ZERO;

/// An order as the limits are asked about it: a new one, or what a replace would make of an old one.
pub(super) struct Ask {
    pub(super) wallet: WalletId,
    pub(super) instrument: InstrumentId,
    pub(super) session: SessionId,
    pub(super) is_buy: bool,
    pub(super) ord_type: OrderType,
    pub(super) qty: i64,
    pub(super) leaves: i64,
    pub(super) px: i64,
    pub(super) stop_px: i64,
    pub(super) now_ns: UnixNanos,
    /// The order that a replace takes the place of.
    pub(super) old: Option<OrderRow>,
}

/// What an order is worth, frozen at acceptance.
#[derive(Clone, Copy, Default)]
pub(super) struct Priced {
    pub(super) risk_px: i64,
    pub(super) unit: i64,
    pub(super) value: i128,
    pub(super) order_value: i128,
    pub(super) cash: i128,
    pub(super) fee: i128,
}

impl Book {
    /// States, rates and limits on an order; the price that it would be frozen at.
    pub(super) fn check_order(
        &self,
        ask: &Ask,
        chain: &Chain,
        notes: u64,
        findings: &mut Findings,
    ) -> Option<Priced> {
        let state = self.control_state(chain, ask.instrument, ask.session);
        if Self::is_halted(state) {
            findings.refuse(RejectCode::TradingHalted);
        } else if state == ControlState::ReduceOnly as u8 && !self.reduces(ask, chain) {
            findings.refuse(RejectCode::ReduceOnly);
        }
        let instrument = checks::known(&self.market, ask.instrument);
        self.ask_limits(
            ask,
            chain,
            instrument.unwrap_or(&Instrument::zeroed()),
            &Priced::default(),
            findings,
            true,
        );
        // Values that are no numbers have no price either; what can be said without one has been said.
        let unusable = Note::InvalidQty.bit()
            | Note::InvalidSide.bit()
            | Note::InvalidOrderType.bit()
            | Note::InvalidPrecision.bit()
            | Note::InvalidPrice.bit()
            | Note::InvalidStopPrice.bit();
        let instrument = instrument.filter(|_| notes & unusable == 0)?;
        match self.price(ask, chain, instrument) {
            Ok(priced) => {
                self.ask_limits(ask, chain, instrument, &priced, findings, false);
                Some(priced)
            }
            Err(code) => {
                findings.refuse(code);
                None
            }
        }
    }

    /// True where the order only reduces the account's position, its own open orders counted (LIMITS section 7).
    fn reduces(&self, ask: &Ask, chain: &Chain) -> bool {
        let Some(pair) = self.hierarchy.account_pair(chain) else {
            return false;
        };
        let old = ask.old.map_or(0, |row| i128::from(row.reserved_qty()));
        let (position, leaves) = (pair.flow.position, i128::from(ask.leaves));
        if ask.is_buy {
            position < 0 && pair.flow.buy_qty - old + leaves <= -position
        } else {
            position > 0 && pair.flow.sell_qty - old + leaves <= position
        }
    }

    /// Risk price, value and cash of an order (LIMITS section 1).
    fn price(&self, ask: &Ask, chain: &Chain, instrument: &Instrument) -> Result<Priced, RejectCode> {
        let rate = self
            .market
            .rate(instrument.currency)
            .ok_or(RejectCode::NoReferencePrice)?;
        let risk_px = self.risk_price(ask)?;
        // A limit counts how much, not which way: a negative price takes room like a positive one.
        let unit = rounding::unit_value(instrument, risk_px, rate)
            .and_then(i64::checked_abs)
            .ok_or(RejectCode::Overflow)?;
        let value = i128::from(ask.leaves) * i128::from(unit);
        let order_value = i128::from(ask.qty) * i128::from(unit);
        if order_value.abs() > VALUE_MAX {
            return Err(RejectCode::Overflow);
        }
        let mut priced = Priced {
            risk_px: risk_px.raw(),
            unit,
            value,
            order_value,
            cash: 0,
            fee: 0,
        };
        if ask.is_buy && instrument.moves_principal() {
            let principal =
                rounding::principal(instrument, Qty::from_raw(ask.leaves), risk_px, Rounding::Ceiling)
                    .ok_or(RejectCode::Overflow)?
                    .raw()
                    .max(0);
            priced.fee = self
                .fee_estimate(chain, principal, instrument)
                .ok_or(RejectCode::Overflow)?;
            priced.cash = principal.checked_add(priced.fee).ok_or(RejectCode::Overflow)?;
            if !Money::from_raw(priced.cash).is_postable() {
                return Err(RejectCode::Overflow);
            }
        }
        Ok(priced)
    }

    /// The estimated fee that is reserved with the principal: rate of the account's buying power limit, ceiled.
    fn fee_estimate(&self, chain: &Chain, principal: i128, instrument: &Instrument) -> Option<i128> {
        let limit = chain.levels().find_map(|(node, _)| {
            let row = self.hierarchy.node(node)?;
            self.limits.get(row.buying_power)
        });
        let Some(limit) = limit else { return Some(0) };
        let bps = i128::from(limit.params[limits::cash::FEE_BPS]);
        rounding::to_money(
            principal.checked_mul(bps)?,
            12,
            instrument.money_dp,
            Rounding::Ceiling,
        )
        .map(Money::raw)
    }

    fn risk_price(&self, ask: &Ask) -> Result<Price, RejectCode> {
        let reference = self
            .market
            .reference(ask.instrument, ask.now_ns, self.settings.ref_max_age_ms);
        let slipped = |px: i64| {
            let slipped = i128::from(px) * (10_000 + i128::from(self.settings.market_slip_bps));
            let raw = div_round(slipped, 10_000, Rounding::Ceiling).and_then(|raw| i64::try_from(raw).ok());
            raw.map(Price::from_raw).ok_or(RejectCode::Overflow)
        };
        let above = |px: i64| reference.map_or(px, |reference| reference.raw().max(px));
        match (ask.ord_type, ask.is_buy) {
            (OrderType::Limit | OrderType::StopLimit, true) => Ok(Price::from_raw(ask.px)),
            (OrderType::Limit | OrderType::StopLimit, false) => Ok(Price::from_raw(above(ask.px))),
            (OrderType::Market, true) => slipped(reference.ok_or(RejectCode::NoReferencePrice)?.raw()),
            (OrderType::Market, false) => reference.ok_or(RejectCode::NoReferencePrice),
            (OrderType::Stop, true) => slipped(above(ask.stop_px)),
            (OrderType::Stop, false) => Ok(Price::from_raw(above(ask.stop_px))),
        }
    }

    /// Asks the limits of every node on the chain: those that count messages, or those that look at the order.
    fn ask_limits(
        &self,
        ask: &Ask,
        chain: &Chain,
        instrument: &Instrument,
        priced: &Priced,
        findings: &mut Findings,
        rates: bool,
    ) {
        let wallet = if rates { None } else { self.wallets.row(ask.wallet) };
        let mut question = Question {
            is_buy: ask.is_buy,
            new_orders: u32::from(ask.old.is_none()),
            qty: ask.qty,
            leaves: ask.leaves,
            order_value: priced.order_value,
            value: priced.value,
            cash: priced.cash,
            old_qty: ask.old.as_ref().map_or(0, OrderRow::reserved_qty),
            old_value: ask.old.as_ref().map_or(0, |row| row.reserved_value().raw()),
            old_cash: ask.old.as_ref().map_or(0, |row| row.reserved_cash().raw()),
            flow: &NO_FLOW,
            pair: &NO_FLOW,
            instrument,
            settled: wallet.map_or(0, |row| row.settled.raw()),
            reserved: wallet.map_or(0, |row| row.reserved.raw()),
            is_cash_account: false,
            date: 0,
            now_ns: ask.now_ns,
        };
        for (node_id, pair) in chain.levels() {
            let Some(node) = self.hierarchy.node(node_id) else {
                continue;
            };
            let first = if rates { node.rates } else { node.limits };
            if first.is_none() {
                continue;
            }
            let pair_row = self.hierarchy.pair(pair);
            question.pair = pair_row.map_or(&NO_FLOW, |row| &row.flow);
            question.is_cash_account = node.account_kind == AccountKind::Cash as u8;
            question.date = self.calendars.date(node.calendar);
            for (id, row) in self.limits.list(first) {
                question.flow = if row.instrument.is_none() {
                    &node.flow
                } else {
                    question.pair
                };
                if !row.instrument.is_none() && row.instrument != ask.instrument {
                    continue;
                }
                if let Some(measure) = (row.spec().measure)(row, &question) {
                    let at = Place {
                        date: question.date,
                        pair: pair_row,
                        level: node.level,
                        node: node_id,
                    };
                    judge(id, row, measure, &at, findings);
                }
            }
        }
    }

    /// Uses a token of every rate on the chain, but not of one that refused by itself.
    pub(super) fn charge(&mut self, event: &Event, leaf: NodeId, verdict: &Verdict, is_order: bool) {
        let now_ns = event.head.recv_ns;
        let mut node = leaf;
        while let Some(row) = self.hierarchy.node(node) {
            node = NodeId(row.parent);
            let mut at = row.rates;
            while let Some(limit) = self.limits.row_mut(at) {
                let id = at;
                at = limit.next;
                let counts =
                    is_order || limit.limit_type == tradewind_domain::codes::LimitType::MsgRate as u8;
                let refused = verdict.hits != 0
                    && hits(event, verdict.hits)
                        .any(|hit| hit.limit == id && hit.kind == HitKind::Refused as u8);
                if limit.state == 1 && counts && !refused {
                    limits::charge(limit, now_ns);
                }
            }
        }
    }

    /// Remembers that a warning was given: once a day, or once a day and instrument.
    pub(super) fn mark_warnings(&mut self, event: &Event, count: u16, leaf_pair: u32) {
        for hit in hits(event, count).filter(|hit| hit.kind == HitKind::Warned as u8) {
            let Some(row) = self.limits.row_mut(hit.limit) else {
                continue;
            };
            let Some(node) = self.hierarchy.node(row.node) else {
                continue;
            };
            let date = self.calendars.date(node.calendar);
            match row.spec().warn {
                WarnEdge::Daily => row.warned_day = date,
                WarnEdge::DailyPerPair(bit) => {
                    let owner = row.node;
                    let mut at = leaf_pair;
                    while let Some(pair) = self.hierarchy.pair_mut(at) {
                        if pair.node == owner {
                            pair.warned = if pair.warned_day == date {
                                pair.warned | bit
                            } else {
                                bit
                            };
                            pair.warned_day = date;
                        }
                        at = pair.parent;
                    }
                }
                WarnEdge::None | WarnEdge::Each => {}
            }
        }
    }

    /// Compares what is booked with the limits that bind executed trades: a breach raises an alert, nothing is refused.
    pub(super) fn audit_execution(
        &self,
        leaf: NodeId,
        pair: u32,
        instrument: &Instrument,
        is_buy: bool,
        findings: &mut Findings,
    ) {
        let chain = self.hierarchy.chain_from(leaf, pair, instrument.id);
        for (node_id, pair) in chain.levels() {
            let Some(node) = self.hierarchy.node(node_id) else {
                continue;
            };
            let pair_flow = self.hierarchy.pair(pair).map_or(&NO_FLOW, |row| &row.flow);
            for (id, row) in self.limits.list(node.limits) {
                let binds = row.instrument.is_none() || row.instrument == instrument.id;
                if !row.spec().post_trade || !binds {
                    continue;
                }
                // Asked with an order of the smallest size, whose use is taken off again.
                let question = Question {
                    is_buy,
                    new_orders: 0,
                    qty: 1,
                    leaves: 1,
                    order_value: 1,
                    value: 1,
                    cash: 0,
                    old_qty: 0,
                    old_value: 0,
                    old_cash: 0,
                    flow: if row.instrument.is_none() {
                        &node.flow
                    } else {
                        pair_flow
                    },
                    pair: pair_flow,
                    instrument,
                    settled: 0,
                    reserved: 0,
                    is_cash_account: false,
                    date: self.calendars.date(node.calendar),
                    now_ns: 0,
                };
                let Some(measure) = (row.spec().measure)(row, &question) else {
                    continue;
                };
                let used = measure.used - 1;
                if used > measure.limit {
                    let hit = LimitHit {
                        used,
                        hard: measure.limit,
                        limit: id,
                        level: node.level,
                        ..LimitHit::zeroed()
                    };
                    findings.hit(HitKind::Alerted, hit, measure.code, node_id);
                }
            }
        }
    }
}

/// Where a limit stands.
struct Place<'a> {
    date: DayNumber,
    pair: Option<&'a PairRow>,
    level: u8,
    node: NodeId,
}

/// Compares a measure with its limit and reports what has to be said.
#[inline]
fn judge(id: LimitId, row: &LimitRow, measure: Measure, at: &Place<'_>, findings: &mut Findings) {
    if measure.used > measure.limit {
        let kind = if row.action == LimitAction::Alert as u8 {
            HitKind::Alerted
        } else {
            HitKind::Refused
        };
        findings.hit(kind, hit_of(id, measure, at), measure.code, at.node);
    } else if row.soft_pct != 0
        && measure.used.saturating_mul(100) >= measure.limit.saturating_mul(i128::from(row.soft_pct))
    {
        let given = match row.spec().warn {
            WarnEdge::None => true,
            WarnEdge::Each => false,
            WarnEdge::Daily => row.warned_day == at.date,
            WarnEdge::DailyPerPair(bit) => at
                .pair
                .is_some_and(|pair| pair.warned_day == at.date && pair.warned & bit != 0),
        };
        if !given {
            findings.hit(HitKind::Warned, hit_of(id, measure, at), measure.code, at.node);
        }
    }
}

#[cold]
fn hit_of(id: LimitId, measure: Measure, at: &Place<'_>) -> LimitHit {
    LimitHit {
        used: measure.used,
        hard: measure.limit,
        limit: id,
        level: at.level,
        ..LimitHit::zeroed()
    }
}
