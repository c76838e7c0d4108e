//! Limits without an order: what an executed trade has done to them, what is used of one, and that they have spoken.

use super::book::Book;
use super::findings::{Findings, Reason, hits};
use super::question::{List, Scene, hit_of};
use crate::checks;
use crate::hierarchy::{Chain, NodeRow, node_flags};
use crate::limits::{Action, Ask, Edge, LimitRow, Measure, Priced, Question, Terms, equity, gate, traits};
use bytemuck::Zeroable;
use tradewind_domain::codes::{LimitAction, LimitType, OrderType, Side};
use tradewind_domain::event::{Event, HitKind, LimitProbe};
use tradewind_domain::fixed::ONE;
use tradewind_domain::ids::{InstrumentId, LimitId, NodeId, WalletId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::reject::{Note, RejectCode};
use tradewind_domain::time::{DayNumber, UnixNanos};

impl Book {
    /// Compares what is booked with the limits that bind executed trades: a breach raises an alert, nothing is refused.
    pub(super) fn audit_execution(
        &self,
        leaf: NodeId,
        pair: u32,
        instrument: &Instrument,
        side: Side,
        findings: &mut Findings,
    ) {
        let chain = self.hierarchy.chain_from(leaf, pair, instrument.id);
        if chain.limits.is_empty() {
            return;
        }
        // Asked with an order of the smallest size: it says which limits this side moves, and how near they are.
        let ask = Ask {
            qty: 1,
            leaves: 1,
            ..Ask::nothing(instrument.id, WalletId::NONE, side, 0)
        };
        let smallest = Priced {
            value: 1,
            order_value: 1,
            ..Priced::default()
        };
        let binds_trades = |terms: &Terms| terms.post_trade;
        Scene::new(self, &ask, &chain, instrument, &smallest).each_that_may_speak(
            List::Limits,
            binds_trades,
            &mut |question: &Question<'_>, terms: &Terms, measure: Measure| {
                if measure.grows && measure.used > measure.limit {
                    self.report_breach(terms, question, &chain, findings);
                }
            },
        );
    }

    /// Says that an executed trade has broken a limit, where what is booked is beyond it without any order more.
    #[cold]
    fn report_breach(&self, terms: &Terms, question: &Question<'_>, chain: &Chain, findings: &mut Findings) {
        let Some(row) = self.limits.get(terms.id) else {
            return;
        };
        let (instrument, side) = (question.instrument, question.ask.side);
        let nothing = Ask::nothing(instrument.id, WalletId::NONE, side, 0);
        let unpriced = Priced::default();
        let measure = Scene::new(self, &nothing, chain, instrument, &unpriced).measure_one(terms.id, row);
        if let Some(measure) = measure.filter(|measure| measure.used > measure.limit) {
            let place = (question.node_id, self.limits.label(terms.id));
            let hit = hit_of(terms, &measure, question.node);
            let reason = Reason::of(HitKind::Alerted, &measure, terms.action, place);
            findings.hit(hit, &reason);
        }
    }

    /// Remembers that a warning was given: once a day, or once a day and instrument.
    pub(super) fn mark_warnings(&mut self, event: &Event, count: u16, leaf_pair: u32) {
        if count == 0 {
            return;
        }
        for hit in hits(event, count).filter(|hit| hit.kind == HitKind::Warned as u8) {
            let Some(row) = self.limits.get(hit.limit) else {
                continue;
            };
            let Some(node) = self.hierarchy.node(row.node) else {
                continue;
            };
            let (owner, date) = (row.node, self.calendars.date(node.calendar));
            match self.limits.edge_of(hit.limit, row, node) {
                Edge::Nowhere => {}
                Edge::Row => {
                    if let Some(row) = self.limits.row_mut(hit.limit) {
                        row.warned_day = date;
                    }
                }
                Edge::Pair(bit) => self.mark_pair(leaf_pair, owner, bit, date),
            }
        }
    }

    fn mark_pair(&mut self, leaf_pair: u32, owner: NodeId, bit: u16, date: DayNumber) {
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

    /// Answers what is used of a limit, as things stand or after an order.
    pub(super) fn decide_limit_probe(&self, event: &mut Event) {
        let (notes, now_ns) = (event.head.notes, event.head.recv_ns);
        let probe: &mut LimitProbe = event.body_mut();
        let code = Note::first(notes).or_else(|| self.answer(probe, now_ns).err());
        if let Some(code) = code {
            event.reject(code);
        }
    }

    fn answer(&self, probe: &mut LimitProbe, now_ns: UnixNanos) -> Result<(), RejectCode> {
        let row = self.limits.get(probe.limit).ok_or(RejectCode::UnknownLimit)?;
        let node = self.hierarchy.node(row.node).ok_or(RejectCode::UnknownNode)?;
        probe.limit_type = row.limit_type;
        probe.equity = node.equity;
        if probe.instrument.is_none() {
            probe.instrument = row.instrument;
        }
        let leaf = if probe.leaf.is_none() {
            row.node
        } else {
            probe.leaf
        };
        if !self.hierarchy.is_within(leaf, row.node) {
            return Err(RejectCode::UnknownNode);
        }
        let measure = match self.special_use(row, node) {
            Some(measure) => Some(measure),
            None => self.use_of(probe, row, leaf, now_ns)?,
        };
        let measure = measure.ok_or(RejectCode::UnknownLimit)?;
        (probe.used, probe.hard) = measure.shown(row.spec());
        Ok(())
    }

    /// Uses that no order makes: losses against their floor, a rate's tokens.
    fn special_use(&self, row: &LimitRow, node: &NodeRow) -> Option<Measure> {
        let kind = LimitType::from_code(row.limit_type)?;
        let measure = |used, limit| Some(Measure::new(used, limit, RejectCode::UnknownLimit));
        match kind {
            LimitType::DailyLoss | LimitType::MaxDdStatic | LimitType::MaxDdTrailing => {
                let (reference, floor) = equity::floor(row, node);
                let loss = reference - node.equity.saturating_mul(i128::from(ONE));
                measure(loss.max(0), reference - floor)
            }
            LimitType::RepeatedExec => {
                let disabled = i128::from(node.flags & node_flags::DISABLED != 0);
                measure(disabled * row.hard, row.hard)
            }
            LimitType::Emergency => measure(i128::from(self.outage_ns != 0), row.hard),
            _ => None,
        }
    }

    fn use_of(
        &self,
        probe: &LimitProbe,
        row: &LimitRow,
        leaf: NodeId,
        now_ns: UnixNanos,
    ) -> Result<Option<Measure>, RejectCode> {
        let chain: Chain = self.hierarchy.chain(leaf, probe.instrument);
        let instrument = checks::known(&self.market, probe.instrument);
        let unknown = Instrument::zeroed();
        let side = Side::from_code(probe.side).unwrap_or(Side::Buy);
        let wallet = instrument.map_or(WalletId::NONE, |instrument| {
            self.wallets.find(self.account_of(leaf), instrument.currency)
        });
        let mut ask = Ask::nothing(probe.instrument, wallet, side, now_ns);
        let mut priced = Priced::default();
        if probe.qty > 0 {
            ask = Ask {
                action: Action::Place,
                ord_type: OrderType::from_code(probe.ord_type).unwrap_or(OrderType::Limit),
                qty: probe.qty,
                leaves: probe.qty,
                px: probe.px,
                stop_px: probe.stop_px,
                stop_loss_px: probe.stop_loss_px,
                ..ask
            };
            let instrument = instrument.ok_or(RejectCode::UnknownSymbol)?;
            self.price(&ask, &chain, instrument, &mut priced)?;
        }
        let mut scene = Scene::new(self, &ask, &chain, instrument.unwrap_or(&unknown), &priced);
        Ok(scene.measure_one(probe.limit, row))
    }

    /// The account of a node; none above accounts.
    pub(super) fn account_of(&self, node: NodeId) -> tradewind_domain::ids::AccountId {
        self.hierarchy
            .node(node)
            .map_or(tradewind_domain::ids::AccountId::NONE, |row| row.account)
    }

    /// True where every PERMISSION limit on the chain of a node that binds the instrument, and does not only alert, allows the action.
    pub(super) fn may(&self, leaf: NodeId, instrument: InstrumentId, action: Action) -> bool {
        let units = self.hierarchy.groups.units(instrument);
        let binds = |terms: &Terms| {
            !terms.has(traits::REMOVED)
                && (!terms.has(traits::INSTRUMENT) || terms.instrument == instrument)
                && (!terms.has(traits::KIND) || units.is_some_and(|units| units.kind == terms.filter_kind))
                && (!terms.has(traits::SECTOR)
                    || units.is_some_and(|units| units.sector == terms.filter_sector))
        };
        let mut node = leaf;
        while let Some(row) = self.hierarchy.node(node) {
            node = NodeId(row.parent);
            let refuses = |terms: &Terms| {
                terms.limit_type == LimitType::Permission
                    && terms.action != LimitAction::Alert as u8
                    && binds(terms)
                    && !gate::permits(terms, action)
            };
            if self.limits.terms(row.gates).iter().any(refuses) {
                return false;
            }
        }
        true
    }

    /// True where a limit of the list has spoken and acts on the state of its node.
    pub(super) fn acts(&self, limit: LimitId) -> Option<(&LimitRow, u8)> {
        let row = self.limits.get(limit).filter(|row| row.tripped == 0)?;
        Some((row, super::effects::state_of(row)?))
    }
}
