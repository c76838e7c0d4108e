//! Postings: the double-entry legs that an accepted event's facts expand to.
//!
//! A posting is a template, its amounts and the parties. Settle, the auditor and the SQL store expand it alike, so the journal
//! carries no legs: the facts of the event are enough.
//!
//! # Invariants
//! - Every leg debits one account and credits another of the same ledger, so each event sums to zero per ledger.
//! - A leg's amount is above zero. A zero amount leaves no leg; a negative one (negative prices, rebates) exchanges the sides.
//! - Numbers of templates never change their meaning.
//! - A trade that settles later is pending on both sides until its settlement, and its cash is one net amount: principal and fee.
//!
//! Futures and inverse contracts move no principal: their executions post securities and fee, and variation margin posts profit.
//!
//! Not here: which trade settles when; the event says.

mod chart;
mod corporate;
mod templates;

pub use chart::{Account, Class, Ledger, Phase};
pub use corporate::adjustment;
pub(crate) use templates::Poster;
pub use templates::{LegSpec, Template};

use tradewind_domain::codes::{FirmAccount, Side, TransferPhase};
use tradewind_domain::event::{
    CashMove, DatedSettlement, DerivedOrder, Event, Execution, FxConversion, Kind, LedgerTransfer,
    OrderCancel, OrderNew, OrderReplace, OrderView, SettlementFail, TradeBust, VenueReport,
};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{AccountId, CurrencyId, HoldingId, InstrumentId, WalletId};

/// The most legs that a template has.
pub const LEGS_MAX: usize = 6;

/// One movement between two accounts of one ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    /// Debited account.
    pub debit: Account,
    /// Credited account.
    pub credit: Account,
    /// Their ledger.
    pub ledger: Ledger,
    /// Above zero, in units of 1e-8.
    pub amount: u128,
    /// What it changes.
    pub phase: Phase,
}

/// Whose accounts a posting touches. Ids that the template does not need are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parties {
    /// The client's account.
    pub account: AccountId,
    /// Account and currency.
    pub wallet: WalletId,
    /// Currency.
    pub currency: CurrencyId,
    /// Account and instrument.
    pub holding: HoldingId,
    /// Instrument.
    pub instrument: InstrumentId,
    /// Account and currency that a conversion buys.
    pub wallet_bought: WalletId,
    /// Currency that a conversion buys.
    pub currency_bought: CurrencyId,
    /// Account of the firm that a transfer debits.
    pub debited: FirmAccount,
    /// Account of the firm that a transfer credits.
    pub credited: FirmAccount,
}

/// What one event posts: a template, an amount for each of its lines, and the parties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Postings {
    /// `None` for events that post nothing.
    pub template: Option<Template>,
    /// Signed amounts, line by line; the rest is zero.
    pub amounts: [i128; LEGS_MAX],
    /// Parties.
    pub parties: Parties,
}

impl Postings {
    /// No movement.
    pub const NONE: Self = Self {
        template: None,
        amounts: [0; LEGS_MAX],
        parties: Parties {
            account: AccountId::NONE,
            wallet: WalletId::NONE,
            currency: CurrencyId::NONE,
            holding: HoldingId::NONE,
            instrument: InstrumentId::NONE,
            wallet_bought: WalletId::NONE,
            currency_bought: CurrencyId::NONE,
            debited: FirmAccount::Street,
            credited: FirmAccount::Street,
        },
    };

