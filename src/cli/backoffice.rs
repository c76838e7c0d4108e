//! Arguments of what the back office books in a running engine: money, tax lots, prices from outside.

use super::control::{EngineArgs, ReasonArgs};
use clap::{Args, Subcommand};

/// `tradewind cash`.
#[derive(Debug, Subcommand)]
pub enum CashCommand {
    /// Book money that came in.
    Deposit(PaymentArgs),
    /// Book money that goes out.
    Withdraw(PaymentArgs),
    /// Convert money of an account at a rate.
    Convert(ConvertArgs),
}

/// `tradewind cash deposit` and `withdraw`.
#[derive(Debug, Args)]
pub struct PaymentArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Account.
    pub account: String,
    /// Amount, above zero.
    pub amount: String,
    /// Currency.
    pub currency: String,
    /// Reference of the payment: it is booked once for its account and reference.
    #[arg(long, value_name = "ID")]
    pub reference: String,
    /// Date from which the money is settled; default: at once.
    #[arg(long, value_name = "DATE")]
    pub value_date: Option<String>,
}

/// `tradewind cash convert`.
#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Account.
    pub account: String,
    /// Amount that is sold.
    pub amount: String,
    /// Currency that is sold.
    pub sell: String,
    /// Currency that is bought.
    pub buy: String,
    /// Units bought for one that is sold.
    #[arg(long, value_name = "X")]
    pub rate: String,
    /// Reference: it is booked once for its account and reference.
    #[arg(long, value_name = "ID")]
    pub reference: String,
}

/// `tradewind market`.
#[derive(Debug, Subcommand)]
pub enum MarketCommand {
    /// Set a mark or settlement price.
    Mark(MarkArgs),
    /// Set a currency's rate against the base currency.
    Rate(RateArgs),
    /// Say what a node is worth, in place of our own books from then on.
    Valuation(ValuationArgs),
    /// Halt an instrument.
    Halt(HaltArgs),
    /// Let a halted instrument trade as its calendar says.
    Resume(HaltArgs),
}

/// `tradewind market mark`.
#[derive(Debug, Args)]
pub struct MarkArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Instrument.
    pub symbol: String,
    /// Price.
    #[arg(allow_hyphen_values = true)]
    pub px: String,
    /// It is a settlement price.
    #[arg(long)]
    pub settlement: bool,
}

/// `tradewind market rate`.
#[derive(Debug, Args)]
pub struct RateArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Currency.
    pub currency: String,
    /// Units of the base currency for one of it.
    pub rate: String,
}

/// `tradewind market valuation`.
#[derive(Debug, Args)]
pub struct ValuationArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Node or account.
    pub node: String,
    /// Equity in base currency.
    #[arg(allow_hyphen_values = true)]
    pub equity: String,
    /// Balance in base currency; left out: as it is.
    #[arg(long, allow_hyphen_values = true)]
    pub balance: Option<String>,
}

/// `tradewind market halt` and `resume`.
#[derive(Debug, Args)]
pub struct HaltArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Instrument.
    pub symbol: String,
}

/// `tradewind positions select-lots`.
#[derive(Debug, Args)]
pub struct SelectLotsArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// The trade that closes, by its venue's identifier.
    pub exec_id: String,
    /// A lot, by the execution that opened it, with its trade date where that is not the present one; closed in this order. None: all
    /// goes by the account's method.
    #[arg(long = "lot", value_name = "EXEC_ID[@DATE]=QTY")]
    pub lots: Vec<String>,
    /// Venue of the trades; default: 0.
    #[arg(long)]
    pub venue: Option<u16>,
    /// Trade date of the trade that closes; default: the present one.
    #[arg(long, value_name = "DATE")]
    pub trade_date: Option<String>,
}

/// A listing of a running engine.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
}
