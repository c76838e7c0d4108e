//! Why there is no report.

use tradewind_domain::ids::Seq;
use tradewind_views::ViewError;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The journal cannot be read.
    #[error(transparent)]
    View(#[from] ViewError),
    /// No account has this code.
    #[error("the journal knows no account {account}")]
    Account {
        /// What was asked for.
        account: String,
    },
    /// No node has this code.
    #[error("the journal knows no node {node}")]
    Node {
        /// What was asked for.
        node: String,
    },
    /// The file of tax rules names something that is not there.
    #[error("the tax rules name the {what} {name}, which the journal does not know")]
    TaxRules {
        /// Instrument or account.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A loss in one currency cannot be part of a cost in another.
    #[error("the tax rules call instruments of more than one currency identical: group {group}")]
    IdentityCurrencies {
        /// Name of the group.
        group: String,
    },
    /// A contract counts for no share.
    #[error("the tax rules call {symbol} identical, which is neither a share nor a coin: group {group}")]
    IdentityKind {
        /// Name of the group.
        group: String,
        /// The instrument.
        symbol: String,
    },
    /// The report is of the whole journal.
    #[error("this report is of the whole journal: it takes no dates")]
    NoPeriod,
    /// The last day is before the first.
    #[error("the period ends before it begins")]
    Period,
    /// The entries of the period do not lead from one balance to the other: a fault of the books, which `journal verify` finds.
    #[error("cash of {currency} does not add up at sequence {seq}: entries say {entries}, the books {books}")]
    Cash {
        /// The currency.
        currency: String,
        /// The last input.
        seq: Seq,
        /// The opening balance and the entries since.
        entries: String,
        /// What the books say.
        books: String,
    },
    /// A figure leaves 128 bits.
    #[error("a sum is too large")]
    Overflow,
}
