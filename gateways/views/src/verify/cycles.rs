//! Lots, made anew from the trades of each open cycle (since the holding was last flat) by all four methods.
//!
//! Whatever the method: lots add up to the position and are on its side, profit and cost are the net money of the trades, and a holding that
//! is flat has earned the same. Average cost is the position's own.
//!
//! A cycle that is longer than [`CYCLE_MAX`], that lost the trades of a bust, or that a corporate action changed is left out and counted.

use super::Check;
use super::difference::First;
use std::collections::BTreeMap;
use tradewind_books::lots::{Closing, Lots, Rules, Terms, Trade};
use tradewind_books::position::Position;
use tradewind_domain::codes::{LotMethod, Side};
use tradewind_domain::event::{
    CorporateAction, Event, Execution, InstrumentSet, Kind, TakenBack, TradeBust, execution_alerts,
};
use tradewind_domain::fixed::{Money, NetQty};
use tradewind_domain::ids::{HoldingId, InstrumentId, Seq};

/// The most trades of one cycle that are kept.
const CYCLE_MAX: usize = 16_384;
const METHODS: [LotMethod; 4] = [
    LotMethod::Fifo,
    LotMethod::Lifo,
    LotMethod::Hifo,
    LotMethod::AverageCost,
];
const PLACE: HoldingId = HoldingId(0);

#[derive(Default)]
pub(super) struct Cycles {
    open: BTreeMap<HoldingId, Cycle>,
    rules: BTreeMap<InstrumentId, Rules>,
    closed: u64,
    wrong: First,
}

#[derive(Default)]
struct Cycle {
    instrument: InstrumentId,
    /// Signed quantity and money of each trade, by the number of its record.
    trades: BTreeMap<Seq, (i128, Money)>,
    qty: i128,
    /// True where trades of it are not known.
    is_torn: bool,
}

/// What one method made of a cycle.
struct Made {
    method: LotMethod,
    lots: Lots,
}

impl Cycles {
    pub(super) fn see(&mut self, event: &Event) {
        if event.is_rejected() {
            return;
        }
        match event.kind() {
            Some(Kind::InstrumentSet) => {
                let row = &event.body::<InstrumentSet>().row;
                let (money_dp, inverse) = (row.money_dp, row.is_inverse());
                self.rules.insert(row.id, Rules { money_dp, inverse });
            }
            Some(Kind::VenueFill | Kind::TradeCapture) => self.execute(event.head.seq, event.body()),
            Some(Kind::TradeBust | Kind::TradeCorrect) => self.take_back(event),
            Some(Kind::HolderSplit) => {
                let action: &CorporateAction = event.body();
                self.open.entry(action.holding).or_default().is_torn = true;
            }
            _ => {}
        }
    }

    fn execute(&mut self, seq: Seq, execution: &Execution) {
        let cycle = self.open.entry(execution.holding).or_default();
        let sign = Side::from_code(execution.side).map_or(0, Side::sign);
        cycle.instrument = execution.instrument;
        cycle.book(seq, sign * i128::from(execution.qty), execution.principal);
        self.close(execution.holding);
    }

    fn take_back(&mut self, event: &Event) {
        let Some(taken): Option<TakenBack> = event.taken_back() else {
            return;
        };
        let cycle = self.open.entry(taken.holding).or_default();
        let sign = Side::from_code(taken.side).map_or(0, Side::sign);
        cycle.qty -= sign * i128::from(taken.qty);
        let mut alerts = 0;
        if event.kind() == Some(Kind::TradeCorrect) {
            let new: &Execution = event.body();
            alerts |= new.alerts;
            let is_known = cycle.trades.contains_key(&taken.trade_seq);
            cycle.book(taken.trade_seq, sign * i128::from(new.qty), new.principal);
            cycle.is_torn |= !is_known;
        } else {
            alerts |= event.body::<TradeBust>().alerts;
            cycle.is_torn |= cycle.trades.remove(&taken.trade_seq).is_none();
        }
        cycle.is_torn |= alerts & execution_alerts::NOT_REPLAYED != 0;
        self.close(taken.holding);
    }

