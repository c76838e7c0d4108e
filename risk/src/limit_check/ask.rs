//! Asking: what an order would be worth, and what every state, gate and limit on its chain says to it.

use super::book::Book;
use super::findings::{Findings, Reason};
use super::question::{List, Scene};
use crate::checks;
use crate::hierarchy::{Chain, Flow, node_flags};
use crate::limits::{self, Ask, Block, Priced, traits};
use crate::orders::table::parts_value;
use bytemuck::{Zeroable, bytes_of};
use tradewind_domain::codes::{ControlState, InstrumentKind, LimitType, OrderType};
use tradewind_domain::event::{Event, HitKind, LimitHit, Verdict};
use tradewind_domain::fixed::{Money, ONE, Price, Qty};
use tradewind_domain::ids::{CalendarId, LimitId, NodeId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::reject::{Note, RejectCode};
use tradewind_domain::rounding::{self, Rounding, div_round};
use tradewind_domain::time::UnixNanos;

/// The largest value of one order or execution, 10^13 units of base currency at 1e-16: far above every real one, and small
/// enough that sums over a billion of them fit 128 bits.
pub(super) const VALUE_MAX: i128 = 100_000_000_000_000_000_000_000_000_000;

/// Notes of validate that a limit may say too, with its name (L08, L09): refused behind the gates, once.
pub(super) const SAID_BY_LIMITS: u64 = Note::MarketClosed.bit() | Note::StaleOrder.bit();

impl Book {
    /// States, gates and limits on an order. True where it has a price that it would be frozen at: it is in `priced` then.
    pub(super) fn check_order(
        &self,
        ask: &Ask,
        chain: &Chain,
        notes: u64,
        priced: &mut Priced,
        findings: &mut Findings,
    ) -> bool {
        let state = self.control_state(chain, ask.instrument, ask.session);
        if Self::is_halted(state) {
            findings.refuse(RejectCode::TradingHalted);
        } else if state == ControlState::ReduceOnly as u8 && !self.reduces(ask, chain) {
            findings.refuse(RejectCode::ReduceOnly);
        }
        if chain.flags & node_flags::DISABLED != 0 {
            self.ask_disabled(chain, findings);
        }
        if self.outage_ns != 0 {
            self.ask_emergency(ask, chain, findings);
        }
        let unknown;
        let found = checks::known(&self.market, ask.instrument);
        let instrument = match found {
            Some(instrument) => instrument,
            None => {
                unknown = Instrument::zeroed();
                &unknown
            }
        };
        let unpriced = Priced::default();
        let mut scene = Scene::new(self, ask, chain, instrument, &unpriced);
        if !chain.gates.is_empty() {
            scene.ask(List::Gates, findings);
        }
        findings.refuse_unless_said(notes, Note::MarketClosed);
        findings.refuse_unless_said(notes, Note::StaleOrder);
        // Values that are no numbers have no price either; what can be said without one has been said.
        let unusable = Note::InvalidQty.bit()
            | Note::InvalidSide.bit()
            | Note::InvalidOrderType.bit()
            | Note::InvalidPrecision.bit()
            | Note::InvalidPrice.bit()
            | Note::InvalidStopPrice.bit();
        if found.is_none() || notes & unusable != 0 {
            return false;
        }
        if let Err(code) = self.price(ask, chain, instrument, priced) {
            *priced = Priced::default();
            findings.refuse(code);
            return false;
        }
        if !chain.limits.is_empty() {
            scene.set_priced(priced);
            scene.ask(List::Limits, findings);
        }
        if self.outage_ns != 0 {
            self.ask_emergency_amounts(ask, chain, priced, findings);
        }
        true
    }

    /// Strategies that executed too often stay out until a person re-arms them (L13).
    fn ask_disabled(&self, chain: &Chain, findings: &mut Findings) {
        for (node_id, _) in chain.levels() {
            let node = self.hierarchy.node(node_id);
            let Some(node) = node.filter(|node| node.flags & node_flags::DISABLED != 0) else {
                continue;
            };
            // Of several that did it, the one that comes first in the order of reasons.
            let watchers = self
                .limits
                .list(node.watchers)
                .filter(|(_, row)| row.tripped == 1);
            let tripped = watchers.min_by_key(|(id, _)| self.limits.label(*id));
            let Some((id, row)) = tripped else {
                findings.refuse(RejectCode::StrategyDisabled);
                continue;
            };
            let hit = LimitHit {
                used: row.hard,
                hard: row.hard,
                limit: id,
                level: node.level,
                ..LimitHit::zeroed()
            };
            let code = RejectCode::StrategyDisabled;
            findings.hit(hit, &Reason::refusal(code, (node_id, self.limits.label(id))));
        }
    }

    /// The emergency limits of a chain and whether each has run out: asked while the entitlement source is down.
    fn emergencies<'a>(
        &'a self,
        chain: &'a Chain,
        now_ns: UnixNanos,
    ) -> impl Iterator<Item = (&'a limits::LimitRow, bool)> {
        chain
            .levels()
            .filter_map(|(node, _)| self.hierarchy.node(node))
            .flat_map(|node| self.limits.list(node.gates))
            .filter(|(_, row)| row.limit_type == LimitType::Emergency as u8)
            .map(move |(_, row)| {
                let valid_s = row.all_params()[limits::gate::emergency::VALID_S].max(0) as u64;
                (
                    row,
                    now_ns.saturating_sub(self.outage_ns) >= valid_s * 1_000_000_000,
                )
            })
    }

    /// While the entitlement source is down, only some actions pass, and only for a time (L36). Where several limits hold, the
    /// tightest does.
    fn ask_emergency(&self, ask: &Ask, chain: &Chain, findings: &mut Findings) {
        let forbids = |row: &limits::LimitRow| {
            row.all_params()[limits::gate::emergency::ACTIONS] & ask.action as i64 == 0
        };
        if self.emergencies(chain, ask.now_ns).any(|(_, is_over)| is_over) {
            findings.refuse(RejectCode::EmergencyExpired);
        } else if self.emergencies(chain, ask.now_ns).any(|(row, _)| forbids(row)) {
            findings.refuse(RejectCode::EmergencyAction);
        }
    }

    /// Likewise the amounts: one order, and the day's counter as it is, so that an outage that comes and goes resets nothing.
    fn ask_emergency_amounts(&self, ask: &Ask, chain: &Chain, priced: &Priced, findings: &mut Findings) {
        let single = |row: &limits::LimitRow| {
            i128::from(row.all_params()[limits::gate::emergency::SINGLE]) * i128::from(ONE)
        };
        let rows = || self.emergencies(chain, ask.now_ns).map(|(row, _)| row);
        if rows().any(|row| priced.order_value > single(row)) {
            findings.refuse(RejectCode::EmergencySingleLimit);
        }
        if rows().any(|row| self.exceeds_emergency_day(row, ask, chain, priced)) {
            findings.refuse(RejectCode::EmergencyDailyLimit);
        }
    }

    fn exceeds_emergency_day(
        &self,
        row: &limits::LimitRow,
        ask: &Ask,
        chain: &Chain,
        priced: &Priced,
    ) -> bool {
        let level = row.all_params()[limits::gate::emergency::LEVEL];
        let mut nodes = chain.levels().filter_map(|(node, _)| self.hierarchy.node(node));
        let Some(node) = nodes.find(|node| i64::from(node.level) >= level) else {
            return false;
        };
        let today = node.flow.today(self.calendars.date(node.calendar));
        let old = ask.old.value;
        let before = today.bought_value + today.sold_value + node.flow.buy_value + node.flow.sell_value;
        priced.value > old && before - old + priced.value > row.hard
    }

    /// True where the order only reduces the account's position, its own open orders counted (LIMITS section 7).
    pub(super) fn reduces(&self, ask: &Ask, chain: &Chain) -> bool {
        let Some(pair) = self.hierarchy.account_pair(chain) else {
            return false;
        };
        let old = i128::from(ask.old.qty);
        let (position, leaves) = (pair.flow.position, i128::from(ask.leaves));
        if ask.is_buy() {
            position < 0 && pair.flow.buy_qty - old + leaves <= -position
        } else {
            position > 0 && pair.flow.sell_qty - old + leaves <= position
        }
    }

    /// Risk price, value and cash of an order (LIMITS section 1).
    pub(super) fn price(
        &self,
        ask: &Ask,
        chain: &Chain,
        instrument: &Instrument,
        priced: &mut Priced,
    ) -> Result<(), RejectCode> {
        let rate = self
            .market
            .rate(instrument.currency)
            .ok_or(RejectCode::NoReferencePrice)?;
        let risk_px = self.risk_price(ask)?;
        // A limit counts how much, not which way: a negative price takes room like a positive one.
        let unit = rounding::unit_value(instrument, risk_px, rate)
            .and_then(i64::checked_abs)
            .ok_or(RejectCode::Overflow)?;
        let (close_qty, short_px) = self.binary_parts(ask, chain, instrument, risk_px);
        let short_unit = match short_px {
            None => unit,
            Some(px) => rounding::unit_value(instrument, Price::from_raw(px), rate)
                .and_then(i64::checked_abs)
                .ok_or(RejectCode::Overflow)?,
        };
        let value = parts_value(ask.leaves, close_qty, unit, short_unit);
        let order_value = match ask.qty.checked_sub(ask.leaves) {
            Some(0) => value,
            _ => value + (i128::from(ask.qty) - i128::from(ask.leaves)) * i128::from(short_unit),
        };
        if order_value.abs() > VALUE_MAX {
            return Err(RejectCode::Overflow);
        }
        *priced = Priced {
            risk_px: short_px.unwrap_or(risk_px.raw()),
            unit,
            short_unit,
            close_qty,
            value,
            order_value,
            cash: 0,
            fee: 0,
            risk_per_unit: None,
        };
        if ask.stop_loss_px != 0 {
            let risk = risk_per_unit(instrument, risk_px, unit, ask.stop_loss_px, rate);
            priced.risk_per_unit = Some(risk.ok_or(RejectCode::Overflow)?);
        }
        if (ask.is_buy() || short_px.is_some()) && instrument.moves_principal() {
            let (qty, px) = (ask.leaves - close_qty, Price::from_raw(priced.risk_px));
            let principal = rounding::principal(instrument, Qty::from_raw(qty), px, Rounding::Ceiling)
                .ok_or(RejectCode::Overflow)?
                .raw()
                .max(0);
            priced.fee = match self.scheduled_estimate(chain, instrument, ask.side, (qty, priced.risk_px)) {
                Some(estimate) => estimate?,
                None => self
                    .fee_estimate(chain, principal, instrument)
                    .ok_or(RejectCode::Overflow)?,
            };
            priced.cash = principal.checked_add(priced.fee).ok_or(RejectCode::Overflow)?;
            if !Money::from_raw(priced.cash).is_postable() {
                return Err(RejectCode::Overflow);
            }
        }
        Ok(())
    }

    /// How a binary sale is valued: what closes the long position by its price, the rest by what it can lose, one less the order's
    /// own price (at the market: the reference). What other open sales will close is taken. Other orders have one part (LIMITS section 14, Cash).
    fn binary_parts(
        &self,
        ask: &Ask,
        chain: &Chain,
        instrument: &Instrument,
        risk_px: Price,
    ) -> (i64, Option<i64>) {
        if instrument.kind != InstrumentKind::Binary as u8 || ask.is_buy() {
            return (0, None);
        }
        let pair = self.hierarchy.account_pair(chain);
        let (position, open) = pair.map_or((0, 0), |pair| (pair.flow.position, pair.flow.sell_qty));
        let old = i128::from(ask.old.qty);
        let closes = (position - (open - old)).clamp(0, i128::from(ask.leaves)) as i64;
        if closes == ask.leaves {
            return (0, None);
        }
        let own = match ask.ord_type {
            OrderType::Limit | OrderType::StopLimit => ask.px,
            OrderType::Stop => ask.stop_px,
            OrderType::Market => risk_px.raw(),
        };
        (closes, Some(ONE - own))
    }

    /// The estimated fee that is reserved with the principal: rate of the narrowest buying power limit, ceiled.
    fn fee_estimate(&self, chain: &Chain, principal: i128, instrument: &Instrument) -> Option<i128> {
        if matches!(chain.fee_bps, 0 | crate::hierarchy::NodeRow::NO_FEE) {
            return Some(0);
        }
        rounding::to_money(
            principal.checked_mul(i128::from(chain.fee_bps))?,
            12,
            instrument.money_dp,
            Rounding::Ceiling,
        )
        .map(Money::raw)
    }

    fn risk_price(&self, ask: &Ask) -> Result<Price, RejectCode> {
        let max_age_ms = self.settings.ref_max_age_ms;
        let reference = || self.market.reference(ask.instrument, ask.now_ns, max_age_ms);
        let slipped = |px: i64| {
            let slipped = i128::from(px) * (10_000 + i128::from(self.settings.market_slip_bps));
            let raw = div_round(slipped, 10_000, Rounding::Ceiling).and_then(|raw| i64::try_from(raw).ok());
            raw.map(Price::from_raw).ok_or(RejectCode::Overflow)
        };
        let above = |px: i64| reference().map_or(px, |reference| reference.raw().max(px));
        match (ask.ord_type, ask.is_buy()) {
            (OrderType::Limit | OrderType::StopLimit, true) => Ok(Price::from_raw(ask.px)),
            (OrderType::Limit | OrderType::StopLimit, false) => Ok(Price::from_raw(above(ask.px))),
            (OrderType::Market, true) => slipped(reference().ok_or(RejectCode::NoReferencePrice)?.raw()),
            (OrderType::Market, false) => reference().ok_or(RejectCode::NoReferencePrice),
            (OrderType::Stop, true) => slipped(above(ask.stop_px)),
            (OrderType::Stop, false) => Ok(Price::from_raw(above(ask.stop_px))),
        }
    }

    /// Uses a token of every rate on the chain, but not of one that refused by itself, and counts the message.
    pub(super) fn charge(&mut self, event: &Event, leaf: NodeId, verdict: &Verdict, is_order: bool) {
        self.charge_and(event, leaf, verdict, is_order, |_| {});
    }

    /// As [`charge`](Self::charge), with another change of each node's flow on the same walk.
    #[inline]
    pub(super) fn charge_and(
        &mut self,
        event: &Event,
        leaf: NodeId,
        verdict: &Verdict,
        is_order: bool,
        change: impl Fn(&mut Flow),
    ) {
        let mut node = leaf;
        let mut calendar = CalendarId::UTC;
        let mut date = self.calendars.date(calendar);
        while let Some(row) = self.hierarchy.node_mut(node) {
            if row.calendar != calendar {
                calendar = row.calendar;
                date = self.calendars.date(calendar);
            }
            row.flow.count_message(date);
            change(&mut row.flow);
            node = NodeId(row.parent);
            if !row.gates.is_empty() {
                let (gates, slow) = (row.gates, row.flags & node_flags::SLOW != 0);
                self.charge_rates(event, gates, verdict, is_order, slow);
            }
        }
    }

    fn charge_rates(&mut self, event: &Event, gates: Block, verdict: &Verdict, is_order: bool, slow: bool) {
        let refused = |limit: LimitId| {
            let mut hits = super::findings::hits(event, verdict.hits);
            verdict.hits != 0 && hits.any(|hit| hit.limit == limit && hit.kind == HitKind::Refused as u8)
        };
        for place in 0.. {
            let Some(terms) = self.limits.terms(gates).get(place) else {
                return;
            };
            if !terms.has(traits::RATE) || !is_order && terms.limit_type == LimitType::OrderRate {
                continue;
            }
            let limit = terms.id;
            if !refused(limit)
                && let Some(row) = self.limits.row_mut(limit).filter(|row| row.state == 1)
            {
                limits::charge(row, &mut self.stamps, event.head.recv_ns, slow);
            }
        }
    }
}

