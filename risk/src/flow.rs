//! What orders and executions add up to, at one node or for one pair of node and instrument: what is open, and the day's figures.
//!
//! # Invariants
//! - Daily figures count for the date in `day` only: read through [`Flow::today`].

use bytemuck::{Pod, Zeroable};
use tradewind_domain::time::DayNumber;

/// What orders and executions have added up to, at one node or for one pair. The fields stand by who needs them: what is open, which
/// every order changes, fills a cache line where the flow begins 32 bytes into one; the day's figures fill the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Flow {
    /// Net position (1e-8); of a node over all instruments it has no meaning and is not used.
    pub position: i128,
    /// Trading date of the daily figures, by the calendar of the node.
    pub day: DayNumber,
    /// Open orders.
    pub open_count: u32,
    /// Messages on `day`: new orders, replaces and cancels. Of a node only.
    messages: u32,
    /// Executions on `day` that were not taken back.
    trades: u32,
    /// Open buy value (1e-16 base).
    pub buy_value: i128,
    /// Open sell value.
    pub sell_value: i128,
    /// Open buy quantity (1e-8).
    pub buy_qty: i128,
    /// Open sell quantity.
    pub sell_qty: i128,
    /// Value bought on `day`.
    bought_value: i128,
    /// Value sold on `day`.
    sold_value: i128,
    /// Quantity bought on `day`.
    bought_qty: i128,
    /// Quantity sold on `day`.
    sold_qty: i128,
}

/// Where a row has to hold its [`Flow`], so that what is open stands in one cache line.
pub(crate) const FLOW_AT: usize = 32;

/// The daily figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Today {
    /// Value bought (1e-16 base).
    pub bought_value: i128,
    /// Value sold.
    pub sold_value: i128,
    /// Quantity bought (1e-8).
    pub bought_qty: i128,
    /// Quantity sold.
    pub sold_qty: i128,
    /// Messages.
    pub messages: u32,
    /// Executions.
    pub trades: u32,
}

impl Flow {
    /// Nothing yet.
    pub const ZERO: Self = Self {
        buy_value: 0,
        sell_value: 0,
        buy_qty: 0,
        sell_qty: 0,
        bought_value: 0,
        sold_value: 0,
        bought_qty: 0,
        sold_qty: 0,
        position: 0,
        day: 0,
        open_count: 0,
        messages: 0,
        trades: 0,
    };

    /// The figures of `date`: zero where the last execution was on another day.
    #[inline]
    pub fn today(&self, date: DayNumber) -> Today {
        if self.day != date {
            return Today::default();
        }
        Today {
            bought_value: self.bought_value,
            sold_value: self.sold_value,
            bought_qty: self.bought_qty,
            sold_qty: self.sold_qty,
            messages: self.messages,
            trades: self.trades,
        }
    }

    /// Begins the figures of `date` where those of another day stand.
    #[inline]
    fn begin(&mut self, date: DayNumber) {
        if self.day != date {
            self.day = date;
            (self.bought_value, self.sold_value, self.bought_qty, self.sold_qty) = (0, 0, 0, 0);
            (self.messages, self.trades) = (0, 0);
        }
    }

    /// Counts a message on `date`.
    #[inline]
    pub fn count_message(&mut self, date: DayNumber) {
        self.begin(date);
        self.messages = self.messages.saturating_add(1);
    }

    /// Adds another's open and daily figures of `date`: for what gathers several instruments.
    pub fn gather(&mut self, other: &Flow, date: DayNumber) {
        self.begin(date);
        let today = other.today(date);
        self.buy_value += other.buy_value;
        self.sell_value += other.sell_value;
        self.buy_qty += other.buy_qty;
        self.sell_qty += other.sell_qty;
        self.bought_value += today.bought_value;
        self.sold_value += today.sold_value;
        self.bought_qty += today.bought_qty;
        self.sold_qty += today.sold_qty;
        self.open_count = self.open_count.saturating_add(other.open_count);
        self.trades = self.trades.saturating_add(today.trades);
    }

    /// Adds to what is open.
    #[inline]
    pub fn reserve(&mut self, is_buy: bool, qty: i64, value: i128, count: i32) {
        if is_buy {
            self.buy_qty += i128::from(qty);
            self.buy_value += value;
        } else {
            self.sell_qty += i128::from(qty);
            self.sell_value += value;
        }
        self.open_count = self.open_count.saturating_add_signed(count);
    }

    /// Adds an execution on `date`.
    #[inline]
    pub fn execute(&mut self, is_buy: bool, qty: i64, value: i128, date: DayNumber) {
        self.begin(date);
        self.trades = self.trades.saturating_add(1);
        let qty = i128::from(qty);
        if is_buy {
            self.bought_value += value;
            self.bought_qty += qty;
            self.position += qty;
        } else {
            self.sold_value += value;
            self.sold_qty += qty;
            self.position -= qty;
        }
    }

    /// Changes the position where nothing was executed: corporate actions.
    pub fn shift(&mut self, qty: i128) {
        self.position = self.position.saturating_add(qty);
    }

    /// Books the corrected version of an execution that was taken back: the mirror of [`take_back`](Self::take_back).
    pub fn put_back(&mut self, is_buy: bool, qty: i64, value: i128, executed: DayNumber) {
        let qty = i128::from(qty);
        self.position += if is_buy { qty } else { -qty };
        if self.day != executed {
            return;
        }
        self.trades = self.trades.saturating_add(1);
        if is_buy {
            self.bought_value += value;
            self.bought_qty += qty;
        } else {
            self.sold_value += value;
            self.sold_qty += qty;
        }
    }

    /// Takes an execution back. The daily figures fall only where it was executed on the day that they count.
    pub fn take_back(&mut self, is_buy: bool, qty: i64, value: i128, executed: DayNumber) {
        let qty = i128::from(qty);
        self.position += if is_buy { -qty } else { qty };
        if self.day != executed {
            return;
        }
        self.trades = self.trades.saturating_sub(1);
        if is_buy {
            self.bought_value -= value;
            self.bought_qty -= qty;
        } else {
            self.sold_value -= value;
            self.sold_qty -= qty;
        }
    }
}
