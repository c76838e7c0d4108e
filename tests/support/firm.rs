//! The firm of `firm.toml`, and messages as a source would build them.

use bytemuck::Zeroable;
use tradewind_config::ReferenceData;
use tradewind_domain::codes::{ControlState, OrderType, QuarantineAction, Side, TimeInForce, TransferPhase};
use tradewind_domain::decimal;
use tradewind_domain::event::{
    Allocation, AllocationTail, CashMove, Control, Execution, InboundLong, InstrumentStatus, Kind, LastTrade,
    LedgerTransfer, NamedExecution, NamedLeg, OrderCancel, OrderNew, OrderReplace, QuarantineResolve, Quote,
    SessionEvent, TradeBust, VenueReport,
};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{NodeId, OrderId, SessionId, VenueId};
use tradewind_domain::text::{Code, Symbol, Text};
use tradewind_domain::time::{DayNumber, parse_date};

/// The firm's first day: its calendars are set around it.
pub(crate) fn first_day() -> DayNumber {
    parse_date("2026-03-02").expect("a date")
}

/// The reference data as admin events.
pub(crate) fn reference() -> Vec<InboundLong> {
    let data = ReferenceData::parse(include_str!("firm.toml"), "firm.toml").expect("sound reference data");
    data.events(first_day() - 2, first_day() + 20)
}

/// The reference data with the accounts of `catalogue.toml`, as admin events.
pub(crate) fn reference_with_catalogue() -> Vec<InboundLong> {
    let text = concat!(include_str!("firm.toml"), include_str!("catalogue.toml"));
    let data = ReferenceData::parse(text, "catalogue.toml").expect("sound reference data");
    data.events(first_day() - 2, first_day() + 20)
}

/// `text` as an integer at 1e-8.
pub(crate) fn dec(text: &str) -> i64 {
    decimal::parse(text.as_bytes()).expect("a decimal")
}

pub(crate) fn text<const N: usize>(value: &str) -> Text<N> {
    Text::new(value).expect("a short text")
}

/// A client's order with its names.
#[derive(Clone, Copy)]
pub(crate) struct Order {
    pub(crate) body: OrderNew,
    symbol: Symbol,
    account: Code,
}

impl Order {
    /// A day order to buy at a limit, in session 1.
    pub(crate) fn buy(id: &str, account: &str, symbol: &str, qty: &str, px: &str) -> Self {
        let body = OrderNew {
            cl_ord_id: text(id),
            qty: dec(qty),
            px: dec(px),
            qty_dp: 8,
            px_dp: 8,
            side: Side::Buy as u8,
            ord_type: OrderType::Limit as u8,
            tif: TimeInForce::Day as u8,
            session: SessionId(1),
            ..OrderNew::zeroed()
        };
        Self {
            body,
            symbol: text(symbol),
            account: text(account),
        }
    }

    pub(crate) fn sell(id: &str, account: &str, symbol: &str, qty: &str, px: &str) -> Self {
        Self::buy(id, account, symbol, qty, px).with(|body| body.side = Side::Sell as u8)
    }

    /// Changes what the constructors do not say.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut OrderNew)) -> Self {
        change(&mut self.body);
        self
    }

    pub(crate) fn message(&self) -> InboundLong {
        InboundLong::new(Kind::OrderNew, &self.body).named(self.symbol, self.account)
    }

    /// The same as a question.
    pub(crate) fn probe(&self) -> InboundLong {
        InboundLong::new(Kind::Probe, &self.body).named(self.symbol, self.account)
    }
}

/// Cancels the order of session 1 with this identifier.
pub(crate) fn cancel(id: &str, orig: &str) -> InboundLong {
    let body = OrderCancel {
        cl_ord_id: text(id),
        orig_cl_ord_id: text(orig),
        session: SessionId(1),
        ..OrderCancel::zeroed()
    };
    InboundLong::new(Kind::OrderCancel, &body)
}

