//! The topic `wash_sale`: one loss, and what was bought around it.

use super::{Answer, Decimal, answers, money, read};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tradewind_analytics::{Acquisition, LossSale, Match, wash_sales};
use tradewind_domain::fixed::{NetQty, Notional};
use tradewind_domain::time::{Date, DayNumber, parse_date};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    loss_sale: Sale,
    acquisitions: Vec<(String, String, Decimal)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sale {
    date: String,
    qty: Decimal,
    loss_per_share: Decimal,
    lot_date: String,
    lot_id: String,
}

pub(super) fn wash_sale(input: Value, _: &Map<String, Value>) -> Answer {
    let input: Input = read(input)?;
    let sold = qty(input.loss_sale.qty)?;
    let per_share = money(input.loss_sale.loss_per_share)?;
    let loss = per_share
        .raw()
        .checked_mul(sold.raw())
        .ok_or("the loss is too large")?;
    let sale = LossSale {
        lot: input.loss_sale.lot_id,
        sold_with: Vec::new(),
        day: day(&input.loss_sale.date)?,
        lot_day: day(&input.loss_sale.lot_date)?.into(),
        qty: sold,
        loss: Notional::from_raw(loss),
        unit: Notional::from_raw(1), // a loss per share: every part of it is exact
    };
    let acquisition = |(lot, date, bought): (String, String, Decimal)| {
        let (day, qty) = (day(&date)?, qty(bought)?);
        Ok(Acquisition { lot, day, qty })
    };
    let acquisitions = input.acquisitions.into_iter().map(acquisition);
    let acquisitions: Vec<_> = acquisitions.collect::<Result<_, String>>()?;
    let outcomes = wash_sales(&[sale], &acquisitions).ok_or("the loss is too large")?;
    let outcome = outcomes.first().ok_or("no outcome")?;
    answers([
        ("disallowed", json!(outcome.disallowed.to_string())),
        ("allowed", json!(outcome.allowed.to_string())),
        ("matches", outcome.matches.iter().map(told).collect()),
    ])
}

fn told(found: &Match) -> Value {
    let start = DayNumber::try_from(found.holding_start).map(|day| Date(day).to_string());
    json!({
        "replacement": found.replacement,
        "qty": found.qty.to_string(),
        "basis_add": found.basis_add.to_string(),
        "holding_start": start.ok(),
    })
}

fn day(date: &str) -> Result<DayNumber, String> {
    parse_date(date).ok_or_else(|| format!("{date} is no date"))
}

fn qty(decimal: Decimal) -> Result<NetQty, String> {
    let raw = decimal.raw(8).map(NetQty::from_raw);
    raw.ok_or_else(|| format!("{decimal} is no quantity"))
}
