//! Random reports, fills, trades, busts and corrections.

use super::super::world::outcome;
use super::compare::RECORDED_MAX;
use super::drive::Trial;
use super::firm::{LEAVES, SETTLE};
use super::history::{Exec, Life};
use super::verdict::Answer;
use bytemuck::Zeroable;
use tradewind_domain::codes::{OrderState, Side};
use tradewind_domain::event::{Event, Execution, HitKind, Kind, TradeBust, VenueReport};
use tradewind_domain::ids::{AccountId, InstrumentId, NodeId, OrderId};
use tradewind_domain::text::ExecId;

impl Trial {
    pub(super) fn report(&mut self, kinds: &[Kind]) {
        let Some(at) = self.some_order() else { return };
        let kind = self.rng.pick(kinds);
        let kind = match (kind, self.history.standing(at).pending.is_some()) {
            (Kind::VenueAck, true) => Kind::VenueReplaced,
            (kind, _) => kind,
        };
        let body = VenueReport {
            order_id: OrderId(self.history.orders[at].id),
            status: self.rng.below(10) as u8,
            ..VenueReport::zeroed()
        };
        let group = self.send(kind, &body);
        if !group[0].is_rejected() {
            let state = group[0].body::<VenueReport>().view.state_after;
            let back = [OrderState::Working as u8, OrderState::PendingNew as u8].contains(&state)
                || kind == Kind::VenueCancelReject && state == OrderState::Unknown as u8;
            if kind == Kind::VenueReplaced {
                self.history.orders[at].life.push(Life::Replaced);
            } else if back && self.history.standing(at).pending.is_some() {
                self.history.orders[at].life.push(Life::ReplaceOff);
            }
            self.went(at, state);
        }
        self.note_orders(&group[1..]);
    }

    pub(super) fn went(&mut self, order: usize, state: u8) {
        let state = OrderState::from_code(state).unwrap();
        self.history.orders[order].life.push(Life::Went(state));
    }

    pub(super) fn fill(&mut self) {
        let Some(at) = self.some_order() else { return };
        let (order, now) = (&self.history.orders[at], self.history.standing(at));
        let (id, leaf, side) = (order.id, order.asked.leaf.0, order.side());
        let instrument = order.asked.instrument.index();
        let lot = self.history.instruments[instrument].lot;
        let whole = (now.leaves as i64).max(lot);
        let qty = match self.rng.below(8) {
            0 => whole + lot * self.rng.range(1, 20),
            1..=3 => whole,
            _ => (self.rng.range(1, 100) * whole / 100 / lot * lot).max(lot),
        };
        let (name, px) = (self.name('e'), self.px(instrument));
        let body = Execution {
            exec_id: ExecId::new(&name).unwrap(),
            order_id: OrderId(id),
            qty,
            px,
            ..Execution::zeroed()
        };
        self.execute(Kind::VenueFill, &body, (leaf, instrument, side, Some(at)), name);
    }

    pub(super) fn trade(&mut self) {
        let (leaf, instrument) = (self.rng.pick(LEAVES), self.rng.below(8) as usize);
        let row = self.history.instruments[instrument];
        let side = self.rng.pick(&[Side::Buy, Side::Sell]);
        let (name, qty) = (self.name('t'), self.rng.range(1, 30) * row.lot);
        let px = self.px(instrument) / row.tick * row.tick;
        let body = Execution {
            exec_id: ExecId::new(&name).unwrap(),
            qty,
            px,
            side: side as u8,
            leaf: NodeId(leaf),
            account: AccountId(self.history.nodes[leaf as usize].account.unwrap()),
            instrument: row.id,
            currency: row.currency,
            calendar: row.calendar,
            ..Execution::zeroed()
        };
        self.execute(Kind::TradeCapture, &body, (leaf, instrument, side, None), name);
    }