/// Cancels the order with this id.
pub(crate) fn cancel_by_id(id: &str, order_id: OrderId) -> InboundLong {
    let body = OrderCancel {
        cl_ord_id: text(id),
        order_id,
        session: SessionId(1),
        ..OrderCancel::zeroed()
    };
    InboundLong::new(Kind::OrderCancel, &body)
}

/// Replaces quantity and price of the order of session 1 with this identifier.
pub(crate) fn replace(id: &str, orig: &str, qty: &str, px: &str) -> InboundLong {
    let body = OrderReplace {
        cl_ord_id: text(id),
        orig_cl_ord_id: text(orig),
        qty: dec(qty),
        px: dec(px),
        qty_dp: 8,
        px_dp: 8,
        session: SessionId(1),
        ..OrderReplace::zeroed()
    };
    InboundLong::new(Kind::OrderReplace, &body)
}

/// A venue's report on an order.
pub(crate) fn report(kind: Kind, order_id: OrderId) -> InboundLong {
    let body = VenueReport {
        order_id,
        qty_dp: 8,
        px_dp: 8,
        venue: VenueId(1),
        ..VenueReport::zeroed()
    };
    InboundLong::new(kind, &body)
}

/// A venue's answer to a status request.
pub(crate) fn status(order_id: OrderId, status: u8) -> InboundLong {
    let body = VenueReport {
        order_id,
        status,
        qty_dp: 8,
        px_dp: 8,
        venue: VenueId(1),
        ..VenueReport::zeroed()
    };
    InboundLong::new(Kind::VenueStatus, &body)
}

fn execution(exec_id: &str, qty: &str, px: &str) -> Execution {
    Execution {
        exec_id: text::<40>(exec_id),
        qty: dec(qty),
        px: dec(px),
        qty_dp: 8,
        px_dp: 8,
        venue: VenueId(1),
        ..Execution::zeroed()
    }
}

/// A fill of an order.
pub(crate) fn fill(exec_id: &str, order_id: OrderId, qty: &str, px: &str) -> InboundLong {
    InboundLong::new(
        Kind::VenueFill,
        &Execution {
            order_id,
            ..execution(exec_id, qty, px)
        },
    )
}

/// A trade executed elsewhere.
pub(crate) fn trade(
    exec_id: &str,
    account: &str,
    symbol: &str,
    side: Side,
    qty: &str,
    px: &str,
) -> InboundLong {
    let body = Execution {
        side: side as u8,
        ..execution(exec_id, qty, px)
    };
    InboundLong::new(Kind::TradeCapture, &body).named(text(symbol), text(account))
}

/// A trade is taken back; trade date 0 is today's.
/// A block of an account in an instrument goes to the legs; without legs the allocation of this identifier is taken back.
pub(crate) fn allocation(
    id: &str,
    (account, symbol): (&str, &str),
    executions: &[&str],
    legs: &[(&str, &str)],
) -> InboundLong {
    let named = |exec_id: &&str| NamedExecution {
        venue: VenueId(1),
        trade_date: 0,
        exec_id: text(exec_id),
    };
    let leg = |(account, qty): &(&str, &str)| NamedLeg {
        account: text(account),
        qty: dec(qty),
    };
    let executions: Vec<NamedExecution> = executions.iter().map(named).collect();
    let legs: Vec<NamedLeg> = legs.iter().map(leg).collect();
    let tail = AllocationTail::new(&executions, &legs).expect("few names");
    let body = Allocation {
        alloc_id: text(id),
        executions: executions.len() as u16,
        legs: legs.len() as u16,
        ..Allocation::zeroed()
    };
    InboundLong::new(Kind::Allocation, &body)
        .named(text(symbol), text(account))
        .with_tail(tail.as_bytes())
}

/// A transfer between accounts of the firm.
pub(crate) fn transfer(
    id: &str,
    phase: TransferPhase,
    (debit, credit): (&str, &str),
    amount: &str,
) -> InboundLong {
    let body = LedgerTransfer {
        transfer_id: text(id),
        phase: phase as u8,
        debit: text(debit),
        credit: text(credit),
        amount: Money::from_raw(dec(amount).into()),
        ..LedgerTransfer::zeroed()
    };
    InboundLong::new(Kind::LedgerTransfer, &body)
}

