//! Random events of the market, of money, of limits, states and time.

use super::super::world::{dec, outcome};
use super::drive::{ALL_ACTIONS_FROM, Trial};
use super::firm::{self, ACCOUNTS, OTHER, SETTLE, is_business_day};
use super::history::Worth;
use super::payments::{Action, Terms};
use super::verdict::Answer;
use crate::limit_check::hits;
use bytemuck::Zeroable;
use tradewind_domain::codes::{CorporateActionKind, LimitType};
use tradewind_domain::event::{
    CashMove, Control, CorporateAction, Event, FxRate, HitKind, HolderAction, InstrumentStatus, Kind,
    LastTrade, LimitSet, Locate, Mark, RestrictedSet, Timer, TimerKind, Valuation,
};
use tradewind_domain::fixed::{Money, ONE};
use tradewind_domain::ids::{AccountId, CalendarId, HoldingId, InstrumentId, NodeId, SessionId, VenueId};
use tradewind_domain::text::{Code, ExecId};

impl Trial {
    pub(super) fn last(&mut self, instrument: u32) {
        let px = self.px(instrument as usize).max(1) / dec("0.01") * dec("0.01");
        let body = LastTrade {
            px,
            qty: ONE,
            instrument: InstrumentId(instrument),
            ..LastTrade::zeroed()
        };
        if !self.send(Kind::LastTrade, &body)[0].is_rejected() {
            self.history
                .lasts
                .push((instrument as usize, px, self.history.now_ns));
        }
    }

    pub(super) fn market(&mut self) {
        let instrument = self.rng.below(8) as usize;
        match self.rng.below(3) {
            0 => {
                // The last instrument has no mark until somebody trades it.
                let instrument = instrument.min(6);
                let px = self.px(instrument);
                let body = Mark {
                    px,
                    instrument: InstrumentId(instrument as u32),
                    ..Mark::zeroed()
                };
                self.send(Kind::Mark, &body);
                self.history.marks.push((instrument, px));
            }
            1 => {
                let (currency, rate) = self
                    .rng
                    .pick(&[(1, "1.05"), (1, "1.2"), (2, "7600"), (2, "8400.5")]);
                let body = FxRate {
                    rate: dec(rate),
                    currency: tradewind_domain::ids::CurrencyId(currency),
                    ..FxRate::zeroed()
                };
                self.send(Kind::FxRate, &body);
                self.history.rates.push((currency, dec(rate)));
            }
            _ => {
                let halted = self.rng.one_in(3);
                let body = InstrumentStatus {
                    halted: u8::from(halted),
                    instrument: InstrumentId(instrument as u32),
                    ..InstrumentStatus::zeroed()
                };
                self.send(Kind::InstrumentStatus, &body);
                self.history.halts.push((instrument, halted));
            }
        }
    }

    pub(super) fn pay(&mut self, account: u32, currency: u16, kind: Kind, amount: i64) {
        let name = self.name('c');
        let body = CashMove {
            reference: ExecId::new(&name).unwrap(),
            amount: Money::from_raw(i128::from(amount)),
            account: AccountId(self.history.nodes[account as usize].account.unwrap()),
            currency: tradewind_domain::ids::CurrencyId(currency),
            leaf: NodeId(account),
            ..CashMove::zeroed()
        };
        let cash = self.history.cash(account, currency);
        let settled = cash.held + cash.collateral - cash.pending.0 + cash.pending.1;
        let free = (cash.held - cash.unsettled - cash.reserved).min(settled);
        let refused = kind == Kind::Withdrawal && i128::from(amount) > free;
        let group = self.send(kind, &body);
        let expected = if refused { "BUYING_POWER" } else { "OK" };
        assert_eq!(
            outcome(&group[0]),
            expected,
            "{kind:?} of {amount}, free {free}, {}",
            self.at()
        );
        if !refused {
            let amount = if kind == Kind::Withdrawal {
                -i128::from(amount)
            } else {
                i128::from(amount)
            };
            let one = i128::from(ONE);
            let value = (2 * amount * self.history.rate(currency) + one).div_euclid(2 * one);
            let paid = Worth::Paid {
                leaf: account,
                currency,
                amount,
                value,
            };
            self.history.worths.push((self.history.at, paid));
        }
    }