    pub(super) fn execute(
        &mut self,
        kind: Kind,
        body: &Execution,
        (leaf, instrument, side, order): (u32, usize, Side, Option<usize>),
        name: String,
    ) {
        let (qty, px) = (i128::from(body.qty), i128::from(body.px));
        let value = self.history.execution_value(leaf, instrument, side, qty, px);
        let stood: Vec<u32> = self
            .history
            .chain(leaf)
            .into_iter()
            .flat_map(|node| self.history.standing_trips(node))
            .collect();
        let group = self.send(kind, body);
        assert_eq!(outcome(&group[0]), "OK", "{body:?}, {}", self.at());
        let decided: Execution = *group[0].body();
        assert_eq!(decided.consumed.raw(), value, "value of {body:?}, {}", self.at());
        let (at, ns) = (self.history.at, self.history.now_ns);
        let exec = Exec {
            name,
            at,
            leaf,
            instrument,
            side,
            qty,
            px,
            value,
            ns,
            trade_date: decided.trade_date,
            order,
            busted: false,
            first: (qty, px),
            settles: self.history.settles(instrument, decided.trade_date),
        };
        if let Some(date) = exec.settles {
            assert_eq!(
                (decided.settle_date, decided.settle_calendar),
                (date, SETTLE as u8),
                "settlement of {body:?}, {}",
                self.at()
            );
        } else {
            assert_eq!(
                decided.settle_calendar,
                0,
                "settlement of {body:?}, {}",
                self.at()
            );
        }
        self.history.execs.push(exec);
        if let Some(order) = order {
            self.history.orders[order].life.push(Life::Filled { qty });
        }
        let hits: u16 = alerts_of(&group[0]);
        let mut said: Vec<u32> = self.hits_of(&group[0], hits, HitKind::Alerted);
        said.sort_unstable();
        let expected = self.history.audit(leaf, instrument, side);
        self.seen.breaches += expected.len() as u64;
        if expected.len() < RECORDED_MAX {
            assert_eq!(said, expected, "breaches after {body:?}, {}", self.at());
        }
        let mut trips = self.history.repeated(leaf);
        // A fill that breaks a limit sets its state (LIMITS sections 2 and 9).
        trips.extend(
            expected
                .into_iter()
                .filter(|&limit| self.history.acts_on_a_state(limit)),
        );
        trips.sort_unstable();
        trips.dedup();
        trips.retain(|limit| !stood.contains(limit));
        trips.sort_unstable();
        self.check_trips(&group, &trips, &Answer::default());
        self.note_orders(&group[1..]);
    }

    pub(super) fn bust(&mut self) {
        let count = self.history.execs.len() as u64;
        if count == 0 {
            return;
        }
        let at = self.rng.below(count) as usize;
        let exec = &self.history.execs[at];
        let (name, order, qty, was_busted) = (exec.name.clone(), exec.order, exec.qty, exec.busted);
        let body = TradeBust {
            exec_ref_id: ExecId::new(&name).unwrap(),
            trade_date: exec.trade_date,
            ..TradeBust::zeroed()
        };
        let group = self.send(Kind::TradeBust, &body);
        let expected = if was_busted { "ALREADY_BUSTED" } else { "OK" };
        assert_eq!(outcome(&group[0]), expected, "bust of {name}, {}", self.at());
        if !was_busted {
            self.history.execs[at].busted = true;
            if let Some(order) = order {
                self.history.orders[order].life.push(Life::Busted { qty });
            }
        }
        self.note_orders(&group[1..]);
    }

    /// Quantity and price of an execution are corrected: everything is as if it had been reported so, on its day.
    pub(super) fn correct(&mut self) {
        let count = self.history.execs.len() as u64;
        if count == 0 {
            return;
        }
        let at = self.rng.below(count) as usize;
        let exec = &self.history.execs[at];
        let (name, order, old, was_busted) = (exec.name.clone(), exec.order, exec.qty, exec.busted);
        let (leaf, instrument, side) = (exec.leaf, exec.instrument, exec.side);
        let row = self.history.instruments[instrument];
        let lots = (old as i64 / row.lot * 2).max(2);
        let qty = self.rng.range(1, lots) * row.lot;
        let px = self.px(instrument) / row.tick * row.tick;
        let body = Execution {
            exec_id: ExecId::new(&name).unwrap(),
            qty,
            px,
            trade_date: self.history.execs[at].trade_date,
            leaf: NodeId::NONE,
            account: AccountId::NONE,
            instrument: InstrumentId::NONE,
            ..Execution::zeroed()
        };
        let (qty, px) = (i128::from(qty), i128::from(px));
        let value = self.history.execution_value(leaf, instrument, side, qty, px);
        let group = self.send(Kind::TradeCorrect, &body);
        let expected = if was_busted { "ALREADY_BUSTED" } else { "OK" };
        assert_eq!(outcome(&group[0]), expected, "{body:?}, {}", self.at());
        if !was_busted {
            let decided: &Execution = group[0].body();
            assert_eq!(decided.consumed.raw(), value, "value of {body:?}, {}", self.at());
            let exec = &mut self.history.execs[at];
            (exec.qty, exec.px, exec.value) = (qty, px, value);
            self.seen.corrected += 1;
            if let Some(order) = order {
                self.history.orders[order]
                    .life
                    .push(Life::Busted { qty: old - qty });
            }
        }
        self.note_orders(&group[1..]);
    }
}

/// Hits at the end of an execution's record: the tail has nothing else.
fn alerts_of(event: &Event) -> u16 {
    (event.tail().len() / size_of::<tradewind_domain::event::LimitHit>()) as u16
}