    /// Looks at a cycle that is over and forgets it.
    fn close(&mut self, holding: HoldingId) {
        let Some(cycle) = self.open.get(&holding).filter(|cycle| cycle.qty == 0) else {
            return;
        };
        if !cycle.is_torn && !cycle.trades.is_empty() {
            let found = self.rules_of(cycle).and_then(|rules| cycle.check(holding, rules));
            self.closed += 1;
            if let Some(found) = found {
                self.wrong.note(|| found);
            }
        }
        self.open.remove(&holding);
    }

    fn rules_of(&self, cycle: &Cycle) -> Option<Rules> {
        self.rules.get(&cycle.instrument).copied()
    }

    pub(super) fn compare(&self, positions: &Position) -> Check {
        let mut first = First(self.wrong.0.clone());
        let (mut whole, mut torn) = (0_u64, 0_u64);
        for (holding, cycle) in &self.open {
            let Some(rules) = self.rules_of(cycle).filter(|_| !cycle.is_torn) else {
                torn += 1;
                continue;
            };
            whole += 1;
            if let Some(found) = cycle
                .check(*holding, rules)
                .or_else(|| cycle.compare(*holding, rules, positions))
            {
                first.note(|| found);
            }
        }
        let left_out = if torn == 0 {
            String::new()
        } else {
            format!(", {torn} left out")
        };
        let figure = format!(
            "{whole} open and {} closed cycles by 4 methods{left_out}",
            self.closed
        );
        Check::of("lots add up to their position, by every method", figure, first.0)
    }
}

impl Cycle {
    fn book(&mut self, seq: Seq, qty: i128, value: Money) {
        self.qty += qty;
        self.trades.insert(seq, (qty, value));
        if self.trades.len() > CYCLE_MAX {
            self.is_torn = true;
        }
        if self.is_torn {
            self.trades.clear();
        }
    }

    fn make(&self, rules: Rules) -> [Made; 4] {
        METHODS.map(|method| {
            let mut lots = Lots::new(1, self.trades.len() as u32);
            let terms = Terms {
                rules,
                method,
                fee_in_basis: false,
            };
            for (seq, (qty, value)) in &self.trades {
                let trade = Trade {
                    id: *seq,
                    qty: NetQty::from_raw(*qty),
                    value: *value,
                    fee: Money::ZERO,
                    day: 0,
                    named: &[],
                };
                lots.trade(PLACE, terms, &trade, &mut |_: &Closing| {});
            }
            Made { method, lots }
        })
    }

    /// The first thing that does not hold.
    fn check(&self, holding: HoldingId, rules: Rules) -> Option<String> {
        let received: i128 = self
            .trades
            .values()
            .map(|(qty, value)| -qty.signum() * value.raw())
            .sum();
        let net = if rules.inverse { -received } else { received };
        let made = self.make(rules);
        let earned: Vec<i128> = made
            .iter()
            .filter_map(|made| Some(made.lots.head(PLACE)?.realised.raw()))
            .collect();
        if self.qty == 0 && earned.windows(2).any(|pair| pair[0] != pair[1]) {
            return Some(format!(
                "holding {holding} is flat and earned {earned:?} by the four methods"
            ));
        }
        made.iter().find_map(|made| {
            let head = made.lots.head(PLACE)?;
            let (mut qty, mut cost, mut is_empty) = (0, 0, false);
            for lot in made.lots.lots(PLACE) {
                qty += lot.qty.raw();
                cost += lot.cost.raw();
                is_empty |= lot.qty.raw() <= 0;
            }
            let side = head.qty.raw().signum();
            let carried = side * head.cost.raw() * if rules.inverse { -1 } else { 1 };
            let holds = !is_empty
                && head.qty.raw() == self.qty
                && qty == self.qty.abs()
                && cost == head.cost.raw()
                && head.realised.raw() - carried == net;
            let method = made.method;
            (!holds).then(|| {
                format!(
                    "lots of holding {holding} by {method}: {qty} at cost {cost}, profit {}, for {} and money {net} of the trades",
                    head.realised, self.qty
                )
            })
        })
    }

    /// Average cost is the position's.
    fn compare(&self, holding: HoldingId, rules: Rules, positions: &Position) -> Option<String> {
        let row = positions.position(holding)?;
        let [.., average] = self.make(rules);
        let head = average.lots.head(PLACE)?;
        let is_same = (head.qty, head.cost) == (row.qty, row.cost);
        (!is_same).then(|| {
            format!(
                "holding {holding} has {} at cost {}, its trades make {} at {}",
                row.qty, row.cost, head.qty, head.cost
            )
        })
    }
}
