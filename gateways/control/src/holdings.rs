//! Corporate actions and lot methods, as their events.
//!
//! Not here: whether an action makes sense for its instrument (validate says so, and the outcome tells it).

use crate::command;
use crate::message::{Author, Made, choice, optional_figure, text};
use crate::protocol::Failure;
use bytemuck::Zeroable;
use tradewind_domain::codes::{CorporateActionKind, LotMethod};
use tradewind_domain::event::{CorporateAction, InboundLong, Kind, LotMethodSet};
use tradewind_domain::fixed::{Money, ONE};
use tradewind_domain::text::{Code, Symbol};
use tradewind_domain::time::{DayNumber, parse_date};

fn names<T: Copy>(all: &[T], text: fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|value| text(*value)).collect()
}

fn date(what: &str, value: Option<&str>) -> Result<DayNumber, Failure> {
    let Some(value) = value else { return Ok(0) };
    parse_date(value)
        .ok_or_else(|| Failure::argument(format!("{what} {value:?}: must be a date like 2026-03-02")))
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
