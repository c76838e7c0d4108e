//! The templates: which lines each kind of movement has. A template is added as an entry of the table at the end, with the next number.

use super::Postings;
use super::chart::{Class, Phase};
use Class::*;
use Phase::*;

/// One line of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LegSpec {
    /// Debited class.
    pub debit: Class,
    /// Credited class.
    pub credit: Class,
    /// What it changes.
    pub phase: Phase,
}

const fn line(debit: Class, credit: Class, phase: Phase) -> LegSpec {
    LegSpec { debit, credit, phase }
}

/// Something that is done with the lines of a template, which are constants to the compiler in each call.
pub(crate) trait Poster {
    /// Takes the lines of the posting's template.
    fn post_lines<const N: usize>(&mut self, postings: &Postings, lines: &[LegSpec; N]);
}

macro_rules! templates {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal, [$(($debit:ident, $credit:ident, $phase:ident)),* $(,)?];)*) => {
        /// What kind of movement a posting is. Numbers and lines stand in stored rows: added to, never changed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Template { $($(#[$doc])* $name = $number,)* }

        impl Template {
            /// Every template, by number.
            pub const ALL: &[Template] = &[$(Template::$name,)*];

            /// The template of a stored number.
            pub const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }

            /// Name in listings.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Its lines, in the order of [`Postings::amounts`].
            #[inline]
            pub const fn lines(self) -> &'static [LegSpec] {
                match self { $(Self::$name => const { &[$(line($debit, $credit, $phase)),*] },)* }
            }

            /// Gives the lines to a poster.
            #[inline(always)]
            pub(crate) fn give(self, postings: &Postings, poster: &mut impl Poster) {
                match self {
                    $(Self::$name => poster.post_lines(postings, &const { [$(line($debit, $credit, $phase)),*] }),)*
                }
            }
        }

        $(const _: () = assert!(Template::$name.lines().len() <= super::LEGS_MAX);)*
    };
}

