//! What the back office books beside trades: payments, conversions, allocations, fails, tax lots, transfers of the firm; and what it says
//! of instruments and nodes: marks, halts, rates, other symbols, valuations.
//!
//! Invariant: a payment, conversion, transfer or allocation has an identifier of its own and is booked once, however often it is sent.

use super::busts::Name;
use super::changes::outcome_schema;
use super::v1;
use crate::call::{Call, Reply};
use crate::endpoint::{Endpoint, Handle, Need, Verb, handle};
use crate::gateway::Gateway;
use crate::problem::Problem;
use crate::schema::{Wire, wire};
use std::sync::Arc;
use tradewind_control::{
    Allocate, CashMove, Command, Convert, Fail, Halt, LotName, MarkSet, RateSet, Rename, SelectLots,
    Transfer, ValuationSet,
};
use tradewind_identity::Permission;

const GROUP: &str = "back office";

wire! {
    /// Money that comes in or goes out. It is booked once for its account and reference.
    Payment {
        /// The account.
        account: String,
        /// Currency.
        currency: String,
        /// Amount, above zero.
        amount: String,
        /// Reference of the payment, up to 40 characters.
        reference: String,
        /// Date from which the money is settled, YYYY-MM-DD; left out: at once.
        value_date: Option<String>,
        /// Why.
        reason: String,
    }
}

wire! {
    /// Money of one currency for the firm's of another. It is booked once for its account and reference.
    Conversion {
        /// The account.
        account: String,
        /// Currency that is sold.
        sell: String,
        /// Currency that is bought.
        buy: String,
        /// Amount that is sold, above zero.
        amount: String,
        /// Units bought for one that is sold.
        rate: String,
        /// Reference, up to 40 characters.
        reference: String,
        /// Why.
        reason: String,
    }
}

wire! {
    /// A client's share of a block.
    Leg {
        /// The account.
        account: String,
        /// Quantity.
        qty: String,
    }
}

wire! {
    /// A block that goes to client accounts at its average price.
    Block {
        /// Identifier of the allocation, once for the account.
        id: String,
        /// The account that holds the block.
        account: String,
        /// The instrument.
        symbol: String,
        /// Identifiers of the block's executions, up to 16.
        executions: Vec<String>,
        /// Their venue; left out: 0.
        venue: Option<u16>,
        /// Their trade date, YYYY-MM-DD; left out: the present one.
        trade_date: Option<String>,
        /// Accounts with quantities that add up to the block, up to 48; none: the allocation of this identifier is taken back.
        legs: Vec<Leg>,
        /// Why.
        reason: String,
    }
}

wire! {
    /// A trade that did not settle, or will not.
    Failed {
        /// The venue's identifier of the trade.
        exec_id: String,
        /// Number of the venue; left out: 0.
        venue: Option<u16>,
        /// Trade date, YYYY-MM-DD; left out: the present one.
        trade_date: Option<String>,
        /// When it is to settle, YYYY-MM-DD; left out: on the next business day.
        settle_date: Option<String>,
        /// Why.
        reason: String,
    }
}

wire! {
    /// A tax lot, by the execution that opened it.
    Lot {
        /// The venue's identifier of the execution.
        exec_id: String,
        /// At most so much of it.
        qty: String,
        /// Number of its venue; left out: that of the trade that closes.
        venue: Option<u16>,
        /// Its trade date, YYYY-MM-DD; left out: the present one.
        trade_date: Option<String>,
    }
}

wire! {
    /// Which tax lots a trade closes.
    Lots {
        /// The venue's identifier of the trade that closes.
        exec_id: String,
        /// Number of the venue; left out: 0.
        venue: Option<u16>,
        /// Trade date, YYYY-MM-DD; left out: the present one.
        trade_date: Option<String>,
        /// The lots, closed in this order, up to 16; what is left goes by the account's method.
        lots: Vec<Lot>,
        /// Why.
        reason: String,
    }
}

wire! {
    /// A transfer between accounts of the firm.
    FirmTransfer {
        /// Identifier; of POST and VOID that of the pending transfer.
        id: String,
        /// POSTED, PENDING, POST or VOID; left out: POSTED.
        phase: Option<String>,
        /// Account that is debited, like STREET:USD; none for POST and VOID.
        debit: Option<String>,
        /// Account that is credited.
        credit: Option<String>,
        /// Amount; of POST left out for all that is pending.
        amount: Option<String>,
        /// Why.
        reason: String,
    }
}