    pub(super) fn value(&mut self, node: u32) {
        let equity = i128::from(self.rng.range(38_000, 60_000)) * i128::from(ONE);
        let balance = self
            .rng
            .one_in(2)
            .then(|| equity + i128::from(self.rng.range(-3_000, 3_000)) * i128::from(ONE));
        let body = Valuation {
            equity: Money::from_raw(equity),
            balance: Money::from_raw(balance.unwrap_or(0)),
            has_balance: u8::from(balance.is_some()),
            node: NodeId(node),
            ..Valuation::zeroed()
        };
        self.history.worths.push((
            self.history.at + 1,
            Worth::Valued {
                node,
                equity,
                balance,
            },
        ));
        let expected = self.history.floors(node);
        let group = self.send(Kind::Valuation, &body);
        let count = group[0].body::<Valuation>().hits;
        let mut said: Vec<_> = hits(&group[0], count)
            .map(|hit| (hit.limit.0, hit.kind, hit.hard))
            .collect();
        said.sort_by_key(|said| (said.0, said.1));
        let shown: Vec<_> = expected
            .iter()
            .map(|said| (said.0, said.1 as u8, said.2))
            .collect();
        let mut shown_sorted = shown.clone();
        shown_sorted.sort_by_key(|said| (said.0, said.1));
        assert_eq!(said, shown_sorted, "floors of node {node}, {}", self.at());
        let mut trips: Vec<u32> = expected
            .iter()
            .filter(|said| said.1 == HitKind::Alerted)
            .map(|said| said.0)
            .collect();
        trips.sort_unstable();
        self.check_trips(&group, &trips, &Answer::default());
        for said in expected.iter().filter(|said| said.1 == HitKind::Warned) {
            let set = self.history.limit(said.0).unwrap();
            let key = self.history.warning(&set, 0);
            self.history.warnings.push(key);
        }
        self.note_orders(&group[1..]);
    }

    pub(super) fn set_limit(&mut self, limit_type: LimitType) {
        let set = firm::random_limit(&mut self.rng, self.limits, limit_type);
        self.limits += 1;
        self.put_limit(&set);
    }

    pub(super) fn more_limits(&mut self) {
        let one_only = [LimitType::Emergency, LimitType::DupContent];
        let limit_type = self.rng.pick(LimitType::ALL);
        // Two limits of one kind at one node that warn per symbol share their edge: one of them is enough here.
        let per_symbol = matches!(
            limit_type,
            LimitType::AdvDay | LimitType::PositionLong | LimitType::PositionShort | LimitType::Concentration
        );
        if !one_only.contains(&limit_type) && !per_symbol {
            self.set_limit(limit_type);
        }
    }

    pub(super) fn put_limit(&mut self, set: &LimitSet) {
        let group = self.send(Kind::LimitSet, set);
        assert_eq!(outcome(&group[0]), "OK", "{set:?}, {}", self.at());
        self.history.limits.push((self.history.at, *set));
        // Without the limit that they wait for, held orders wait for nothing.
        self.note_orders(&group[1..]);
    }

    /// A new limit, another figure of one, or the end of one whose state does not stand.
    pub(super) fn change_limit(&mut self) {
        if self.rng.one_in(4) {
            return self.more_limits();
        }
        let limits = self.history.in_force();
        let set = self.rng.pick(&limits);
        let keeps = [10, 11, 12, 13, 36].contains(&set.limit_type);
        if keeps || self.history.has_tripped(set.limit.0) {
            return;
        }
        let removed = u8::from(self.rng.one_in(5));
        let hard = set.hard * i128::from(self.rng.range(60, 170)) / 100;
        self.put_limit(&LimitSet { hard, removed, ..set });
    }