    /// The legs, in the order of the template's lines.
    #[inline]
    pub fn legs(&self) -> impl Iterator<Item = Leg> + '_ {
        let lines: &'static [LegSpec] = match self.template {
            Some(template) => template.lines(),
            None => &[],
        };
        lines
            .iter()
            .zip(self.amounts)
            .filter_map(|(line, amount)| self.leg(line, amount))
    }

    /// The leg of one line with its amount.
    #[inline(always)] // an account that travels through memory costs its reader a failed store forward
    pub(crate) fn leg(&self, line: &LegSpec, amount: i128) -> Option<Leg> {
        if amount == 0 {
            return None;
        }
        let (mut debit, mut credit, mut phase) = (line.debit, line.credit, line.phase);
        if amount < 0 {
            match phase {
                Phase::Pending => phase = Phase::Release,
                Phase::Release => phase = Phase::Pending,
                Phase::Posted | Phase::Unsettled | Phase::Settled | Phase::Voided => {
                    (debit, credit) = (credit, debit);
                }
            }
        }
        let ledger = self.parties.ledger_of(line.debit);
        let (debit, credit) = (self.parties.account_of(debit), self.parties.account_of(credit));
        Some(Leg {
            debit,
            credit,
            ledger,
            amount: amount.unsigned_abs(),
            phase,
        })
    }
}

/// The instrument that an execution is in: callers look up whether its principal moves as cash.
#[inline]
pub fn execution_instrument(event: &Event) -> Option<InstrumentId> {
    match event.kind()? {
        Kind::VenueFill | Kind::TradeCapture | Kind::TradeCorrect => {
            Some(event.body::<Execution>().instrument)
        }
        Kind::TradeBust => Some(event.body::<TradeBust>().instrument),
        _ => None,
    }
}

/// What the event posts. Refused events post nothing. `moves_principal` is
/// [`Instrument::moves_principal`](tradewind_domain::reference::Instrument::moves_principal) of
/// [`execution_instrument`]; other events do not ask.
#[inline]
pub fn postings(event: &Event, moves_principal: bool) -> Postings {
    if event.is_rejected() {
        return Postings::NONE;
    }
    let Some(kind) = event.kind() else {
        return Postings::NONE;
    };
    match kind {
        Kind::OrderNew => {
            let body: &OrderNew = event.body();
            reservation(&body.view, body.account, body.currency, body.instrument)
        }
        Kind::OrderCancel => {
            let body: &OrderCancel = event.body();
            reservation(&body.view, body.account, body.currency, body.instrument)
        }
        Kind::OrderReplace => {
            let body: &OrderReplace = event.body();
            reservation(&body.view, body.account, body.currency, body.instrument)
        }
        Kind::VenueAck
        | Kind::VenueReject
        | Kind::VenueCancelled
        | Kind::VenueReplaced
        | Kind::VenueCancelReject
        | Kind::VenueExpired
        | Kind::VenueStatus
        | Kind::OrderUnknown => {
            let body: &VenueReport = event.body();
            reservation(&body.view, body.account, body.currency, body.instrument)
        }
        Kind::OrderExpired | Kind::CancelRequested => {
            let body: &DerivedOrder = event.body();
            reservation(&body.view, body.account, body.currency, body.instrument)
        }
        Kind::VenueFill | Kind::TradeCapture => execution(event.body(), moves_principal),
        Kind::TradeBust | Kind::TradeCorrect => taking_back(event, moves_principal),
        Kind::DatedCashSettled => settlement(event.body()),
        Kind::FxConversion => conversion(event.body()),
        Kind::LedgerTransfer => transfer(event),
        Kind::SettlementFail => fail(event.body()),
        Kind::StockBorrowed => corporate::borrowing(event.body()),
        Kind::DatedSplit => corporate::dated_split(event.body()),
        Kind::Deposit => cash_move(Template::Deposit, event.body()),
        Kind::Withdrawal => cash_move(Template::Withdrawal, event.body()),
        kind if kind.is_of_holder() => corporate::postings(event, kind),
        _ => Postings::NONE,
    }
}