wire! {
    /// Another symbol.
    NewSymbol {
        /// The new symbol; the one before stays a name of the instrument.
        symbol: String,
        /// Why.
        reason: String,
    }
}

wire! {
    /// A price from outside.
    NewMark {
        /// Price.
        px: String,
        /// True where it is a settlement price.
        settlement: Option<bool>,
        /// Why.
        reason: String,
    }
}

wire! {
    /// What a node is worth, as somebody outside says.
    NewValuation {
        /// Equity in base currency.
        equity: String,
        /// Balance in base currency; left out: as it is.
        balance: Option<String>,
        /// Why.
        reason: String,
    }
}

wire! {
    /// Whether an instrument is halted.
    SetHalt {
        /// True halts it; false lets it trade as its calendar says.
        halted: bool,
        /// Why.
        reason: String,
    }
}

wire! {
    /// A currency's rate.
    NewRate {
        /// Units of the base currency for one of it.
        rate: String,
        /// Why.
        reason: String,
    }
}

fn new<T: Wire>(verb: Verb, path: &'static str, need: Need, handle: Handle, doc: &'static str) -> Endpoint {
    Endpoint::new(verb, path, GROUP, need, handle, doc)
        .takes::<T>()
        .gives(200, outcome_schema)
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let capture = Need::Right(Permission::Capture);
    let control = Need::Firm(Permission::Control);
    let post = Verb::Post;
    vec![
        new::<Payment>(
            post,
            v1!("/cash/deposits"),
            capture,
            handle!(deposit),
            "Books money that came in.",
        ),
        new::<Payment>(
            post,
            v1!("/cash/withdrawals"),
            capture,
            handle!(withdraw),
            "Books money that goes out.",
        ),
        new::<Conversion>(
            post,
            v1!("/cash/conversions"),
            capture,
            handle!(convert),
            "Converts money of an account at a rate.",
        ),
        new::<Block>(
            post,
            v1!("/allocations"),
            capture,
            handle!(allocate),
            "Moves a block to client accounts at its average price, or takes that back.",
        ),
        new::<Failed>(
            post,
            v1!("/trades/fail"),
            capture,
            handle!(fail),
            "Says that a trade did not settle.",
        ),
        new::<Lots>(
            post,
            v1!("/trades/lots"),
            capture,
            handle!(lots),
            "Says which tax lots a trade closes; the last word counts.",
        ),
        new::<FirmTransfer>(
            post,
            v1!("/ledger/transfers"),
            Need::Firm(Permission::Capture),
            handle!(transfer),
            "Moves money or a quantity between accounts of the firm.",
        ),
        new::<NewSymbol>(
            Verb::Put,
            v1!("/instruments/{symbol}/symbol"),
            Need::Firm(Permission::Admin),
            handle!(rename),
            "Gives an instrument another symbol.",
        ),
        new::<NewMark>(
            Verb::Put,
            v1!("/market/{symbol}/mark"),
            control,
            handle!(mark),
            "Sets a mark or settlement price.",
        ),
        new::<SetHalt>(
            Verb::Put,
            v1!("/market/{symbol}/halt"),
            control,
            handle!(halt),
            "Halts an instrument, or lets it trade as its calendar says.",
        ),
        new::<NewValuation>(
            Verb::Put,
            v1!("/nodes/{code}/valuation"),
            Need::Right(Permission::Control),
            handle!(value),
            "Says what a node or account is worth, for limits on equity; from then on our own books value it no more.",
        ),
        new::<NewRate>(
            Verb::Put,
            v1!("/fx-rates/{currency}"),
            control,
            handle!(rate),
            "Sets a currency's rate against the base currency.",
        ),
    ]
}

async fn done(gateway: &Arc<Gateway>, call: &Call, reason: &str, command: Command) -> Result<Reply, Problem> {
    Reply::json(&gateway.desk(call, Some(reason), command).await?)
}

/// The body of a payment, of somebody who may book it.
fn payment(gateway: &Gateway, call: &Call) -> Result<(CashMove, String), Problem> {
    let body: Payment = call.json()?;
    gateway.require(call.asker()?, Permission::Capture, &body.account)?;
    let cash = CashMove {
        account: body.account,
        currency: body.currency,
        amount: body.amount,
        reference: body.reference,
        value_date: body.value_date,
    };
    Ok((cash, body.reason))
}

