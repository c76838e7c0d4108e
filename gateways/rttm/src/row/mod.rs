//! Rows of each channel: key, cells, who may see them, by what a subscription may choose them.
//!
//! Invariant: the cells of a line stand in the order of its channel's columns (`channel`).

mod engine;
mod portfolio;
mod risk;
mod trading;

pub(crate) use risk::AlertLine;

use crate::encode::{BinaryCells, Cells, JsonCells};
use tradewind_domain::ids::{HoldingId, InstrumentId, LimitId, NodeId, OrderId};
use tradewind_domain::text::{Code, Symbol};
use tradewind_views::live::{DueKey, GroupKey};

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

/// Whom and what a line is about: who may see it, and by what a subscription may choose it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whose {
    pub(crate) owner: Owner,
    /// Account, or code of the node.
    pub(crate) account: Code,
    pub(crate) symbol: Symbol,
}

impl Whose {
    pub(crate) const EVERYBODY: Self = Self::nobodys(Owner::Everybody);
    pub(crate) const FIRM: Self = Self::nobodys(Owner::Firm);

    const fn nobodys(owner: Owner) -> Self {
        Self {
            owner,
            account: Code::EMPTY,
            symbol: Symbol::EMPTY,
        }
    }

    /// Of an account or another node; a line without one belongs to nobody.
    pub(crate) fn of(node: NodeId, account: Code) -> Self {
        let owner = if node.is_none() {
            Owner::Nobody
        } else {
            Owner::Node(node)
        };
        Self {
            account,
            ..Self::nobodys(owner)
        }
    }

    /// About an instrument.
    pub(crate) const fn about(self, symbol: Symbol) -> Self {
        Self { symbol, ..self }
    }
}

/// A row as it goes out.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) whose: Whose,
    pub(crate) json: Box<[u8]>,
    /// Empty where nobody asks for the binary form.
    pub(crate) binary: Box<[u8]>,
}

/// A line that becomes a row.
pub(crate) trait Line {
    fn whose(&self) -> Whose;
    /// The key columns.
    fn key_cells(&self, cells: &mut impl Cells);
    /// The columns behind them.
    fn other_cells(&self, cells: &mut impl Cells);

    fn cells(&self, cells: &mut impl Cells) {
        self.key_cells(cells);
        self.other_cells(cells);
    }
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
            whose: line.whose(),
            json,
            binary,
        }
    }
}

/// The key columns of a line as bytes.
pub(crate) fn key_of(line: &impl Line) -> Encoded {
    encoded(|cells| line.key_cells(cells), |cells| line.key_cells(cells), true)
}
