//! The chart of accounts: what there is to post to, and which ledger it belongs to.

use super::Parties;
use tradewind_domain::codes::FirmAccount;
use tradewind_domain::ids::{CurrencyId, HoldingId, InstrumentId, WalletId};

/// A class of accounts. Numbers stand in stored rows: added to, never changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Class {
    /// A client's cash in one currency. What the client has is credits less debits.
    Cash = 1,
    /// Venues and clearing, per currency.
    Street = 2,
    /// Deposits and withdrawals, per currency.
    Bank = 3,
    /// Fees earned, per currency.
    Fees = 4,
    /// A client's quantity of one instrument.
    Sec = 5,
    /// Counterparty of `Sec`, per instrument.
    SecStreet = 6,
    /// Tax withheld, per currency.
    Tax = 7,
    /// Dividends and other income on their way from payer to holder, per currency.
    Div = 8,
    /// The firm's position from conversions, per currency.
    FxPool = 9,
    /// A client's borrowed stock, per holding.
    Borrow = 10,
    /// Unmatched money, per currency: zero or explained at the end of a day.
    Suspense = 11,
    /// Unmatched quantity, per instrument: zero or explained at the end of a day.
    SuspenseSec = 12,
    /// `Cash` of the other currency of a conversion.
    CashBought = 13,
    /// `FxPool` of the other currency of a conversion.
    FxPoolBought = 14,
    /// Whatever account of the firm a transfer debits.
    Debited = 15,
    /// Whatever account of the firm a transfer credits.
    Credited = 16,
}

impl Class {
    /// True for classes that count an instrument's quantity.
    pub const fn is_quantity(self) -> bool {
        matches!(
            self,
            Self::Sec | Self::SecStreet | Self::Borrow | Self::SuspenseSec
        )
    }

    /// The class of an account of the firm.
    pub const fn of_firm(account: FirmAccount) -> Self {
        match account {
            FirmAccount::Street => Self::Street,
            FirmAccount::Bank => Self::Bank,
            FirmAccount::Fees => Self::Fees,
            FirmAccount::SecStreet => Self::SecStreet,
            FirmAccount::Tax => Self::Tax,
            FirmAccount::Div => Self::Div,
            FirmAccount::FxPool => Self::FxPool,
            FirmAccount::Suspense => Self::Suspense,
            FirmAccount::SuspenseSec => Self::SuspenseSec,
        }
    }

    /// True for the classes of a conversion's other currency.
    pub const fn is_bought(self) -> bool {
        matches!(self, Self::CashBought | Self::FxPoolBought)
    }
}

/// What a leg changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Adds to the pending side: held for an order.
    Pending = 1,
    /// Takes from the pending side what was held for an order.
    Release = 2,
    /// Adds to the posted side.
    Posted = 3,
    /// Adds to the pending side: a trade that settles later.
    Unsettled = 4,
    /// Moves from the pending to the posted side: a trade settled.
    Settled = 5,
    /// Takes an unsettled trade from the pending side.
    Voided = 6,
}

impl Phase {
    /// What it adds to the pending and to the posted side, by the amount.
    #[inline(always)]
    pub const fn signs(self) -> (i128, i128) {
        match self {
            Self::Pending | Self::Unsettled => (1, 0),
            Self::Release | Self::Voided => (-1, 0),
            Self::Posted => (0, 1),
            Self::Settled => (-1, 1),
        }
    }

    /// True where it is about a trade that settles later.
    #[inline(always)]
    pub const fn is_dated(self) -> bool {
        matches!(self, Self::Unsettled | Self::Settled | Self::Voided)
    }
}

/// One account of the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// [`Class::Cash`].
    Cash(WalletId),
    /// [`Class::Street`].
    Street(CurrencyId),
    /// [`Class::Bank`].
    Bank(CurrencyId),
    /// [`Class::Fees`].
    Fees(CurrencyId),
    /// [`Class::Sec`].
    Sec(HoldingId),
    /// [`Class::SecStreet`].
    SecStreet(InstrumentId),
    /// [`Class::Tax`].
    Tax(CurrencyId),
    /// [`Class::Div`].
    Div(CurrencyId),
    /// [`Class::FxPool`].
    FxPool(CurrencyId),
    /// [`Class::Borrow`].
    Borrow(HoldingId),
    /// [`Class::Suspense`].
    Suspense(CurrencyId),
    /// [`Class::SuspenseSec`].
    SuspenseSec(InstrumentId),
}

impl Account {
    /// True for accounts that count an instrument's quantity.
    #[inline(always)]
    pub const fn is_quantity(self) -> bool {
        matches!(
            self,
            Self::Sec(_) | Self::SecStreet(_) | Self::Borrow(_) | Self::SuspenseSec(_)
        )
    }
}

/// One unit that is counted: its accounts sum to zero among themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ledger {
    /// Money in units of 1e-8.
    Currency(CurrencyId),
    /// Quantity in units of 1e-8.
    Instrument(InstrumentId),
}

impl Parties {
    /// The account of a class among these parties.
    #[inline(always)]
    pub(super) const fn account_of(&self, class: Class) -> Account {
        match class {
            Class::Cash => Account::Cash(self.wallet),
            Class::Street => Account::Street(self.currency),
            Class::Bank => Account::Bank(self.currency),
            Class::Fees => Account::Fees(self.currency),
            Class::Sec => Account::Sec(self.holding),
            Class::SecStreet => Account::SecStreet(self.instrument),
            Class::Tax => Account::Tax(self.currency),
            Class::Div => Account::Div(self.currency),
            Class::FxPool => Account::FxPool(self.currency),
            Class::Borrow => Account::Borrow(self.holding),
            Class::Suspense => Account::Suspense(self.currency),
            Class::SuspenseSec => Account::SuspenseSec(self.instrument),
            Class::CashBought => Account::Cash(self.wallet_bought),
            Class::FxPoolBought => Account::FxPool(self.currency_bought),
            Class::Debited => self.account_of_firm(self.debited),
            Class::Credited => self.account_of_firm(self.credited),
        }
    }

    const fn account_of_firm(&self, account: FirmAccount) -> Account {
        match account {
            FirmAccount::Street => Account::Street(self.currency),
            FirmAccount::Bank => Account::Bank(self.currency),
            FirmAccount::Fees => Account::Fees(self.currency),
            FirmAccount::SecStreet => Account::SecStreet(self.instrument),
            FirmAccount::Tax => Account::Tax(self.currency),
            FirmAccount::Div => Account::Div(self.currency),
            FirmAccount::FxPool => Account::FxPool(self.currency),
            FirmAccount::Suspense => Account::Suspense(self.currency),
            FirmAccount::SuspenseSec => Account::SuspenseSec(self.instrument),
        }
    }

    /// The ledger of a class among these parties.
    #[inline(always)]
    pub(super) const fn ledger_of(&self, class: Class) -> Ledger {
        let is_quantity = match class {
            Class::Debited => Class::of_firm(self.debited).is_quantity(),
            Class::Credited => Class::of_firm(self.credited).is_quantity(),
            class => class.is_quantity(),
        };
        if is_quantity {
            Ledger::Instrument(self.instrument)
        } else if class.is_bought() {
            Ledger::Currency(self.currency_bought)
        } else {
            Ledger::Currency(self.currency)
        }
    }
}