pub(crate) fn bust(exec_id: &str, trade_date: DayNumber) -> InboundLong {
    let body = TradeBust {
        exec_id: text("bust"),
        exec_ref_id: text(exec_id),
        trade_date,
        venue: VenueId(1),
        ..TradeBust::zeroed()
    };
    InboundLong::new(Kind::TradeBust, &body)
}

/// Quantity and price of a trade of today are corrected.
pub(crate) fn correct(exec_id: &str, qty: &str, px: &str) -> InboundLong {
    InboundLong::new(Kind::TradeCorrect, &execution(exec_id, qty, px))
}

/// A person decides about a trade in quarantine; account and quantity (0 keeps the trade's) are a repair's.
pub(crate) fn resolve(trade_seq: u64, action: QuarantineAction, account: &str, qty: &str) -> InboundLong {
    let body = QuarantineResolve {
        trade_seq,
        author: text("ann"),
        action: action as u8,
        qty: dec(qty),
        qty_dp: 8,
        px_dp: 8,
        ..QuarantineResolve::zeroed()
    };
    InboundLong::new(Kind::QuarantineResolve, &body)
        .named(Symbol::EMPTY, text(account))
        .with_tail(b"the broker confirmed it by phone")
}

/// Best bid and offer of 100 each.
pub(crate) fn quote(symbol: &str, bid: &str, ask: &str) -> InboundLong {
    let qty = dec("100");
    let body = Quote {
        bid: dec(bid),
        bid_qty: qty,
        ask: dec(ask),
        ask_qty: qty,
        px_dp: 8,
        qty_dp: 8,
        ..Quote::zeroed()
    };
    InboundLong::new(Kind::Quote, &body).named(text(symbol), Code::EMPTY)
}

/// The market's last trade.
pub(crate) fn last(symbol: &str, px: &str) -> InboundLong {
    let body = LastTrade {
        px: dec(px),
        qty: dec("1"),
        px_dp: 8,
        qty_dp: 8,
        ..LastTrade::zeroed()
    };
    InboundLong::new(Kind::LastTrade, &body).named(text(symbol), Code::EMPTY)
}

/// Halts an instrument, or lets it trade again.
pub(crate) fn halt(symbol: &str, halted: bool) -> InboundLong {
    let body = InstrumentStatus {
        halted: u8::from(halted),
        ..InstrumentStatus::zeroed()
    };
    InboundLong::new(Kind::InstrumentStatus, &body).named(text(symbol), Code::EMPTY)
}

/// A deposit or withdrawal.
pub(crate) fn cash(kind: Kind, account: &str, currency: &str, reference: &str, amount: &str) -> InboundLong {
    let body = CashMove {
        reference: text::<40>(reference),
        amount: Money::from_raw(i128::from(dec(amount))),
        ..CashMove::zeroed()
    };
    InboundLong::new(kind, &body).named(text(currency), text(account))
}

/// A session comes, or goes with a grace after which its orders are cancelled.
pub(crate) fn session(kind: Kind, session: u32, grace_ms: u32) -> InboundLong {
    InboundLong::new(
        kind,
        &SessionEvent {
            session: SessionId(session),
            grace_ms,
            ..SessionEvent::zeroed()
        },
    )
}

/// A control state for a node.
pub(crate) fn control(
    kind: Kind,
    node: &str,
    state: ControlState,
    author: &str,
    second: &str,
) -> InboundLong {
    let body = Control {
        author: text(author),
        second: text(second),
        state: state as u8,
        venue: VenueId::NONE,
        session: SessionId::NONE,
        node: NodeId::NONE,
        ..Control::zeroed()
    };
    InboundLong::new(kind, &body).named(Symbol::EMPTY, text(node))
}
