//! Positions counted once more from the executions, against position, custody in the books, and the limit check.

use super::difference::{First, place};
use super::{Check, number_of};
use std::collections::BTreeMap;
use tradewind_books::position::Position;
use tradewind_books::settle::Settle;
use tradewind_domain::codes::Side;
use tradewind_domain::event::{CorporateAction, Event, Execution, HolderAction, Kind, TakenBack};
use tradewind_domain::ids::{AccountId, HoldingId, InstrumentId};
use tradewind_risk::LimitCheck;

#[derive(Default)]
pub(super) struct Fills {
    holdings: BTreeMap<HoldingId, Sum>,
    count: u64,
    mixed: First,
}

#[derive(Clone, Copy)]
struct Sum {
    account: AccountId,
    instrument: InstrumentId,
    qty: i128,
    /// Principal received less principal paid.
    net: i128,
    fees: i128,
    fills: u64,
    /// A trade behind which contracts paid margin or settled was taken back.
    is_restated: bool,
}

impl Fills {
    pub(super) fn see(&mut self, event: &Event) {
        if let Some(taken) = event.taken_back() {
            return self.take_back(event, &taken);
        }
        if event.is_rejected() {
            return;
        }
        match event.kind() {
            Some(Kind::VenueFill | Kind::TradeCapture) => {}
            Some(Kind::HolderSplit) => return self.on_split(event),
            Some(Kind::HolderSettled) => return self.on_settled(event),
            _ => return,
        }
        let execution: &Execution = event.body();
        let sum = self.holdings.entry(execution.holding).or_insert(Sum {
            account: execution.account,
            instrument: execution.instrument,
            qty: 0,
            net: 0,
            fees: 0,
            fills: 0,
            is_restated: false,
        });
        if (sum.account, sum.instrument) != (execution.account, execution.instrument) {
            self.mixed.note(|| {
                format!(
                    "record {} takes holding {} for another one's",
                    place(event),
                    execution.holding
                )
            });
        }
        let sign = Side::from_code(execution.side).map_or(0, Side::sign);
        sum.qty = sum.qty.wrapping_add(sign * i128::from(execution.qty));
        sum.net = sum.net.wrapping_sub(sign.wrapping_mul(execution.principal.raw()));
        sum.fees = sum.fees.wrapping_add(execution.fee.raw());
        sum.fills += 1;
        self.count += 1;
    }

    /// New units, and the money for the fraction.
    fn on_split(&mut self, event: &Event) {
        let split: &CorporateAction = event.body();
        if let Some(sum) = self.holdings.get_mut(&split.holding) {
            sum.qty = sum.qty.wrapping_add(split.qty_delta.into());
            sum.net = sum.net.wrapping_add(split.gross.raw());
        }
    }

    /// The position is gone at its value.
    fn on_settled(&mut self, event: &Event) {
        let settled: &HolderAction = event.body();
        if let Some(sum) = self.holdings.get_mut(&settled.holding) {
            let value = sum.qty.signum().wrapping_mul(settled.value.raw());
            sum.qty = sum.qty.wrapping_add(settled.qty_delta.into());
            sum.net = sum.net.wrapping_add(value);
        }
    }

    /// The version that is taken back counts no more, the one that a correction puts in its place does.
    fn take_back(&mut self, event: &Event, taken: &TakenBack) {
        let Some(sum) = self.holdings.get_mut(&taken.holding) else {
            return self
                .mixed
                .note(|| format!("record {} takes a trade back that no holding has", place(event)));
        };
        let (mut qty, mut principal, mut fee) = (0, 0, 0);
        if event.kind() == Some(Kind::TradeCorrect) {
            let new: &Execution = event.body();
            (qty, principal, fee) = (i128::from(new.qty), new.principal.raw(), new.fee.raw());
        } else {
            sum.fills = sum.fills.wrapping_sub(1);
            self.count = self.count.wrapping_sub(1);
        }
        let sign = Side::from_code(taken.side).map_or(0, Side::sign);
        let moved = taken.principal.raw().wrapping_sub(principal);
        sum.qty = sum.qty.wrapping_add(sign * (qty - i128::from(taken.qty)));
        sum.net = sum.net.wrapping_add(sign.wrapping_mul(moved));
        sum.fees = sum.fees.wrapping_add(fee.wrapping_sub(taken.fee.raw()));
        let adjustment = event.adjustment();
        sum.qty = sum.qty.wrapping_add(adjustment.qty.into());
        sum.net = sum.net.wrapping_add(adjustment.cash.raw());
        sum.is_restated |= taken.adjusts != 0;
    }

