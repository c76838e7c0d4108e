//! Rows of each channel: key, cells, who may see them, by what a subscription may choose them.

use crate::encode::{BinaryCells, Cells, JsonCells};
use crate::figures::{Check, StageRow};
use tradewind_alerts::IncidentRow;
use tradewind_domain::ids::{HoldingId, InstrumentId, LimitId, NodeId, OrderId};
use tradewind_domain::text::{Code, Symbol};
use tradewind_views::live::{DueKey, GroupKey};
use tradewind_views::query::current::{
    LimitUsage, Market, Order, Position, Profit, Refusal, Settlement, Trade,
};

/// Names a row of a state channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Key {
    Holding(HoldingId),
    Group(GroupKey),
    Order(OrderId),
    Limit(LimitId),
    Alert(u64),
    Market(InstrumentId),
    Stage(usize),
    Check(Code),
    Due(DueKey),
}

/// Who may see a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Owner {
    /// Everybody who is let in.
    Everybody,
    /// Who sees the node.
    Node(NodeId),
    /// Who sees the firm.
    Firm,
    /// Operators: it belongs to nobody.
    Nobody,
}

impl Owner {
    /// Of an account's row; one without an account belongs to nobody.
    fn of(node: NodeId) -> Self {
        if node.is_none() {
            Self::Nobody
        } else {
            Self::Node(node)
        }
    }
}

/// A row as it goes out.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) owner: Owner,
    /// Account, or code of the node.
    pub(crate) account: Code,
    pub(crate) symbol: Symbol,
    pub(crate) json: Box<[u8]>,
    /// Empty where nobody asks for the binary form.
    pub(crate) binary: Box<[u8]>,
}

/// A line that becomes a row.
pub(crate) trait Line {
    fn owner(&self) -> Owner;
    fn account(&self) -> Code;
    fn symbol(&self) -> Symbol;
    fn cells(&self, cells: &mut impl Cells);
    /// The key columns alone.
    fn key_cells(&self, cells: &mut impl Cells);
}

fn encoded(write: impl Fn(&mut JsonCells), write_binary: impl Fn(&mut BinaryCells), binary: bool) -> Encoded {
    let mut json = JsonCells::default();
    write(&mut json);
    let mut bytes = BinaryCells::default();
    if binary {
        write_binary(&mut bytes);
    }
    (json.finish(), bytes.finish())
}

/// JSON and binary bytes.
pub(crate) type Encoded = (Box<[u8]>, Box<[u8]>);

impl Row {
    /// A line as bytes; in the binary form too where somebody asks for it.
    pub(crate) fn of(line: &impl Line, binary: bool) -> Self {
        let (json, binary) = encoded(|cells| line.cells(cells), |cells| line.cells(cells), binary);
        Self {
            owner: line.owner(),
            account: line.account(),
            symbol: line.symbol(),
            json,
            binary,
        }
    }
}

/// The key columns of a line as bytes.
pub(crate) fn key_of(line: &impl Line) -> Encoded {
    encoded(|cells| line.key_cells(cells), |cells| line.key_cells(cells), true)
}