    pub(super) fn list(&mut self) {
        let instrument = self.rng.below(8) as usize;
        if self.rng.one_in(2) {
            let account = self.rng.pick(ACCOUNTS);
            let qty = self.rng.range(0, 600) * ONE;
            let body = Locate {
                qty,
                qty_dp: 8,
                account: AccountId(self.history.nodes[account as usize].account.unwrap()),
                instrument: InstrumentId(instrument as u32),
                leaf: NodeId(account),
                ..Locate::zeroed()
            };
            assert_eq!(outcome(&self.send(Kind::Locate, &body)[0]), "OK", "{}", self.at());
            return self.history.locates.push((account, instrument, qty));
        }
        let lists: Vec<LimitSet> = self
            .history
            .in_force()
            .into_iter()
            .filter(|set| set.limit_type == 6)
            .collect();
        if lists.is_empty() {
            return;
        }
        let limit = self.rng.pick(&lists).limit;
        let restriction = self.rng.pick(&[0, 0, 0, 1, 2, 3]);
        let body = RestrictedSet {
            restriction,
            limit,
            instrument: InstrumentId(instrument as u32),
            ..RestrictedSet::zeroed()
        };
        assert_eq!(
            outcome(&self.send(Kind::RestrictedSet, &body)[0]),
            "OK",
            "{}",
            self.at()
        );
        self.history.lines.push((limit.0, instrument, restriction));
    }

    /// Somebody sets the state of a node or an instrument.
    pub(super) fn control(&mut self) {
        let nodes = self.history.nodes.len() as i64;
        let (kind, state) = self.rng.pick(&[
            (Kind::Rearm, 0),
            (Kind::StateSet, 1),
            (Kind::StateSet, 2),
            (Kind::StateSet, 0),
            (Kind::Kill, 3),
        ]);
        let target = match self.rng.one_in(6) {
            true => (None, Some(self.rng.below(8) as usize)),
            false => (Some(self.rng.range(1, nodes) as u32), None),
        };
        self.set_state(kind, state, target);
    }

    /// Somebody re-arms what is out of play: states that limits set would stop everything before long.
    pub(super) fn rearm(&mut self) {
        let nodes = self.history.nodes.len() as u32;
        let is_out =
            |&node: &u32| !self.history.standing_trips(node).is_empty() || self.history.node_state(node) != 0;
        let nodes = (0..nodes).filter(is_out).map(|node| (Some(node), None));
        let is_out = |&instrument: &usize| {
            let last = self
                .history
                .controls
                .iter()
                .rev()
                .find(|control| control.instrument == Some(instrument));
            last.is_some_and(|control| control.state != 0)
        };
        let targets: Vec<_> = nodes
            .chain((0..8).filter(is_out).map(|at| (None, Some(at))))
            .collect();
        if !targets.is_empty() {
            let target = self.rng.pick(&targets);
            self.set_state(Kind::Rearm, 0, target);
        }
    }

    pub(super) fn set_state(
        &mut self,
        kind: Kind,
        state: u8,
        (node, instrument): (Option<u32>, Option<usize>),
    ) {
        let body = Control {
            author: Code::new("ann").unwrap(),
            second: Code::new(if self.rng.one_in(5) { "" } else { "bob" }).unwrap(),
            state,
            node: node.map_or(NodeId::NONE, NodeId),
            instrument: instrument.map_or(InstrumentId::NONE, |at| InstrumentId(at as u32)),
            session: SessionId::NONE,
            venue: VenueId::NONE,
            ..Control::zeroed()
        };
        let group = self.send(kind, &body);
        if !group[0].is_rejected() {
            self.history.controls.push(super::history::Control {
                at: self.history.at,
                node,
                instrument,
                state,
                rearms: kind == Kind::Rearm,
            });
        }
        self.note_orders(&group[1..]);
    }

    /// Something is paid on positions, at once; the holders' parts are effects of the announcement.
    pub(super) fn corporate(&mut self) {
        let all = self.seed >= ALL_ACTIONS_FROM;
        match if all { self.rng.below(3) } else { 0 } {
            0 => self.dividend(),
            1 => self.funding(),
            _ => self.margin(),
        }
    }