/// What is held for an order changes by `view.cash`.
#[inline]
fn reservation(
    view: &OrderView,
    account: AccountId,
    currency: CurrencyId,
    instrument: InstrumentId,
) -> Postings {
    let (template, amount) = match view.cash.raw() {
        0 => return Postings::NONE,
        held if held > 0 => (Template::Reserve, held),
        // The one value without a counterpart is far beyond what one event may move.
        held => (Template::Release, held.saturating_neg()),
    };
    let parties = Parties {
        account,
        wallet: view.wallet,
        currency,
        holding: view.holding,
        instrument,
        ..Postings::NONE.parties
    };
    Postings {
        template: Some(template),
        amounts: [amount, 0, 0, 0, 0, 0],
        parties,
    }
}

/// What one version of a trade says of money and quantity.
#[derive(Clone, Copy)]
struct Version {
    is_buy: bool,
    principal: i128,
    fee: i128,
    qty: i128,
}

impl Version {
    fn of(side: u8, principal: Money, fee: Money, qty: i64, moves_principal: bool) -> Option<Self> {
        Some(Self {
            is_buy: Side::from_code(side)?.is_buy(),
            principal: if moves_principal { principal.raw() } else { 0 },
            fee: fee.raw(),
            qty: qty.into(),
        })
    }

    /// Cash that changes hands when it settles: what a purchase costs, what a sale brings.
    const fn net(&self) -> i128 {
        if self.is_buy {
            self.principal.wrapping_add(self.fee)
        } else {
            self.principal.wrapping_sub(self.fee)
        }
    }

    const fn choose(&self, buy: Template, sell: Template) -> Option<Template> {
        Some(if self.is_buy { buy } else { sell })
    }
}

#[inline]
fn execution(body: &Execution, moves_principal: bool) -> Postings {
    let version = Version::of(body.side, body.principal, body.fee, body.qty, moves_principal);
    let Some(trade) = version else {
        return Postings::NONE;
    };
    let released = body.cash_released.raw();
    let (template, cash) = if body.settle_calendar == 0 {
        (trade.choose(Template::Buy, Template::Sell), trade.principal)
    } else {
        (trade.choose(Template::BuyDated, Template::SellDated), trade.net())
    };
    Postings {
        template,
        amounts: [released, cash, trade.fee, trade.qty, 0, 0],
        parties: Parties {
            account: body.account,
            wallet: body.wallet,
            currency: body.currency,
            holding: body.holding,
            instrument: body.instrument,
            ..Postings::NONE.parties
        },
    }
}

/// A bust posts the trade's amounts the other way round, a correction the difference between the versions. An unsettled trade is voided,
/// and a new version of it is unsettled as well.
fn taking_back(event: &Event, moves_principal: bool) -> Postings {
    let Some(taken) = event.taken_back() else {
        return Postings::NONE;
    };
    let version = |principal, fee, qty| Version::of(taken.side, principal, fee, qty, moves_principal);
    // What is pending is in present units.
    let old_qty = taken.qty.wrapping_add(taken.pending_change);
    let Some(old) = version(taken.principal, taken.fee, old_qty) else {
        return Postings::NONE;
    };
    let new = match event.kind() {
        Some(Kind::TradeCorrect) => {
            let body: &Execution = event.body();
            let qty = body.qty.wrapping_add(event.adjustment().pending_change);
            version(body.principal, body.fee, qty)
        }
        _ => None,
    };
    let is_pending = taken.settle_calendar != 0;
    let (template, amounts) = match (is_pending, new) {
        (false, None) => (
            old.choose(Template::BustBuy, Template::BustSell),
            [old.principal, old.fee, old.qty, 0, 0, 0],
        ),
        (false, Some(new)) => (
            old.choose(Template::CorrectBuy, Template::CorrectSell),
            [
                new.principal.wrapping_sub(old.principal),
                new.fee.wrapping_sub(old.fee),
                new.qty - old.qty,
                0,
                0,
                0,
            ],
        ),
        (true, None) => (
            old.choose(Template::VoidBuy, Template::VoidSell),
            [old.net(), old.fee, old.qty, 0, 0, 0],
        ),
        (true, Some(new)) => (
            old.choose(Template::RebookBuy, Template::RebookSell),
            [
                old.net(),
                new.net(),
                new.fee.wrapping_sub(old.fee),
                old.qty,
                new.qty,
                0,
            ],
        ),
    };
    Postings {
        template,
        amounts,
        parties: Parties {
            account: taken.account,
            wallet: taken.wallet,
            currency: taken.currency,
            holding: taken.holding,
            instrument: taken.instrument,
            ..Postings::NONE.parties
        },
    }
}

