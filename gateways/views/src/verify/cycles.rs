//! Lots, made anew from the movements of each open cycle (since the holding was last flat) by all four methods: trades, and what corporate
//! actions did to the holder, on the books' own road ([`Lots::take`]).
//!
//! Whatever the method: lots add up to the position and are on its side, profit and cost are the net money of the trades, and a holding that
//! is flat has earned the same. Average cost is the position's own.
//!
//! A cycle that is longer than [`CYCLE_MAX`], or that lost the trades of a bust, is left out and counted; so is one of a contract without
//! principal whose margin a bust has restated.

use super::Check;
use super::difference::First;
use std::collections::BTreeMap;
use tradewind_books::lots::{Closing, Lots, Rules, Terms};
use tradewind_books::position::Position;
use tradewind_books::{Moved, Movement, Whose};
use tradewind_domain::codes::{LotMethod, Side};
use tradewind_domain::event::{
    CorporateAction, Event, Execution, HolderAction, InstrumentSet, Kind, TradeBust, execution_alerts,
};
use tradewind_domain::ids::{HoldingId, InstrumentId, Seq};
use tradewind_domain::reference::Instrument;

/// The most movements of one cycle that are kept.
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
    instruments: BTreeMap<InstrumentId, Instrument>,
    closed: u64,
    wrong: First,
}

#[derive(Default)]
struct Cycle {
    instrument: InstrumentId,
    /// By the number and part of their records.
    movements: BTreeMap<(Seq, u32), Movement>,
    qty: i128,
    /// Money that corporate actions brought in the place of trades: for fractions, at the end of contracts.
    paid: i128,
    /// True where movements of it are not known.
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
        if let Some((whose, movement)) = Movement::of(event) {
            return self.book(event, whose, movement);
        }
        match event.kind() {
            Some(Kind::InstrumentSet) => {
                let row = &event.body::<InstrumentSet>().row;
                self.instruments.insert(row.id, *row);
            }
            Some(Kind::TradeBust | Kind::TradeCorrect) => self.take_back(event),
            _ => {}
        }
    }

    fn book(&mut self, event: &Event, whose: Whose, movement: Movement) {
        let cycle = self.open.entry(whose.holding).or_default();
        cycle.instrument = whose.instrument;
        cycle.paid = cycle.paid.wrapping_add(match movement.moved() {
            Moved::Split => event.body::<CorporateAction>().gross.raw(),
            Moved::Settled => cycle.qty.signum() * event.body::<HolderAction>().value.raw(),
            Moved::Trade | Moved::Margin => 0,
        });
        cycle.book((event.head.seq, event.head.part), movement);
        self.close(whose.holding);
    }

    fn take_back(&mut self, event: &Event) {
        let Some(taken) = event.taken_back() else { return };
        let moves_principal = self
            .instruments
            .get(&taken.instrument)
            .is_some_and(Instrument::moves_principal);
        let cycle = self.open.entry(taken.holding).or_default();
        let adjustment = event.adjustment();
        cycle.qty += i128::from(adjustment.qty);
        cycle.paid = cycle.paid.wrapping_add(adjustment.cash.raw());
        let of_record = (taken.trade_seq, 0)..=(taken.trade_seq, u32::MAX);
        let mut found = cycle.movements.range(of_record);
        let trade = found.find(|(_, movement)| movement.moved() == Moved::Trade);
        let (key, old) = match trade {
            Some((key, movement)) => (*key, Some(*movement)),
            None => ((taken.trade_seq, 0), None),
        };
        let alerts = if event.kind() == Some(Kind::TradeCorrect) {
            event.body::<Execution>().alerts
        } else {
            event.body::<TradeBust>().alerts
        };
        cycle.is_torn |= old.is_none()
            || alerts & execution_alerts::NOT_REPLAYED != 0
            || (taken.adjusts != 0 && !moves_principal);
        let sign = Side::from_code(taken.side).map_or(0, Side::sign);
        cycle.qty -= sign * i128::from(taken.qty);
        cycle.movements.remove(&key);
        if event.kind() == Some(Kind::TradeCorrect) {
            let new: &Execution = event.body();
            match old {
                Some(old) => cycle.book(key, old.restated(new)),
                None => cycle.qty += sign * i128::from(new.qty),
            }
        }
        self.close(taken.holding);
    }

    /// Looks at a cycle that is over and forgets it.
    fn close(&mut self, holding: HoldingId) {
        let Some(cycle) = self.open.get(&holding).filter(|cycle| cycle.qty == 0) else {
            return;
        };
        if !cycle.is_torn && !cycle.movements.is_empty() {
            let found = self
                .instrument_of(cycle)
                .and_then(|row| cycle.check(holding, row));
            self.closed += 1;
            if let Some(found) = found {
                self.wrong.note(|| found);
            }
        }
        self.open.remove(&holding);
    }

    fn instrument_of(&self, cycle: &Cycle) -> Option<&Instrument> {
        self.instruments.get(&cycle.instrument)
    }

    pub(super) fn compare(&self, positions: &Position) -> Check {
        let mut first = First(self.wrong.0.clone());
        let (mut whole, mut torn) = (0_u64, 0_u64);
        for (holding, cycle) in &self.open {
            let Some(row) = self.instrument_of(cycle).filter(|_| !cycle.is_torn) else {
                torn += 1;
                continue;
            };
            whole += 1;
            if let Some(found) = cycle
                .check(*holding, row)
                .or_else(|| cycle.compare(*holding, row, positions))
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
    fn book(&mut self, key: (Seq, u32), movement: Movement) {
        self.qty += movement.change().raw();
        self.movements.insert(key, movement);
        if self.movements.len() > CYCLE_MAX {
            self.is_torn = true;
        }
        if self.is_torn {
            self.movements.clear();
        }
    }

    fn make(&self, instrument: &Instrument) -> [Made; 4] {
        METHODS.map(|method| {
            let mut lots = Lots::new(1, self.movements.len() as u32);
            let terms = Terms {
                rules: rules_of(instrument),
                method,
                fee_in_basis: false,
            };
            for movement in self.movements.values() {
                lots.take(PLACE, terms, (movement, &[]), instrument, &mut |_: &Closing| {});
            }
            Made { method, lots }
        })
    }

    /// The first thing that does not hold.
    fn check(&self, holding: HoldingId, instrument: &Instrument) -> Option<String> {
        let rules = rules_of(instrument);
        let trades = self
            .movements
            .values()
            .filter(|movement| movement.moved() == Moved::Trade);
        let received: i128 = trades
            .map(|trade| -trade.change().raw().signum() * trade.money().raw())
            .sum();
        let received = received.wrapping_add(self.paid);
        let net = if rules.inverse { -received } else { received };
        let made = self.make(instrument);
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
    fn compare(&self, holding: HoldingId, instrument: &Instrument, positions: &Position) -> Option<String> {
        let row = positions.position(holding)?;
        let [.., average] = self.make(instrument);
        let head = average.lots.head(PLACE)?;
        let is_same = (head.qty, head.cost) == (row.qty, row.cost);
        (!is_same).then(|| {
            format!(
                "holding {holding} has {} at cost {}, its movements make {} at {}",
                row.qty, row.cost, head.qty, head.cost
            )
        })
    }
}

fn rules_of(instrument: &Instrument) -> Rules {
    Rules {
        money_dp: instrument.money_dp,
        inverse: instrument.is_inverse(),
    }
}