async fn deposit(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let (cash, reason) = payment(&gateway, &call)?;
    done(&gateway, &call, &reason, Command::CashDeposit(cash)).await
}

async fn withdraw(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let (cash, reason) = payment(&gateway, &call)?;
    done(&gateway, &call, &reason, Command::CashWithdraw(cash)).await
}

async fn convert(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: Conversion = call.json()?;
    gateway.require(call.asker()?, Permission::Capture, &body.account)?;
    let convert = Convert {
        account: body.account,
        sell: body.sell,
        buy: body.buy,
        amount: body.amount,
        rate: body.rate,
        reference: body.reference,
    };
    done(&gateway, &call, &body.reason, Command::CashConvert(convert)).await
}

async fn allocate(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: Block = call.json()?;
    let asker = call.asker()?;
    gateway.require(asker, Permission::Capture, &body.account)?;
    for leg in &body.legs {
        gateway.require(asker, Permission::Capture, &leg.account)?;
    }
    let allocate = Allocate {
        id: body.id,
        account: body.account,
        symbol: body.symbol,
        executions: body.executions,
        venue: body.venue,
        trade_date: body.trade_date,
        legs: body
            .legs
            .iter()
            .map(|leg| format!("{}={}", leg.account, leg.qty))
            .collect(),
    };
    done(
        &gateway,
        &call,
        &body.reason,
        Command::PositionsAllocate(allocate),
    )
    .await
}

async fn fail(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: Failed = call.json()?;
    Name::of(
        body.venue,
        body.trade_date.as_deref(),
        ("/exec_id", &body.exec_id),
    )?
    .require(&gateway, &call)
    .await?;
    let fail = Fail {
        venue: body.venue,
        exec_id: body.exec_id,
        trade_date: body.trade_date,
        settle_date: body.settle_date,
    };
    done(&gateway, &call, &body.reason, Command::PositionsFail(fail)).await
}

async fn lots(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: Lots = call.json()?;
    Name::of(
        body.venue,
        body.trade_date.as_deref(),
        ("/exec_id", &body.exec_id),
    )?
    .require(&gateway, &call)
    .await?;
    let lot = |lot: Lot| LotName {
        venue: lot.venue,
        exec_id: lot.exec_id,
        qty: lot.qty,
        trade_date: lot.trade_date,
    };
    let select = SelectLots {
        exec_id: body.exec_id,
        venue: body.venue,
        trade_date: body.trade_date,
        lots: body.lots.into_iter().map(lot).collect(),
    };
    done(
        &gateway,
        &call,
        &body.reason,
        Command::PositionsSelectLots(select),
    )
    .await
}

async fn transfer(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: FirmTransfer = call.json()?;
    let transfer = Transfer {
        id: body.id,
        phase: body.phase,
        debit: body.debit,
        credit: body.credit,
        amount: body.amount,
    };
    done(
        &gateway,
        &call,
        &body.reason,
        Command::PositionsTransfer(transfer),
    )
    .await
}

async fn rename(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: NewSymbol = call.json()?;
    let rename = Rename {
        symbol: call.path("symbol").to_owned(),
        to: body.symbol,
    };
    done(&gateway, &call, &body.reason, Command::PositionsRename(rename)).await
}

async fn mark(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: NewMark = call.json()?;
    let mark = MarkSet {
        symbol: call.path("symbol").to_owned(),
        px: body.px,
        settlement: body.settlement.unwrap_or(false),
    };
    done(&gateway, &call, &body.reason, Command::MarketMark(mark)).await
}

async fn value(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: NewValuation = call.json()?;
    let node = call.path("code").to_owned();
    gateway.require(call.asker()?, Permission::Control, &node)?;
    let value = ValuationSet {
        node,
        equity: body.equity,
        balance: body.balance,
    };
    done(&gateway, &call, &body.reason, Command::MarketValuation(value)).await
}

async fn halt(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: SetHalt = call.json()?;
    let halt = Halt {
        symbol: call.path("symbol").to_owned(),
        halted: body.halted,
    };
    done(&gateway, &call, &body.reason, Command::MarketHalt(halt)).await
}

async fn rate(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: NewRate = call.json()?;
    let rate = RateSet {
        currency: call.path("currency").to_owned(),
        rate: body.rate,
    };
    done(&gateway, &call, &body.reason, Command::MarketRate(rate)).await
}