/// The trades of a bucket settle in one posting.
fn settlement(body: &DatedSettlement) -> Postings {
    let amounts = [
        body.cash_out.raw(),
        body.cash_in.raw(),
        body.qty_in.raw(),
        body.qty_out.raw(),
        0,
        0,
    ];
    Postings {
        template: Some(Template::Settlement),
        amounts,
        parties: Parties {
            account: body.account,
            wallet: body.wallet,
            currency: body.currency,
            holding: body.holding,
            instrument: body.instrument,
            ..Postings::NONE.parties
        },
    }
}

/// Both legs of a conversion, each in its own ledger.
fn conversion(body: &FxConversion) -> Postings {
    let amounts = [body.amount.raw(), body.bought.raw(), 0, 0, 0, 0];
    Postings {
        template: Some(Template::Conversion),
        amounts,
        parties: Parties {
            account: body.account,
            wallet: body.wallet_sold,
            currency: body.sold,
            wallet_bought: body.wallet_bought,
            currency_bought: body.currency_bought,
            ..Postings::NONE.parties
        },
    }
}

/// A trade that failed after its settlement was booked goes back to pending. One that is pending stays so.
fn fail(body: &SettlementFail) -> Postings {
    if body.was_settled == 0 {
        return Postings::NONE;
    }
    let is_buy = Side::from_code(body.side).is_some_and(Side::is_buy);
    let (cash, qty) = (body.cash.raw(), i128::from(body.qty));
    Postings {
        template: Some(if is_buy {
            Template::FailBuy
        } else {
            Template::FailSell
        }),
        amounts: [cash, cash, qty, qty, 0, 0],
        parties: Parties {
            account: body.account,
            wallet: body.wallet,
            currency: body.currency,
            holding: body.holding,
            instrument: body.instrument,
            ..Postings::NONE.parties
        },
    }
}

/// A transfer of the firm: booked, held, or what was held booked or released.
fn transfer(event: &Event) -> Postings {
    let facts = event.transfer_facts();
    let accounts = facts.and_then(|facts| facts.accounts());
    let (Some(facts), Some((debited, credited))) = (facts, accounts) else {
        return Postings::NONE;
    };
    let (amount, released) = (facts.amount.raw(), facts.released.raw());
    let (template, amounts) = match event.body::<LedgerTransfer>().phase() {
        Some(TransferPhase::Posted) => (Template::Transfer, [amount, 0]),
        Some(TransferPhase::Pending) => (Template::TransferHeld, [amount, 0]),
        Some(TransferPhase::Post) => (Template::TransferPosted, [released, amount]),
        Some(TransferPhase::Void) => (Template::TransferVoided, [released, 0]),
        None => return Postings::NONE,
    };
    Postings {
        template: Some(template),
        amounts: [amounts[0], amounts[1], 0, 0, 0, 0],
        parties: Parties {
            currency: facts.currency,
            instrument: facts.instrument,
            debited,
            credited,
            ..Postings::NONE.parties
        },
    }
}

#[inline]
fn cash_move(template: Template, body: &CashMove) -> Postings {
    let parties = Parties {
        account: body.account,
        wallet: body.wallet,
        currency: body.currency,
        ..Postings::NONE.parties
    };
    Postings {
        template: Some(template),
        amounts: [body.amount.raw(), 0, 0, 0, 0, 0],
        parties,
    }
}