impl Priced {
    /// Records how a binary sale was valued that opens a short: an order's facts have one unit only. Where both parts are worth the same
    /// the closing one still counts: it goes first, and no cash is held for it.
    pub(super) fn record_parts(&self, event: &mut Event, verdict: &mut Verdict) {
        if self.close_qty == 0 && self.short_unit == self.unit {
            return;
        }
        let parts = LimitHit {
            used: i128::from(self.close_qty),
            hard: i128::from(self.short_unit),
            limit: LimitId::NONE,
            kind: HitKind::Parts as u8,
            ..LimitHit::zeroed()
        };
        verdict.hits += u16::from(event.append_tail(bytes_of(&parts)));
    }
}

/// The two parts of an accepted order, as they were recorded: what closes a position, and the unit of the rest.
pub(super) fn recorded_parts(event: &Event, verdict: &Verdict, unit: i64) -> (i64, i64) {
    if verdict.hits == 0 {
        return (0, unit);
    }
    super::findings::hits(event, verdict.hits)
        .find(|hit| hit.kind == HitKind::Parts as u8)
        .map_or((0, unit), |hit| (hit.used as i64, hit.hard as i64))
}

/// What one unit loses between the risk price and the trader's stop price, 1e-16 base currency (L32).
fn risk_per_unit(
    instrument: &Instrument,
    risk_px: Price,
    unit: i64,
    stop_loss_px: i64,
    rate: i64,
) -> Option<i128> {
    if instrument.is_inverse() {
        let at_stop = rounding::unit_value(instrument, Price::from_raw(stop_loss_px), rate)?.checked_abs()?;
        return Some((i128::from(unit) - i128::from(at_stop)).abs() * i128::from(ONE));
    }
    let distance = (i128::from(risk_px.raw()) - i128::from(stop_loss_px)).abs();
    let point = div_round(
        i128::from(instrument.mult) * i128::from(rate),
        i128::from(ONE),
        Rounding::Ceiling,
    )?;
    distance.checked_mul(point)
}
