//! The comparisons after each event.

use super::super::world::outcome;
use super::drive::Trial;
use super::firm::{ACCOUNTS, LEAVES};
use super::history::{DISABLED, SLOW};
use super::price::Ask;
use super::verdict::{Answer, named};
use crate::hierarchy::node_flags;
use crate::limit_check::hits;
use bytemuck::Zeroable;
use tradewind_domain::codes::{OrderType, Side};
use tradewind_domain::event::{Control, Event, HitKind, Kind, LimitProbe};
use tradewind_domain::fixed::ONE;
use tradewind_domain::ids::{InstrumentId, NodeId, OrderId};
use tradewind_domain::reject::RejectCode;

/// Findings that a record has room for; where more speak, only the first reason is compared.
pub(super) const RECORDED_MAX: usize = 20;

impl Trial {
    pub(super) fn compare(&mut self, event: &Event, count: u16, answer: &Answer, what: &str) {
        assert_eq!(
            outcome(event),
            answer.code(),
            "{what}\nthe model says {:?}\n{}",
            answer.refused,
            self.at()
        );
        *self.seen.refused.entry(answer.code()).or_default() += 1;
        self.seen.accepted += u64::from(answer.refused.is_empty());
        self.seen.warned += answer.warned.len() as u64;
        self.seen.alerted += answer.alerted.len() as u64;
        if answer.refused.len() + answer.warned.len() + answer.alerted.len() + 8 > RECORDED_MAX {
            return;
        }
        let code = |hit: &tradewind_domain::event::LimitHit| {
            RejectCode::from_number(hit.code).map_or("", RejectCode::text)
        };
        let refused: Vec<_> = hits(event, count)
            .filter(|hit| hit.kind == HitKind::Refused as u8)
            .map(|hit| (named(hit.limit), code(&hit)))
            .collect();
        let expected: Vec<_> = answer.refused.iter().map(super::verdict::Said::shown).collect();
        assert_eq!(refused, expected, "{what}, {}", self.at());
        for (kind, said) in [
            (HitKind::Warned, &answer.warned),
            (HitKind::Alerted, &answer.alerted),
        ] {
            let mut found = self.hits_of(event, count, kind);
            let mut expected: Vec<u32> = said.iter().filter_map(|said| said.limit).collect();
            found.sort_unstable();
            expected.sort_unstable();
            let differs = found
                .iter()
                .chain(&expected)
                .find(|limit| found.contains(limit) != expected.contains(limit));
            let set = differs.and_then(|&limit| self.history.limit(limit));
            assert_eq!(found, expected, "{kind:?}: {what}, {set:?}, {}", self.at());
        }
    }

    /// The states that an event's limits have set.
    pub(super) fn check_trips(&mut self, group: &[Event], expected: &[u32], answer: &Answer) {
        if answer.refused.len() + 8 > RECORDED_MAX || expected.len() > 8 {
            return;
        }
        let changes = group
            .iter()
            .filter(|record| record.kind() == Some(Kind::StateChanged));
        let mut found: Vec<u32> = changes.map(|record| record.body::<Control>().limit.0).collect();
        found.sort_unstable();
        self.seen.trips += expected.len() as u64;
        let differs = found
            .iter()
            .chain(expected)
            .find(|&limit| found.contains(limit) != expected.contains(limit));
        let set = differs.and_then(|&limit| self.history.limit(limit));
        assert_eq!(found, expected, "states: {set:?}, {}", self.at());
    }

