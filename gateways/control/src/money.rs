//! What the back office says of money and of prices, as events: deposits, withdrawals, conversions; marks, rates, halts; what nodes are worth.
//!
//! Not here: whether there is enough money, or a price that makes sense (the engine says so, and the outcome tells it).

use crate::command;
use crate::message::{Author, Made, date, figure, text};
use bytemuck::Zeroable;
use tradewind_domain::event::{
    CashMove, FxConversion, FxRate, InboundLong, InstrumentStatus, Kind, Mark, Valuation,
};
use tradewind_domain::fixed::{Money, SCALE_DP};
use tradewind_domain::ids::{CurrencyId, SessionId};
use tradewind_domain::text::{Code, Symbol};

/// The name of a currency, as events have it.
fn currency(what: &str, code: &str) -> Result<Symbol, crate::protocol::Failure> {
    text(what, code)
}

/// Money comes in (`Deposit`) or goes out (`Withdrawal`).
pub(crate) fn cash(kind: Kind, args: &command::CashMove, author: &Author) -> Made {
    let body = CashMove {
        reference: text("reference", &args.reference)?,
        session: SessionId::NONE,
        amount: Money::from_raw(figure("amount", &args.amount)?.into()),
        value_date: date("value_date", args.value_date.as_deref())?,
        ..CashMove::zeroed()
    };
    Ok(InboundLong::new(kind, &body)
        .named(
            currency("currency", &args.currency)?,
            text("account", &args.account)?,
        )
        .with_tail(author.named_tail().as_bytes()))
}

/// Money of one currency for the firm's of another.
pub(crate) fn convert(args: &command::Convert, author: &Author) -> Made {
    let body = FxConversion {
        reference: text("reference", &args.reference)?,
        session: SessionId::NONE,
        amount: Money::from_raw(figure("amount", &args.amount)?.into()),
        rate: figure("rate", &args.rate)?,
        bought_code: text("buy", &args.buy)?,
        rate_dp: SCALE_DP as u8,
        sold: CurrencyId::NONE,
        currency_bought: CurrencyId::NONE,
        ..FxConversion::zeroed()
    };
    Ok(InboundLong::new(Kind::FxConversion, &body)
        .named(currency("sell", &args.sell)?, text("account", &args.account)?)
        .with_tail(author.named_tail().as_bytes()))
}

/// A price from outside.
pub(crate) fn mark(args: &command::MarkSet, author: &Author) -> Made {
    let body = Mark {
        px: figure("px", &args.px)?,
        px_dp: SCALE_DP as u8,
        settlement: u8::from(args.settlement),
        ..Mark::zeroed()
    };
    Ok(InboundLong::new(Kind::Mark, &body)
        .named(text("symbol", &args.symbol)?, Code::EMPTY)
        .with_tail(author.named_tail().as_bytes()))
}

/// A currency's rate.
pub(crate) fn rate(args: &command::RateSet, author: &Author) -> Made {
    let body = FxRate {
        rate: figure("rate", &args.rate)?,
        rate_dp: SCALE_DP as u8,
        ..FxRate::zeroed()
    };
    Ok(InboundLong::new(Kind::FxRate, &body)
        .named(currency("currency", &args.currency)?, Code::EMPTY)
        .with_tail(author.named_tail().as_bytes()))
}

/// What a node is worth.
pub(crate) fn valuation(args: &command::ValuationSet, author: &Author) -> Made {
    let figure = |what, value| figure(what, value).map(|units| Money::from_raw(units.into()));
    let balance = args.balance.as_deref().map(|value| figure("balance", value));
    let body = Valuation {
        equity: figure("equity", &args.equity)?,
        has_balance: u8::from(balance.is_some()),
        balance: balance.transpose()?.unwrap_or(Money::ZERO),
        ..Valuation::zeroed()
    };
    Ok(InboundLong::new(Kind::Valuation, &body)
        .named(Symbol::EMPTY, text("node", &args.node)?)
        .with_tail(author.named_tail().as_bytes()))
}

/// An instrument stops, or trades as its calendar says.
pub(crate) fn halt(args: &command::Halt, author: &Author) -> Made {
    let body = InstrumentStatus {
        halted: u8::from(args.halted),
        ..InstrumentStatus::zeroed()
    };
    Ok(InboundLong::new(Kind::InstrumentStatus, &body)
        .named(text("symbol", &args.symbol)?, Code::EMPTY)
        .with_tail(author.named_tail().as_bytes()))
}
