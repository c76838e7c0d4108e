//! Arguments of `tradewind positions`.

use super::{EngineArgs, ListArgs, ReasonArgs, SelectLotsArgs};
use clap::{Args, Subcommand};

/// `tradewind positions`.
#[derive(Debug, Subcommand)]
pub enum PositionsCommand {
    /// Announce a corporate action: split, dividend, funding, variation margin, settlement of a contract.
    Announce(AnnounceArgs),
    /// Corporate actions that were announced, newest first.
    Actions(ListArgs),
    /// Set how the tax lots of an account are kept.
    LotMethod(LotMethodArgs),
    /// Say which tax lots a trade closes.
    SelectLots(SelectLotsArgs),
    /// Move a block to client accounts at its average price; without legs the allocation is taken back.
    Allocate(AllocateArgs),
    /// Say that a trade did not settle on its date.
    Fail(FailArgs),
    /// Give an instrument another symbol.
    Rename(RenameArgs),
    /// Move money or a quantity between accounts of the firm.
    Transfer(TransferArgs),
}

/// `tradewind positions allocate`.
#[derive(Debug, Args)]
pub struct AllocateArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Identifier of the allocation.
    pub id: String,
    /// Account that holds the block.
    pub account: String,
    /// Instrument.
    pub symbol: String,
    /// An execution of the block, by its venue's identifier.
    #[arg(long = "exec", value_name = "EXEC_ID")]
    pub executions: Vec<String>,
    /// A client account and its quantity.
    #[arg(long = "leg", value_name = "ACCOUNT=QTY")]
    pub legs: Vec<String>,
    /// Venue of the executions; default: 0.
    #[arg(long)]
    pub venue: Option<u16>,
    /// Trade date of the executions; default: the present one.
    #[arg(long, value_name = "DATE")]
    pub trade_date: Option<String>,
}

/// `tradewind positions fail`.
#[derive(Debug, Args)]
pub struct FailArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// The trade, by its venue's identifier.
    pub exec_id: String,
    /// Its venue; default: 0.
    #[arg(long)]
    pub venue: Option<u16>,
    /// Its trade date; default: the present one.
    #[arg(long, value_name = "DATE")]
    pub trade_date: Option<String>,
    /// When it is to settle; default: the next business day.
    #[arg(long, value_name = "DATE")]
    pub settle_date: Option<String>,
}

/// `tradewind positions rename`.
#[derive(Debug, Args)]
pub struct RenameArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Present symbol.
    pub symbol: String,
    /// New symbol.
    pub to: String,
}

/// `tradewind positions transfer`.
#[derive(Debug, Args)]
pub struct TransferArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Identifier; of a POST or VOID that of the pending transfer.
    pub id: String,
    /// POSTED, PENDING, POST or VOID.
    #[arg(long, default_value = "POSTED")]
    pub phase: String,
    /// Account that is debited.
    #[arg(long, value_name = "CLASS:CURRENCY")]
    pub debit: Option<String>,
    /// Account that is credited.
    #[arg(long, value_name = "CLASS:CURRENCY")]
    pub credit: Option<String>,
    /// Amount or quantity; of a POST default: all that is pending.
    #[arg(long, value_name = "X")]
    pub amount: Option<String>,
}

/// `tradewind positions announce`.
#[derive(Debug, Args)]
pub struct AnnounceArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Instrument.
    pub symbol: String,
    /// SPLIT, CASH_DIVIDEND, FUNDING, VARIATION_MARGIN or SETTLEMENT.
    pub action: String,
    /// Of a split: new units for old ones.
    #[arg(long, value_name = "NEW:OLD")]
    pub ratio: Option<String>,
    /// Dividend per unit, price of a split's fractions, rate of a funding, settlement price or value.
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    pub amount: Option<String>,
    /// Price that a funding is reckoned at; default: the mark.
    #[arg(long, value_name = "X")]
    pub px: Option<String>,
    /// Tax withheld from a dividend.
    #[arg(long, value_name = "PERCENT")]
    pub withhold: Option<String>,
    /// When it takes effect; default: at once.
    #[arg(long, value_name = "DATE")]
    pub ex_date: Option<String>,
    /// When it is paid; default: on the ex-date.
    #[arg(long, value_name = "DATE")]
    pub pay_date: Option<String>,
}

/// `tradewind positions lot-method`.
#[derive(Debug, Args)]
pub struct LotMethodArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Account.
    pub account: String,
    /// FIFO, LIFO, HIFO or AVCO.
    pub method: String,
    /// Fees of purchases are part of the cost, fees of sales are taken from the proceeds.
    #[arg(long)]
    pub fee_in_basis: bool,
}
