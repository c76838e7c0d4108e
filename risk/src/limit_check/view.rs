//! What readers may ask of the limit check's state: orders, wallets, uses of limits. Only for replicas and tools: nobody
//! reads the live stage.

use super::LimitCheck;
use crate::hierarchy::{NodeRow, PairRow};
use crate::limits::LimitRow;
use crate::orders::table::OrderRow;
use crate::wallets::WalletRow;
use tradewind_domain::ids::{LimitId, NodeId, OrderId, OrderSlot, WalletId};
use tradewind_domain::time::DayNumber;

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

impl LimitCheck {
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

    /// Percent of capacity used: open orders, ClOrdIDs of the day, ExecIDs of the day.
    pub fn used_pct(&self) -> [(&'static str, u32); 3] {
        [
            ("open_orders", self.book.orders.used_pct()),
            ("cl_ord_ids", self.book.cl_ord_ids.used_pct()),
            ("exec_ids", self.book.exec_ids.used_pct()),
        ]
    }
}