    /// Reserved is the sum over open orders, at every node and in every wallet; positions and the day's figures are those of the
    /// executions.
    pub(super) fn check_sums(&self) {
        let history = &self.history;
        let open: Vec<_> = history.open().collect();
        for (id, node) in self.world.limit.nodes() {
            let (mut bought, mut sold, mut count) = ((0, 0), (0, 0), 0);
            for (_, order, now) in &open {
                if !history.is_below(order.asked.leaf.0, id.0) {
                    continue;
                }
                let side = if order.is_buy() { &mut bought } else { &mut sold };
                (side.0, side.1, count) = (
                    side.0 + now.reserved_qty(),
                    side.1 + now.reserved_value(),
                    count + 1,
                );
            }
            assert_eq!(
                (node.flow.buy_qty, node.flow.buy_value),
                bought,
                "buys of node {}, {}",
                id.0,
                self.at()
            );
            assert_eq!(
                (node.flow.sell_qty, node.flow.sell_value),
                sold,
                "sales of node {}, {}",
                id.0,
                self.at()
            );
            assert_eq!(
                node.flow.open_count,
                count,
                "open orders of node {}, {}",
                id.0,
                self.at()
            );
        }
        for (_, order, now) in &open {
            let row = self.world.limit.order(OrderId(order.id)).unwrap();
            let instrument = &history.instruments[order.asked.instrument.index()];
            assert_eq!(
                row.reserved_cash().raw(),
                now.reserved_cash(instrument),
                "cash of {row:?}, {now:?} after {:?}, {}",
                order.life,
                self.at()
            );
        }
        for (_, wallet) in self.world.limit.wallets() {
            let account = ACCOUNTS
                .iter()
                .find(|&&node| history.nodes[node as usize].account == Some(wallet.account.0));
            let cash = history.cash(*account.unwrap(), wallet.currency.0);
            assert_eq!(
                wallet.reserved.raw(),
                cash.reserved,
                "reserved of {wallet:?}, {}",
                self.at()
            );
            assert_eq!(
                wallet.settled.raw() - wallet.collateral.raw(),
                cash.held,
                "cash of {wallet:?}, {}",
                self.at()
            );
            assert_eq!(
                (wallet.pending_in.raw(), wallet.pending_out.raw()),
                cash.pending,
                "pending of {wallet:?}, {}",
                self.at()
            );
        }
    }

    pub(super) fn check_states(&self) {
        for (id, node) in self.world.limit.nodes() {
            assert_eq!(
                node.control_state(),
                self.history.node_state(id.0),
                "state of node {}, {}",
                id.0,
                self.at()
            );
            let stands = |state: u8| {
                self.history
                    .standing_trips(id.0)
                    .into_iter()
                    .any(|limit| self.history.trip_state(limit) == state)
            };
            assert_eq!(
                node.flags & node_flags::DISABLED != 0,
                stands(DISABLED),
                "node {}, {}",
                id.0,
                self.at()
            );
            assert_eq!(
                node.flags & node_flags::SLOW != 0,
                stands(SLOW),
                "node {}, {}",
                id.0,
                self.at()
            );
        }
    }

    /// What is used of one of the limits, by the stage and by the model.
    pub(super) fn probe(&mut self) {
        let limits = self.history.in_force();
        let set = self.rng.pick(&limits);
        // Gates have no use, rates and equity are looked at elsewhere, and a figure without an order is none of L15, L32.
        if [5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 32, 33, 34, 35, 36].contains(&set.limit_type) {
            return;
        }
        let below: Vec<u32> = LEAVES
            .iter()
            .copied()
            .filter(|&leaf| self.history.is_below(leaf, set.node.0))
            .collect();
        let (leaf, instrument) = (self.rng.pick(&below), self.rng.below(8) as usize);
        let side = self.rng.pick(&[Side::Buy, Side::Sell]);
        let ask = Ask {
            leaf,
            instrument,
            side,
            ord_type: OrderType::Limit,
            qty: 0,
            leaves: 0,
            px: 0,
            stop_px: 0,
            stop_loss_px: 0,
            origin_ns: 0,
            old: None,
            is_new: false,
        };
        let body = LimitProbe {
            side: side as u8,
            limit: set.limit,
            leaf: NodeId(leaf),
            instrument: InstrumentId(instrument as u32),
            ..LimitProbe::zeroed()
        };
        let Some(expected) = self.history.measure(&set, &ask, None) else {
            return;
        };
        let group = self.send(Kind::LimitProbe, &body);
        let found: LimitProbe = *group[0].body();
        let scale = match set.limit_type {
            3 => i128::from(ONE),
            4 | 104 => 100 * i128::from(ONE),
            27 | 28 | 30 => 100,
            _ => 1,
        };
        let expected = (expected.used / scale, expected.limit / scale);
        self.seen.probes += 1;
        assert_eq!(
            (found.used, found.hard),
            expected,
            "use of {set:?} with {side:?} of {instrument} at {leaf}, {}",
            self.at()
        );
    }
}