impl Line for Position {
    fn owner(&self) -> Owner {
        Owner::of(self.node)
    }
    fn account(&self) -> Code {
        self.account
    }
    fn symbol(&self) -> Symbol {
        self.symbol
    }
    fn key_cells(&self, cells: &mut impl Cells) {
        cells.text(self.account.as_str());
        cells.text(self.symbol.as_str());
    }
    fn cells(&self, cells: &mut impl Cells) {
        self.key_cells(cells);
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
    fn owner(&self) -> Owner {
        if self.node.is_none() {
            Owner::Firm
        } else {
            Owner::Node(self.node)
        }
    }
    fn account(&self) -> Code {
        if self.node.is_none() {
            Code::EMPTY
        } else {
            self.name
        }
    }
    fn symbol(&self) -> Symbol {
        Symbol::EMPTY
    }
    fn key_cells(&self, cells: &mut impl Cells) {
        cells.text(self.group);
        cells.text(self.name.as_str());
        cells.text(self.currency.as_str());
    }
    fn cells(&self, cells: &mut impl Cells) {
        self.key_cells(cells);
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

impl Line for LimitUsage {
    fn owner(&self) -> Owner {
        Owner::of(self.node)
    }
    fn account(&self) -> Code {
        self.scope
    }
    fn symbol(&self) -> Symbol {
        self.symbol
    }
    fn key_cells(&self, cells: &mut impl Cells) {
        cells.text(self.label.as_str());
    }
    fn cells(&self, cells: &mut impl Cells) {
        self.key_cells(cells);
        cells.text(&self.limit_type);
        cells.text(self.scope.as_str());
        cells.text(&self.level);
        cells.text_or_null((!self.symbol.is_empty()).then(|| self.symbol.as_str()));
        cells.text_or_null(self.used.as_deref());
        cells.text(&self.hard);
        cells.text(self.unit);
        cells.count_or_null(self.used_pct);
        cells.number(self.soft_pct.into());
        cells.text(&self.action);
        cells.text(self.status);
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

impl Line for Settlement {
    fn owner(&self) -> Owner {
        Owner::of(self.node)
    }
    fn account(&self) -> Code {
        self.account
    }
    fn symbol(&self) -> Symbol {
        Symbol::EMPTY
    }
    fn key_cells(&self, cells: &mut impl Cells) {
        cells.date(self.settle_date);
        cells.text(self.account.as_str());
        cells.text(self.currency.as_str());
    }
    fn cells(&self, cells: &mut impl Cells) {
        self.key_cells(cells);
        cells.decimal(self.to_receive);
        cells.decimal(self.to_pay);
        cells.decimal(self.net);
        cells.count(self.trades);
        cells.text(self.state);
    }
}

/// An incident, with the node that it is about where it is about one.
pub(crate) struct AlertLine<'a> {
    pub(crate) incident: &'a IncidentRow,
    pub(crate) node: NodeId,
}

impl Line for AlertLine<'_> {
    fn owner(&self) -> Owner {
        Owner::of(self.node)
    }
    fn account(&self) -> Code {
        Code::lossy(&self.incident.scope)
    }
    fn symbol(&self) -> Symbol {
        Symbol::EMPTY
    }
    fn key_cells(&self, cells: &mut impl Cells) {
        cells.count(self.incident.id);
    }
    fn cells(&self, cells: &mut impl Cells) {
        let row = self.incident;
        self.key_cells(cells);
        cells.text(row.severity.text());
        cells.text(row.state.text());
        cells.text(&row.rule);
        cells.text(&row.scope);
        cells.text(&row.instrument);
        cells.number(row.level.into());
        cells.text_or_null(row.next_level_at.as_deref());
        cells.count(row.count);
        cells.text(&row.text);
        cells.text(&row.opened_at);
        cells.text(&row.last_at);
        cells.text_or_null(row.cleared_at.as_deref());
        cells.text_or_null(row.acknowledged_at.as_deref());
        cells.text_or_null(row.acknowledged_by.as_deref());
        cells.text_or_null(row.acknowledge_comment.as_deref());
        cells.text_or_null(row.resolved_at.as_deref());
        cells.text_or_null(row.resolved_by.as_deref());
        cells.text_or_null(row.resolve_comment.as_deref());
        cells.truth(row.live);
    }
}

impl Line for StageRow {
    fn owner(&self) -> Owner {
        Owner::Everybody
    }
    fn account(&self) -> Code {
        Code::EMPTY
    }
    fn symbol(&self) -> Symbol {
        Symbol::EMPTY
    }
    fn key_cells(&self, cells: &mut impl Cells) {
        cells.text(self.stage);
    }
    fn cells(&self, cells: &mut impl Cells) {
        self.key_cells(cells);
        cells.count(self.events);
        cells.count(self.events_per_s);
        for ns in [self.p50_ns, self.p90_ns, self.p99_ns, self.p999_ns, self.max_ns] {
            cells.count_or_null(ns);
        }
        cells.count(self.full_waits);
        cells.count_or_null(self.idle_pct);
    }
}

impl Line for Check {
    fn owner(&self) -> Owner {
        Owner::Everybody
    }
    fn account(&self) -> Code {
        Code::EMPTY
    }
    fn symbol(&self) -> Symbol {
        Symbol::EMPTY
    }
    fn key_cells(&self, cells: &mut impl Cells) {
        cells.text(self.name.as_str());
    }
    fn cells(&self, cells: &mut impl Cells) {
        self.key_cells(cells);
        cells.text(self.status.text());
        cells.decimal_or_null(self.value);
        cells.text(self.unit);
        cells.text(&self.text);
        cells.time_or_null(self.updated);
    }
}
