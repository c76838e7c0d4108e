//! What accounts have: positions, profit, and what falls due.

use super::{Line, Whose};
use crate::encode::Cells;
use tradewind_views::query::current::{Position, Profit, Settlement};

impl Line for Position {
    fn whose(&self) -> Whose {
        Whose::of(self.node, self.account).about(self.symbol)
    }
    fn key_cells(&self, cells: &mut impl Cells) {
        cells.text(self.account.as_str());
        cells.text(self.symbol.as_str());
    }
    fn other_cells(&self, cells: &mut impl Cells) {
        cells.decimal(self.qty);
        cells.decimal_or_null(self.avg_px);
        cells.decimal_or_null(self.mark);
        cells.decimal_or_null(self.value);
        cells.decimal_or_null(self.value_base);
        cells.decimal(self.cost);
        cells.decimal_or_null(self.unrealised);
        cells.decimal(self.realised);
        cells.decimal(self.fees);
        cells.text(self.currency.as_str());
        cells.text(self.kind);
        cells.text(self.sector.as_str());
        cells.count(self.fills);
    }
}

impl Line for Profit {
    fn whose(&self) -> Whose {
        if self.node.is_none() {
            Whose::FIRM
        } else {
            Whose::of(self.node, self.name)
        }
    }
    fn key_cells(&self, cells: &mut impl Cells) {
        cells.text(self.group);
        cells.text(self.name.as_str());
        cells.text(self.currency.as_str());
    }
    fn other_cells(&self, cells: &mut impl Cells) {
        cells.decimal(self.realised);
        cells.decimal(self.unrealised);
        cells.decimal(self.fees);
        cells.decimal(self.income);
        cells.decimal(self.total);
        cells.decimal_or_null(self.total_base);
        cells.count(self.open);
        cells.count(self.unmarked);
    }
}

impl Line for Settlement {
    fn whose(&self) -> Whose {
        Whose::of(self.node, self.account)
    }
    fn key_cells(&self, cells: &mut impl Cells) {
        cells.date(self.settle_date);
        cells.text(self.account.as_str());
        cells.text(self.currency.as_str());
    }
    fn other_cells(&self, cells: &mut impl Cells) {
        cells.decimal(self.to_receive);
        cells.decimal(self.to_pay);
        cells.decimal(self.net);
        cells.count(self.trades);
        cells.text(self.state);
    }
}
