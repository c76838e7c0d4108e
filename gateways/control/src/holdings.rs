//! What the back office says of positions and of the firm's accounts, as events: corporate actions, tax lots, allocations, fails of
//! settlement, symbols that change, transfers.
//!
//! Not here: whether an action makes sense for its instrument (validate says so, and the outcome tells it).

use crate::command;
use crate::message::{Author, Made, choice, date, figure, optional, optional_figure, text};
use crate::protocol::Failure;
use bytemuck::Zeroable;
use tradewind_domain::codes::{CorporateActionKind, LotMethod, TransferPhase};
use tradewind_domain::event::{
    Allocation, AllocationTail, CorporateAction, InboundLong, Kind, LedgerTransfer, LotMethodSet, LotSelect,
    LotTail, NamedExecution, NamedLeg, SettlementFail, SymbolChange,
};
use tradewind_domain::fixed::{Money, ONE};
use tradewind_domain::ids::VenueId;
use tradewind_domain::text::{Code, Symbol};

fn names<T: Copy>(all: &[T], text: fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|value| text(*value)).collect()
}

/// `NEW:OLD`.
fn ratio(value: Option<&str>) -> Result<(u32, u32), Failure> {
    let Some(value) = value else { return Ok((0, 0)) };
    let parts = value.split_once(':');
    let parsed = parts.and_then(|(new, old)| Some((new.parse().ok()?, old.parse().ok()?)));
    parsed.ok_or_else(|| Failure::argument(format!("ratio {value:?}: must be NEW:OLD, like 2:1")))
}

/// Announces a corporate action.
pub(crate) fn announce(args: &command::Announce, author: &Author) -> Made {
    let all = names(CorporateActionKind::ALL, CorporateActionKind::text);
    let action = choice("action", &args.action, CorporateActionKind::from_text, &all)?;
    let (numerator, denominator) = ratio(args.ratio.as_deref())?;
    // Percent with two decimals are basis points.
    let withheld = optional_figure("withhold_pct", args.withhold_pct.as_deref())?;
    let withhold_bps = u32::try_from(withheld / (ONE / 100))
        .ok()
        .filter(|_| withheld % (ONE / 100) == 0);
    let body = CorporateAction {
        cash_per_unit: Money::from_raw(optional_figure("amount", args.amount.as_deref())?.into()),
        gross: Money::from_raw(optional_figure("px", args.px.as_deref())?.into()),
        numerator,
        denominator,
        withhold_bps: withhold_bps
            .ok_or_else(|| Failure::argument("withhold_pct has two decimals at most"))?,
        ex_date: date("ex_date", args.ex_date.as_deref())?,
        pay_date: date("pay_date", args.pay_date.as_deref())?,
        action: action as u8,
        ..CorporateAction::zeroed()
    };
    Ok(InboundLong::new(Kind::CorporateAction, &body)
        .named(text("symbol", &args.symbol)?, Code::EMPTY)
        .with_tail(author.named_tail().as_bytes()))
}

/// Sets how an account's tax lots are kept.
pub(crate) fn lot_method(args: &command::LotMethod, author: &Author) -> Made {
    let all = names(LotMethod::ALL, LotMethod::text);
    let body = LotMethodSet {
        author: author.name,
        method: choice("method", &args.method, LotMethod::from_text, &all)? as u8,
        fee_in_basis: u8::from(args.fee_in_basis),
        ..LotMethodSet::zeroed()
    };
    Ok(InboundLong::new(Kind::LotMethodSet, &body)
        .named(Symbol::EMPTY, text("account", &args.account)?)
        .with_tail(author.tail().as_bytes()))
}

/// A block goes to client accounts; without legs its allocation is taken back.
pub(crate) fn allocate(args: &command::Allocate, author: &Author) -> Made {
    let trade_date = date("trade_date", args.trade_date.as_deref())?;
    let venue = VenueId(args.venue.unwrap_or_default());
    let named = |exec_id: &String| {
        Ok(NamedExecution {
            venue,
            trade_date,
            exec_id: text("execution", exec_id)?,
        })
    };
    let executions: Result<Vec<NamedExecution>, Failure> = args.executions.iter().map(named).collect();
    let legs: Result<Vec<NamedLeg>, Failure> = args.legs.iter().map(|leg| named_leg(leg)).collect();
    let (executions, legs) = (executions?, legs?);
    let tail = AllocationTail::new(&executions, &legs)
        .ok_or_else(|| Failure::argument("too many executions or legs, or their names are too long"))?;
    let body = Allocation {
        alloc_id: text("id", &args.id)?,
        executions: executions.len() as u16,
        legs: legs.len() as u16,
        ..Allocation::zeroed()
    };
    let tail = tail.with_reason(author.named_tail().as_bytes());
    Ok(InboundLong::new(Kind::Allocation, &body)
        .named(text("symbol", &args.symbol)?, text("account", &args.account)?)
        .with_tail(tail.as_bytes()))
}

