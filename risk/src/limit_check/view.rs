//! What readers may ask of the limit check's state: orders, wallets, uses of limits. Only for replicas and tools: nobody
//! reads the live stage.

use super::LimitCheck;
use super::tables::TABLES;
use crate::hierarchy::{Flow, NodeRow, PairRow};
use crate::limits::{LimitRow, Measure, Question};
use crate::orders::table::OrderRow;
use crate::wallets::WalletRow;
use tradewind_domain::codes::AccountKind;
use tradewind_domain::ids::{InstrumentId, LimitId, NodeId, OrderId, OrderSlot, WalletId};
use tradewind_domain::time::{DayNumber, UnixNanos};

/// A limit with the node it binds, for listings.
pub struct LimitUse<'a> {
    /// The limit.
    pub id: LimitId,
    /// Its row.
    pub row: &'a LimitRow,
    /// The node that it binds.
    pub node: &'a NodeRow,
    /// Trading date of the node's calendar.
    pub date: DayNumber,
}

/// An order or execution that took effect: the limits on its way are asked what is used now.
#[derive(Clone, Copy, Debug)]
pub struct Occasion {
    /// Narrowest node.
    pub leaf: NodeId,
    /// Instrument.
    pub instrument: InstrumentId,
    /// Wallet of the account; none where it has none.
    pub wallet: WalletId,
    /// Buys.
    pub is_buy: bool,
    /// Total quantity of the order at 1e-8; 0 for an execution, which no limit on a single order sees.
    pub qty: i64,
    /// Value of the whole order in base currency at 1e-16; 0 for an execution.
    pub order_value: i128,
    /// Time of the event.
    pub now_ns: UnixNanos,
}

impl LimitCheck {
    /// What is used of each limit that looks at the occasion, with the occasion in it.
    pub fn uses(&self, occasion: &Occasion, mut sink: impl FnMut(LimitId, Measure)) {
        let book = &self.book;
        let Some(instrument) = book.market.instrument(occasion.instrument) else {
            return;
        };
        let wallet = book.wallets.row(occasion.wallet);
        let chain = book.hierarchy.chain(occasion.leaf, occasion.instrument);
        for (node_id, pair) in chain.levels() {
            let Some(node) = book.hierarchy.node(node_id) else {
                continue;
            };
            let pair = book.hierarchy.pair(pair).map_or(&Flow::ZERO, |row| &row.flow);
            let lists = book.limits.list(node.limits).chain(book.limits.list(node.rates));
            for (id, row) in lists {
                let is_one = !row.instrument.is_none();
                if is_one && row.instrument != occasion.instrument {
                    continue;
                }
                let mut question = Question {
                    is_buy: occasion.is_buy,
                    new_orders: 0,
                    qty: occasion.qty,
                    leaves: 0,
                    order_value: occasion.order_value,
                    value: 0,
                    cash: 0,
                    old_qty: 0,
                    old_value: 0,
                    old_cash: 0,
                    flow: if is_one { pair } else { &node.flow },
                    pair,
                    instrument,
                    settled: wallet.map_or(0, |row| row.settled.raw()),
                    reserved: wallet.map_or(0, |row| row.reserved.raw()),
                    is_cash_account: node.account_kind == AccountKind::Cash as u8,
                    date: book.calendars.date(node.calendar),
                    now_ns: occasion.now_ns,
                };
                if let Some(measure) = as_it_stands(row, &mut question) {
                    sink(id, measure);
                }
            }
        }
    }

    /// Open orders in acceptance order.
    pub fn open_orders(&self) -> impl Iterator<Item = (OrderSlot, &OrderRow)> {
        self.book.orders.open()
    }

    /// An order that is open or remembered.
    pub fn order(&self, order_id: OrderId) -> Option<&OrderRow> {
        self.book.orders.find(order_id).map(|(_, row)| row)
    }

    /// All wallets.
    pub fn wallets(&self) -> impl Iterator<Item = (WalletId, &WalletRow)> {
        self.book
            .wallets
            .rows()
            .iter()
            .enumerate()
            .map(|(at, row)| (WalletId(at as u32), row))
    }

    /// All nodes.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &NodeRow)> {
        self.book.hierarchy.nodes()
    }

    /// All pairs of node and instrument.
    pub fn pairs(&self) -> &[PairRow] {
        self.book.hierarchy.pairs()
    }

    /// All limits in force.
    pub fn limits(&self) -> impl Iterator<Item = LimitUse<'_>> {
        self.book.limits.all().filter_map(|(id, row)| {
            let node = self.book.hierarchy.node(row.node)?;
            Some(LimitUse {
                id,
                row,
                node,
                date: self.book.calendars.date(node.calendar),
            })
        })
    }

    /// True where an order is below a node: for followers that cancel a scope.
    pub fn is_within(&self, order: &OrderRow, node: NodeId) -> bool {
        self.book.hierarchy.is_within(order.leaf, node)
    }

    /// Share of each table with a configured capacity that is used, in percent, by the name of its setting.
    pub fn used_pct(&self) -> [(&'static str, u32); TABLES.len()] {
        self.book.used_pct()
    }
}

/// What a limit measures without a further order. A measure answers only orders that add to its use, and is linear in what they
/// add: one of one unit and one of two say what there is without any. A rate is asked before its message is charged, so the
/// occasion's own message is taken off.
fn as_it_stands(row: &LimitRow, question: &mut Question<'_>) -> Option<Measure> {
    let mut with = |units: u32| {
        question.new_orders = units;
        (question.leaves, question.value) = (i64::from(units), i128::from(units));
        question.cash = i128::from(units);
        (row.spec().measure)(row, question)
    };
    let (one, two) = (with(1)?, with(2)?);
    let own = if row.spec().is_rate {
        crate::limits::charged(row)
    } else {
        0
    };
    let used = one.used - (two.used - one.used) - own;
    Some(Measure {
        used: used.max(0),
        ..one
    })
}
