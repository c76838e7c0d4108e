//! What a limit of the model looks at: the order, and sums over everything that is open or was executed below the limit's node.

use super::history::{Exec, History, Price, ceil};
use super::price::Ask;
use tradewind_domain::codes::InstrumentKind;
use tradewind_domain::event::LimitSet;
use tradewind_domain::fixed::ONE;

const UNIT: i128 = ONE as i128;

/// Open orders and executions of one instrument at one node.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Row {
    pub(super) position: i128,
    pub(super) buy_qty: i128,
    pub(super) sell_qty: i128,
    pub(super) buy_value: i128,
    pub(super) sell_value: i128,
    pub(super) open: i128,
    pub(super) bought_value: i128,
    pub(super) sold_value: i128,
    pub(super) bought_qty: i128,
    pub(super) sold_qty: i128,
    pub(super) trades: i128,
}

/// A node's exposures (L23 to L31).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Exposure {
    pub(super) long: i128,
    pub(super) short: i128,
    pub(super) gross: i128,
    pub(super) margin: i128,
}

/// A limit on an order, with everything that its measure reads.
pub(super) struct Look<'a> {
    pub(super) history: &'a History,
    pub(super) set: &'a LimitSet,
    pub(super) ask: &'a Ask<'a>,
    pub(super) price: &'a Price,
    pub(super) node: u32,
}

/// True where the limit's filter lets an instrument through (section 5).
pub(super) fn binds(history: &History, set: &LimitSet, instrument: usize) -> bool {
    let row = &history.instruments[instrument];
    (set.filter_instrument.is_none() || set.filter_instrument.index() == instrument)
        && (set.filter_kind == 0 || set.filter_kind == row.kind)
        && (set.filter_sector.is_empty() || set.filter_sector == row.sector)
}

impl Look<'_> {
    pub(super) fn row_of(&self) -> &tradewind_domain::reference::Instrument {
        &self.history.instruments[self.ask.instrument]
    }

    /// `hard` times the equity of the limit's node; none is 0.
    pub(super) fn of_equity(&self) -> i128 {
        self.set.hard * self.history.equity(self.node).max(0)
    }

    /// True where an instrument's share counts in a sum: the filter, and for L28 the order's sector.
    pub(super) fn sums(&self, instrument: usize) -> bool {
        let (history, set) = (self.history, self.set);
        let same_sector = history.instruments[instrument].sector == self.row_of().sector;
        binds(history, set, instrument) && (set.limit_type != 28 || same_sector)
    }

    pub(super) fn added_qty(&self) -> i128 {
        self.ask.leaves - self.ask.old_qty()
    }

    pub(super) fn added_value(&self) -> i128 {
        self.price.value - self.ask.old_value()
    }

    pub(super) fn side_counts(&self) -> bool {
        match self.set.params[0] {
            0 => true,
            1 => self.ask.side.is_buy(),
            _ => !self.ask.side.is_buy(),
        }
    }

    pub(super) fn of_side(&self, bought: i128, sold: i128) -> i128 {
        match self.set.params[0] {
            0 => bought + sold,
            1 => bought,
            _ => sold,
        }
    }

    /// What the limit's filter lets through.
    pub(super) fn counted(&self) -> Row {
        self.rows(|instrument| binds(self.history, self.set, instrument))
    }

    /// The order's instrument alone.
    pub(super) fn of_instrument(&self) -> Row {
        self.rows(|instrument| instrument == self.ask.instrument)
    }

    /// Sums over the open orders and executions below the limit's node.
    pub(super) fn rows(&self, of: impl Fn(usize) -> bool) -> Row {
        let history = self.history;
        let mut row = Row::default();
        for (_, order, now) in history.open() {
            if !of(order.asked.instrument.index()) || !history.is_below(order.asked.leaf.0, self.node) {
                continue;
            }
            row.open += 1;
            if order.is_buy() {
                row.buy_qty += now.reserved_qty();
                row.buy_value += now.reserved_value();
            } else {
                row.sell_qty += now.reserved_qty();
                row.sell_value += now.reserved_value();
            }
        }
        let counts =
            |exec: &&Exec| !exec.busted && of(exec.instrument) && history.is_below(exec.leaf, self.node);
        for exec in history.execs.iter().filter(counts) {
            row.position += exec.signed();
            if !history.is_today(self.node, exec.at) {
                continue;
            }
            row.trades += 1;
            if exec.side.is_buy() {
                (row.bought_qty, row.bought_value) =
                    (row.bought_qty + exec.qty, row.bought_value + exec.value);
            } else {
                (row.sold_qty, row.sold_value) = (row.sold_qty + exec.qty, row.sold_value + exec.value);
            }
        }
        row
    }

    /// The row with the order in it and the old one left out.
    pub(super) fn with_order(&self, mut row: Row) -> Row {
        if self.ask.side.is_buy() {
            row.buy_qty += self.added_qty();
            row.buy_value += self.added_value();
        } else {
            row.sell_qty += self.added_qty();
            row.sell_value += self.added_value();
        }
        row
    }

    /// `m`: the position at the mark.
    pub(super) fn mark_value(&self, instrument: usize, position: i128) -> i128 {
        let row = &self.history.instruments[instrument];
        let Some(mark) = self.history.mark(instrument) else {
            return 0;
        };
        let short_binary = row.kind == InstrumentKind::Binary as u8 && position < 0;
        position
            * self
                .history
                .unit(row, if short_binary { UNIT - mark } else { mark })
    }

    /// The share of one instrument in L23, L24, L26 and L30.
    pub(super) fn share(&self, instrument: usize, row: &Row) -> Exposure {
        let mark = self.mark_value(instrument, row.position);
        let (up, down) = (mark + row.buy_value, mark - row.sell_value);
        let reference = &self.history.instruments[instrument];
        let rate = self.history.rate(reference.currency.0);
        let margin = |im: i64| ceil(i128::from(im) * rate, UNIT);
        let long = match reference.im_buy {
            0 => up,
            im => (row.position + row.buy_qty) * margin(im),
        };
        let short = match reference.im_sell {
            0 => -down,
            im => (row.sell_qty - row.position) * margin(im),
        };
        Exposure {
            long: up.max(0),
            short: (-down).max(0),
            gross: up.abs().max(down.abs()),
            margin: long.max(short).max(0),
        }
    }
}