/// `ACCOUNT=QTY`.
fn named_leg(leg: &str) -> Result<NamedLeg, Failure> {
    let (account, qty) = leg
        .rsplit_once('=')
        .ok_or_else(|| Failure::argument(format!("leg {leg:?}: must be ACCOUNT=QUANTITY")))?;
    Ok(NamedLeg {
        account: text("account of a leg", account)?,
        qty: figure("quantity of a leg", qty)?,
    })
}

/// A trade did not settle.
pub(crate) fn fail(args: &command::Fail, author: &Author) -> Made {
    let body = SettlementFail {
        exec_id: text("exec_id", &args.exec_id)?,
        venue: VenueId(args.venue.unwrap_or_default()),
        trade_date: date("trade_date", args.trade_date.as_deref())?,
        settle_date: date("settle_date", args.settle_date.as_deref())?,
        ..SettlementFail::zeroed()
    };
    Ok(InboundLong::new(Kind::SettlementFail, &body).with_tail(author.named_tail().as_bytes()))
}

/// An instrument gets another symbol.
pub(crate) fn rename(args: &command::Rename, author: &Author) -> Made {
    let body = SymbolChange {
        symbol: text("to", &args.to)?,
        author: author.name,
        ..SymbolChange::zeroed()
    };
    Ok(InboundLong::new(Kind::SymbolChange, &body)
        .named(text("symbol", &args.symbol)?, Code::EMPTY)
        .with_tail(author.tail().as_bytes()))
}

/// Money or a quantity moves between accounts of the firm.
pub(crate) fn transfer(args: &command::Transfer, author: &Author) -> Made {
    let all = names(TransferPhase::ALL, TransferPhase::text);
    let phase = match args.phase.as_deref() {
        None => TransferPhase::Posted,
        Some(phase) => choice("phase", phase, TransferPhase::from_text, &all)?,
    };
    let body = LedgerTransfer {
        transfer_id: text("id", &args.id)?,
        phase: phase as u8,
        amount: Money::from_raw(optional_figure("amount", args.amount.as_deref())?.into()),
        debit: optional("debit", args.debit.as_deref())?,
        credit: optional("credit", args.credit.as_deref())?,
        ..LedgerTransfer::zeroed()
    };
    Ok(InboundLong::new(Kind::LedgerTransfer, &body).with_tail(author.named_tail().as_bytes()))
}

/// An execution closes these tax lots first.
pub(crate) fn select_lots(args: &command::SelectLots, author: &Author) -> Made {
    let venue = args.venue.unwrap_or_default();
    let named = |lot: &command::LotName| {
        let execution = NamedExecution {
            venue: VenueId(lot.venue.unwrap_or(venue)),
            trade_date: date("trade_date of a lot", lot.trade_date.as_deref())?,
            exec_id: text("exec_id of a lot", &lot.exec_id)?,
        };
        Ok((execution, figure("qty of a lot", &lot.qty)?))
    };
    let lots: Result<Vec<(NamedExecution, i64)>, Failure> = args.lots.iter().map(named).collect();
    let lots = lots?;
    let tail =
        LotTail::new(&lots).ok_or_else(|| Failure::argument("too many lots, or their names are too long"))?;
    let body = LotSelect {
        exec_id: text("exec_id", &args.exec_id)?,
        trade_date: date("trade_date", args.trade_date.as_deref())?,
        venue: VenueId(venue),
        lots: lots.len() as u16,
        author: author.name,
        ..LotSelect::zeroed()
    };
    let tail = tail.with_reason(author.tail().as_bytes(), lots.len());
    Ok(InboundLong::new(Kind::LotSelect, &body).with_tail(tail.as_bytes()))
}
