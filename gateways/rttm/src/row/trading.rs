//! Orders, executions, refusals, and the market that they meet.

use super::{Line, Whose};
use crate::encode::Cells;
use tradewind_domain::ids::Seq;
use tradewind_views::query::current::{Market, Order, Refusal, Trade};

/// A record's place in the journal.
fn place(cells: &mut impl Cells, seq: Seq, part: u32) {
    cells.count(seq);
    cells.number(part.into());
}

impl Line for Order {
    fn whose(&self) -> Whose {
        Whose::of(self.account_node, self.account).about(self.symbol)
    }
    fn key_cells(&self, cells: &mut impl Cells) {
        cells.shown(&self.order_id);
    }
    fn other_cells(&self, cells: &mut impl Cells) {
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
    fn whose(&self) -> Whose {
        Whose::of(self.account_node, self.account).about(self.symbol)
    }
    fn key_cells(&self, cells: &mut impl Cells) {
        place(cells, self.seq, self.part);
    }
    fn other_cells(&self, cells: &mut impl Cells) {
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
    fn whose(&self) -> Whose {
        Whose::of(self.account_node, self.account).about(self.symbol)
    }
    fn key_cells(&self, cells: &mut impl Cells) {
        place(cells, self.seq, self.part);
    }
    fn other_cells(&self, cells: &mut impl Cells) {
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
    fn whose(&self) -> Whose {
        Whose::EVERYBODY.about(self.symbol)
    }
    fn key_cells(&self, cells: &mut impl Cells) {
        cells.text(self.symbol.as_str());
    }
    fn other_cells(&self, cells: &mut impl Cells) {
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