    /// Profit and cost are the money that moved.
    pub(super) fn money(&self, positions: &Position) -> Check {
        let mut first = First::default();
        for (&holding, sum) in &self.holdings {
            compare_money(&mut first, holding, sum, positions);
        }
        let figure = number_of(self.holdings.len(), "holding");
        Check::of("profit and cost are the net money of the trades", figure, first.0)
    }

    pub(super) fn compare(&self, limit: &LimitCheck, settle: &Settle, positions: &Position) -> Check {
        let mut first = First(self.mixed.0.clone());
        for (&holding, sum) in &self.holdings {
            compare_one(&mut first, holding, sum, settle, positions);
        }
        for (holding, _) in positions.positions() {
            if !self.holdings.contains_key(&holding) {
                first.note(|| format!("holding {holding} has a position without an execution"));
            }
        }
        for pair in limit.pairs().iter().filter(|pair| !pair.holding.is_none()) {
            let counted = self.holdings.get(&pair.holding).map_or(0, |sum| sum.qty);
            let what = || format!("position of holding {}", pair.holding);
            first.equal(what, ("executions", counted), ("limit check", pair.flow.position));
        }
        let executions = number_of(self.count, "execution");
        let figure = format!("{executions} in {}", number_of(self.holdings.len(), "holding"));
        Check::of("positions are the sum of fills", figure, first.0)
    }
}

fn compare_one(first: &mut First, holding: HoldingId, sum: &Sum, settle: &Settle, positions: &Position) {
    let Some(row) = positions.position(holding) else {
        if sum.fills == 0 {
            let what = || format!("quantity of holding {holding}, all trades busted");
            return first.equal(
                what,
                ("executions", sum.qty),
                ("custody", settle.custody(holding).trade_date_qty().raw()),
            );
        }
        return first.note(|| format!("holding {holding} has executions and no position"));
    };
    let what = |figure: &'static str| move || format!("{figure} of holding {holding}");
    first.equal(
        what("quantity"),
        ("executions", sum.qty),
        ("position", row.qty.raw()),
    );
    first.equal(
        what("quantity"),
        ("executions", sum.qty),
        ("custody", settle.custody(holding).trade_date_qty().raw()),
    );
    first.equal(
        what("fees"),
        ("executions", sum.fees),
        ("position", row.fees.raw()),
    );
    first.equal(
        what("count"),
        ("executions", sum.fills.into()),
        ("position", row.fills.into()),
    );
}

fn compare_money(first: &mut First, holding: HoldingId, sum: &Sum, positions: &Position) {
    let Some(row) = positions.position(holding) else {
        return; // what has no position is found with the quantities
    };
    let what = |figure: &'static str| move || format!("{figure} of holding {holding}");
    // Margin that a bust takes back is in the adjustment of its record beside what a settlement paid: of such contracts the money of
    // the trades alone is not known any more.
    let moves_principal = positions
        .instrument(sum.instrument)
        .is_some_and(|instrument| instrument.moves_principal());
    if sum.is_restated && !moves_principal {
        return;
    }
    // Profit is the money that moved and what it left behind as cost, whatever the method of cost: paid for what is held, earned by
    // what was closed. Inverse contracts turn the sign of profit.
    let side = row.qty.raw().signum();
    let inverse = positions
        .instrument(sum.instrument)
        .is_some_and(|instrument| instrument.is_inverse());
    let realised = row.realised.raw();
    let profit = if inverse {
        realised.wrapping_neg()
    } else {
        realised
    };
    let tied = profit.wrapping_sub(side.wrapping_mul(row.cost.raw()));
    first.equal(what("money"), ("executions", sum.net), ("profit and cost", tied));
    if row.qty.is_zero() {
        first.equal(
            what("cost of a flat position"),
            ("expected", 0),
            ("position", row.cost.raw()),
        );
    }
}