    fn dividend(&mut self) {
        let instrument = self.rng.below(8) as usize;
        let (per_unit, withhold_bps) = (self.rng.range(1, 3 * ONE), self.rng.pick(&[0, 1_500, 3_333]));
        let body = CorporateAction {
            cash_per_unit: Money::from_raw(per_unit.into()),
            withhold_bps,
            ..self.action(instrument, CorporateActionKind::CashDividend)
        };
        self.seen.dividends += self.announce(&body).len() as u64;
        let terms = Terms::Dividend {
            per_unit: per_unit.into(),
            withhold_bps: withhold_bps.into(),
        };
        self.note_action(instrument, terms);
    }

    /// On a price that is said or on the mark.
    fn funding(&mut self) {
        let instrument = self.rng.below(8) as usize;
        let rate = self.rng.range(-900_000, 900_000);
        let mark = self.history.mark(instrument).filter(|_| self.rng.one_in(2));
        let said = self.px(instrument).max(1);
        let body = CorporateAction {
            cash_per_unit: Money::from_raw(rate.into()),
            gross: Money::from_raw(if mark.is_some() { 0 } else { said.into() }),
            ..self.action(instrument, CorporateActionKind::Funding)
        };
        self.seen.fundings += self.announce(&body).len() as u64;
        let terms = Terms::Funding {
            px: mark.unwrap_or(said.into()),
            rate: rate.into(),
        };
        self.note_action(instrument, terms);
    }

    fn margin(&mut self) {
        let instrument = self.rng.pick(&[3, 4]);
        let px = self.px(instrument).max(1);
        let body = CorporateAction {
            cash_per_unit: Money::from_raw(px.into()),
            ..self.action(instrument, CorporateActionKind::VariationMargin)
        };
        let concerned = |&account: &u32| self.history.has_part(account, instrument);
        let mut expected: Vec<u32> = ACCOUNTS.iter().copied().filter(concerned).collect();
        let effects = self.announce(&body);
        let parts = effects.iter().map(Event::body::<HolderAction>);
        let mut holders: Vec<u32> = parts
            .filter(|part| !part.holding.is_none() && !part.found_nothing())
            .map(|part| part.node.0)
            .collect();
        holders.sort_unstable();
        expected.sort_unstable();
        assert_eq!(holders, expected, "margin of {body:?}, {}", self.at());
        self.seen.margins += holders.len() as u64;
        self.note_action(instrument, Terms::Margin { px: px.into() });
    }

    fn action(&self, instrument: usize, kind: CorporateActionKind) -> CorporateAction {
        let row = self.history.instruments[instrument];
        CorporateAction {
            action: kind as u8,
            instrument: row.id,
            currency: row.currency,
            holding: HoldingId::NONE,
            node: NodeId::NONE,
            ..CorporateAction::zeroed()
        }
    }

    /// Gives the effects.
    fn announce(&mut self, body: &CorporateAction) -> Vec<Event> {
        let mut group = self.send(Kind::CorporateAction, body);
        for record in &group {
            assert_eq!(outcome(record), "OK", "{body:?}, {}", self.at());
        }
        group.split_off(1)
    }

    fn note_action(&mut self, instrument: usize, terms: Terms) {
        self.history.actions.push(Action {
            at: self.history.at,
            instrument,
            terms,
        });
    }

    pub(super) fn source(&mut self) {
        let up = !self.rng.one_in(5);
        self.set_source(up);
    }

    pub(super) fn roll(&mut self) {
        let calendar = self.rng.pick(&[0, 0, OTHER, OTHER, SETTLE, SETTLE, SETTLE]);
        let mut date = self.history.date(calendar) + 1;
        while calendar == SETTLE && !is_business_day(date) {
            date += 1;
        }
        let body = Timer {
            timer: TimerKind::DayRoll as u8,
            calendar: CalendarId(calendar),
            date,
            session: SessionId::NONE,
            ..Timer::zeroed()
        };
        let group = self.send(Kind::Timer, &body);
        self.history.rolls.push((self.history.at, calendar, date));
        let settled = group
            .iter()
            .filter(|record| record.kind() == Some(Kind::DatedCashSettled));
        self.seen.settled += settled.count() as u64;
        self.note_orders(&group[1..]);
    }
}
