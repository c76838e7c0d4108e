//! What corporate actions post, and what a bust or correction changes of them.

use super::{Parties, Postings, Template};
use tradewind_domain::codes::Side;
use tradewind_domain::event::{CorporateAction, DatedSplit, Event, HolderAction, Kind};
use tradewind_domain::ids::{AccountId, CurrencyId, HoldingId, InstrumentId, WalletId};

/// What an accepted holder's part posts; nothing for a strategy's and for prices.
pub(super) fn postings(event: &Event, kind: Kind) -> Postings {
    if matches!(kind, Kind::HolderSplit | Kind::HolderDividend) {
        let body: &CorporateAction = event.body();
        let (template, amounts) = if kind == Kind::HolderSplit {
            (Template::HolderSplit, [body.gross.raw(), body.qty_delta.into()])
        } else {
            (Template::Dividend, [body.gross.raw(), body.withheld.raw()])
        };
        let whose = (
            body.account,
            body.wallet,
            body.currency,
            body.holding,
            body.instrument,
        );
        if body.is_due != 0 {
            let mut due = two(Template::DividendDue, amounts, whose);
            due.amounts[2] = body.gross.raw().wrapping_sub(body.withheld.raw());
            return due;
        }
        return two(template, amounts, whose);
    }
    let body: &HolderAction = event.body();
    let template = match kind {
        Kind::HolderFunding => Template::Funding,
        Kind::HolderMargin => Template::Margin,
        _ => Template::ContractSettled,
    };
    let whose = (
        body.account,
        body.wallet,
        body.currency,
        body.holding,
        body.instrument,
    );
    two(template, [body.cash.raw(), body.qty_delta.into()], whose)
}

/// Stock that is borrowed, or given back.
pub(super) fn borrowing(body: &HolderAction) -> Postings {
    let whose = (
        body.account,
        body.wallet,
        body.currency,
        body.holding,
        body.instrument,
    );
    two(Template::Borrowed, [body.qty_delta.into(), 0], whose)
}

/// Unsettled trades that a split puts into other units. Its holder's part has posted the whole change of the position as settled; the
/// pending part of it moves from there.
pub(super) fn dated_split(body: &DatedSplit) -> Postings {
    let whose = (
        body.account,
        body.wallet,
        body.currency,
        body.holding,
        body.instrument,
    );
    let more_in = body.new_in.raw().wrapping_sub(body.qty_in.raw());
    let more_out = body.new_out.raw().wrapping_sub(body.qty_out.raw());
    let (template, qty_in, qty_out) = if body.numerator > body.denominator {
        (Template::PendingSplit, more_in, more_out)
    } else {
        (
            Template::PendingMerged,
            more_in.wrapping_neg(),
            more_out.wrapping_neg(),
        )
    };
    let mut postings = two(template, [qty_in, qty_in], whose);
    (postings.amounts[2], postings.amounts[3]) = (qty_out, qty_out);
    postings
}

/// Account, wallet, currency, holding, instrument.
type Whose = (AccountId, WalletId, CurrencyId, HoldingId, InstrumentId);

fn two(template: Template, amounts: [i128; 2], whose: Whose) -> Postings {
    let (account, wallet, currency, holding, instrument) = whose;
    if holding.is_none() {
        return Postings::NONE;
    }
    let mut postings = Postings {
        template: Some(template),
        parties: Parties {
            account,
            wallet,
            currency,
            holding,
            instrument,
            ..Postings::NONE.parties
        },
        ..Postings::NONE
    };
    postings.amounts[..2].copy_from_slice(&amounts);
    postings
}

/// What an accepted bust or correction posts beside the trade's own: differences of the corporate actions behind it.
pub fn adjustment(event: &Event) -> Postings {
    let Some(taken) = event.taken_back().filter(|taken| taken.adjusts != 0) else {
        return Postings::NONE;
    };
    let change = event.adjustment();
    let whose = (
        taken.account,
        taken.wallet,
        taken.currency,
        taken.holding,
        taken.instrument,
    );
    // What is pending in other units than those of the trade has gone, or comes, with the trade's own lines.
    let sign = Side::from_code(taken.side).map_or(0, Side::sign);
    let pending = i128::from(taken.pending_change) - i128::from(change.pending_change);
    let qty = i128::from(change.qty) + sign * pending;
    let mut postings = two(Template::Restated, [change.cash.raw(), qty], whose);
    (postings.amounts[2], postings.amounts[3]) = (change.income.raw(), change.withheld.raw());
    postings
}