templates! {
    /// Cash held for an order.
    Reserve = 1, "reserve", [(Cash, Street, Pending)];
    /// Held cash given back.
    Release = 2, "release", [(Cash, Street, Release)];
    /// A purchase that settles at once. Amounts: reservation given back, principal, fee, quantity.
    Buy = 3, "buy", [(Cash, Street, Release), (Cash, Street, Posted), (Cash, Fees, Posted), (SecStreet, Sec, Posted)];
    /// A sale that settles at once. Amounts as those of a purchase.
    Sell = 4, "sell", [(Cash, Street, Release), (Street, Cash, Posted), (Cash, Fees, Posted), (Sec, SecStreet, Posted)];
    /// Money that came in.
    Deposit = 5, "deposit", [(Bank, Cash, Posted)];
    /// Money that went out.
    Withdrawal = 6, "withdrawal", [(Cash, Bank, Posted)];
    /// A settled purchase taken back. Amounts: principal, fee, quantity.
    BustBuy = 7, "bust_buy", [(Street, Cash, Posted), (Fees, Cash, Posted), (Sec, SecStreet, Posted)];
    /// A settled sale taken back. Amounts as those of a purchase taken back.
    BustSell = 8, "bust_sell", [(Cash, Street, Posted), (Fees, Cash, Posted), (SecStreet, Sec, Posted)];
    /// The difference between two versions of a settled purchase. Amounts: the new version's principal, fee and quantity, less those
    /// of the old one.
    CorrectBuy = 9, "correct_buy", [(Cash, Street, Posted), (Cash, Fees, Posted), (SecStreet, Sec, Posted)];
    /// The difference between two versions of a settled sale. Amounts as those of a corrected purchase.
    CorrectSell = 10, "correct_sell", [(Street, Cash, Posted), (Cash, Fees, Posted), (Sec, SecStreet, Posted)];
    /// A purchase that settles later. Amounts: reservation given back, principal with fee, fee, quantity. The fee is earned on the
    /// trade date; the street owes it until the client has paid.
    BuyDated = 11, "buy_dated", [(Cash, Street, Release), (Cash, Street, Unsettled), (Street, Fees, Posted), (SecStreet, Sec, Unsettled)];
    /// A sale that settles later. Amounts: reservation given back, principal less fee, fee, quantity.
    SellDated = 12, "sell_dated", [(Cash, Street, Release), (Street, Cash, Unsettled), (Street, Fees, Posted), (Sec, SecStreet, Unsettled)];
    /// Trades of a holding settled, delivery against payment. Amounts: cash out, cash in, quantity in, quantity out.
    Settlement = 13, "settlement", [(Cash, Street, Settled), (Street, Cash, Settled), (SecStreet, Sec, Settled), (Sec, SecStreet, Settled)];
    /// An unsettled purchase taken back. Amounts: principal with fee, fee, quantity.
    VoidBuy = 14, "void_buy", [(Cash, Street, Voided), (Fees, Street, Posted), (SecStreet, Sec, Voided)];
    /// An unsettled sale taken back. Amounts: principal less fee, fee, quantity.
    VoidSell = 15, "void_sell", [(Street, Cash, Voided), (Fees, Street, Posted), (Sec, SecStreet, Voided)];
    /// Another version of an unsettled purchase. Amounts: principal with fee of the old one and of the new one, difference of fees,
    /// quantity of the old one and of the new one.
    RebookBuy = 16, "rebook_buy", [(Cash, Street, Voided), (Cash, Street, Unsettled), (Street, Fees, Posted), (SecStreet, Sec, Voided), (SecStreet, Sec, Unsettled)];
    /// Another version of an unsettled sale. Amounts: principal less fee of the old one and of the new one, then as those of a
    /// purchase.
    RebookSell = 17, "rebook_sell", [(Street, Cash, Voided), (Street, Cash, Unsettled), (Street, Fees, Posted), (Sec, SecStreet, Voided), (Sec, SecStreet, Unsettled)];
    /// A conversion through the firm's position. Amounts: sold, bought.
    Conversion = 18, "conversion", [(Cash, FxPool, Posted), (FxPoolBought, CashBought, Posted)];
    /// A transfer of the firm.
    Transfer = 19, "transfer", [(Debited, Credited, Posted)];
    /// A transfer of the firm that is pending.
    TransferHeld = 20, "transfer_held", [(Debited, Credited, Pending)];
    /// A pending transfer of the firm that is posted. Amounts: what was held, what is booked.
    TransferPosted = 21, "transfer_posted", [(Debited, Credited, Release), (Debited, Credited, Posted)];
    /// A pending transfer of the firm that is voided.
    TransferVoided = 22, "transfer_voided", [(Debited, Credited, Release)];
    /// A settled purchase that failed: its settlement is reversed, and it is unsettled. Amounts: principal with fee, twice; quantity, twice.
    FailBuy = 23, "fail_buy", [(Street, Cash, Posted), (Cash, Street, Unsettled), (Sec, SecStreet, Posted), (SecStreet, Sec, Unsettled)];
    /// A settled sale that failed. Amounts: principal less fee, twice; quantity, twice.
    FailSell = 24, "fail_sell", [(Cash, Street, Posted), (Street, Cash, Unsettled), (SecStreet, Sec, Posted), (Sec, SecStreet, Unsettled)];
    /// A holder's part of a split. Amounts: cash for the fraction, change of quantity.
    HolderSplit = 30, "holder_split", [(Street, Cash, Posted), (SecStreet, Sec, Posted)];
    /// A holder's part of a dividend. Amounts: gross, tax withheld.
    Dividend = 31, "dividend", [(Div, Cash, Posted), (Cash, Tax, Posted)];
    /// A holder's part of a funding.
    Funding = 32, "funding", [(Street, Cash, Posted)];
    /// A holder's variation margin.
    Margin = 33, "margin", [(Street, Cash, Posted)];
    /// A holder's contract ended at a value. Amounts: value or margin, change of quantity.
    ContractSettled = 34, "contract_settled", [(Street, Cash, Posted), (SecStreet, Sec, Posted)];
    /// What a bust or correction changes of corporate actions behind its trade. Amounts: cash, change of quantity, income gross, tax
    /// withheld.
    Restated = 35, "restated", [(Street, Cash, Posted), (SecStreet, Sec, Posted), (Div, Cash, Posted), (Cash, Tax, Posted)];
    /// Stock borrowed for a settled short position.
    Borrowed = 36, "borrowed", [(SecStreet, Borrow, Posted)];
    /// A holder's part of a dividend that is paid later. Amounts: gross, tax withheld, what is pending. The street owes it until it has paid;
    /// then it settles as trades do.
    DividendDue = 37, "dividend_due", [(Div, Street, Posted), (Street, Tax, Posted), (Street, Cash, Unsettled)];
    /// Unsettled trades in more, smaller units: what is pending grows, and what the split has booked with it is taken back. Amounts: what
    /// more comes in, twice; what more goes out, twice.
    PendingSplit = 38, "pending_split", [(SecStreet, Sec, Unsettled), (Sec, SecStreet, Posted), (Sec, SecStreet, Unsettled), (SecStreet, Sec, Posted)];
    /// Unsettled trades in fewer, larger units, likewise. Amounts: what less comes in, twice; what less goes out, twice.
    PendingMerged = 39, "pending_merged", [(SecStreet, Sec, Voided), (SecStreet, Sec, Posted), (Sec, SecStreet, Voided), (Sec, SecStreet, Posted)];
}
