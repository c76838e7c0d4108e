//! Orders, executions, refusals, and the market that they meet.

use super::{Line, Owner};
use crate::encode::Cells;
use tradewind_domain::text::{Code, Symbol};
use tradewind_views::query::current::{Market, Order, Refusal, Trade};

impl Line for Order {
    fn owner(&self) -> Owner {
        Owner::of(self.account_node)
    }
    fn account(&self) -> Code {
        self.account
    }
    fn symbol(&self) -> Symbol {
        self.symbol
    }
    fn key_cells(&self, cells: &mut impl Cells) {
        cells.shown(&self.order_id);
    }
    fn cells(&self, cells: &mut impl Cells) {
        self.key_cells(cells);
        cells.text(self.cl_ord_id.as_str());
        cells.text(self.account.as_str());
        cells.text(self.node.as_str());
        cells.text(self.symbol.as_str());
        cells.text(self.side);
        cells.text(self.ord_type);
        cells.text(self.tif);
        cells.decimal(self.qty);
        cells.decimal(self.cum);
        cells.decimal(self.leaves);
        cells.decimal_or_null(self.px);
        cells.decimal_or_null(self.stop_px);
        cells.decimal_or_null(self.avg_px);
        cells.text(self.state);
        cells.decimal(self.reserved_cash);
        cells.text(self.currency.as_str());
        cells.number(self.session.into());
        cells.time(self.created);
        cells.time(self.updated);
    }
}

impl Line for Trade {
    fn owner(&self) -> Owner {
        Owner::of(self.account_node)
    }
    fn account(&self) -> Code {
        self.account
    }
    fn symbol(&self) -> Symbol {
        self.symbol
    }
    fn key_cells(&self, cells: &mut impl Cells) {
        cells.count(self.seq);
        cells.number(self.part.into());
    }
    fn cells(&self, cells: &mut impl Cells) {
        self.key_cells(cells);
        cells.time(self.time);
        cells.text(self.kind);
        cells.text(self.exec_id.as_str());
        cells.count_or_null(self.ref_seq);
        match self.order_id {
            Some(order_id) => cells.shown(&order_id),
            None => cells.null(),
        }
        cells.text(self.account.as_str());
        cells.text(self.node.as_str());
        cells.text(self.symbol.as_str());
        cells.text(self.side);
        cells.decimal(self.qty);
        cells.decimal(self.px);
        cells.decimal(self.principal);
        cells.decimal(self.fee);
        cells.text(self.currency.as_str());
        cells.decimal(self.realised);
        cells.decimal_or_null(self.leaves);
        cells.text_or_null(self.liquidity);
        cells.text(&self.flags);
    }
}

impl Line for Refusal {
    fn owner(&self) -> Owner {
        Owner::of(self.account_node)
    }
    fn account(&self) -> Code {
        self.account
    }
    fn symbol(&self) -> Symbol {
        self.symbol
    }
    fn key_cells(&self, cells: &mut impl Cells) {
        cells.count(self.seq);
        cells.number(self.part.into());
    }
    fn cells(&self, cells: &mut impl Cells) {
        self.key_cells(cells);
        cells.time(self.time);
        cells.text(self.kind);
        cells.text(self.cl_ord_id.as_str());
        cells.text(self.account.as_str());
        cells.text(self.node.as_str());
        cells.text(self.symbol.as_str());
        cells.text_or_null(self.side);
        cells.decimal_or_null(self.qty);
        cells.decimal_or_null(self.px);
        cells.text(self.code);
        cells.text_or_null((!self.limit.is_empty()).then(|| self.limit.as_str()));
        cells.text_or_null(self.used.as_deref());
        cells.text_or_null(self.hard.as_deref());
        cells.text(self.unit);
        cells.text(&self.reason);
    }
}

impl Line for Market {
    fn owner(&self) -> Owner {
        Owner::Everybody
    }
    fn account(&self) -> Code {
        Code::EMPTY
    }
    fn symbol(&self) -> Symbol {
        self.symbol
    }
    fn key_cells(&self, cells: &mut impl Cells) {
        cells.text(self.symbol.as_str());
    }
    fn cells(&self, cells: &mut impl Cells) {
        self.key_cells(cells);
        cells.decimal_or_null(self.bid);
        cells.decimal_or_null(self.bid_qty);
        cells.decimal_or_null(self.ask);
        cells.decimal_or_null(self.ask_qty);
        cells.decimal_or_null(self.last);
        cells.decimal_or_null(self.last_qty);
        cells.decimal_or_null(self.mark);
        cells.decimal_or_null(self.change_pct);
        cells.text(self.status);
        cells.text(self.currency.as_str());
        cells.text(self.kind);
        cells.text(self.sector.as_str());
        cells.time_or_null(self.updated);
    }
}
