//! Fee schedules: which are in force, and their setting. The narrowest one counts for an execution (docs/ledger.md).

use super::changes::{author_code, changed, outcome_schema};
use super::v1;
use super::values::{figure, optional, text, word};
use crate::call::{Call, Reply};
use crate::endpoint::{Endpoint, Need, Verb, handle, params};
use crate::gateway::Gateway;
use crate::problem::Problem;
use crate::schema::{Schema, object, rows, wire};
use bytemuck::Zeroable;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use tradewind_domain::event::{FeeScheduleSet, InboundLong, Kind};
use tradewind_domain::fees::{FeeModel, fee_flags, fee_params};
use tradewind_domain::ids::{AccountId, InstrumentId, VenueId};
use tradewind_identity::Permission;

const GROUP: &str = "reference";

wire! {
    /// A fee schedule of an account, an instrument and a venue, where each is named. It takes the place of the one with the same scope.
    SetFees {
        /// Name, for people.
        name: String,
        /// Only this account.
        account: Option<String>,
        /// Only this instrument.
        symbol: Option<String>,
        /// Only this venue.
        venue: Option<u16>,
        /// BPS, PER_UNIT, FLAT, SELL_ONLY_BPS or BINARY_QUADRATIC.
        model: String,
        /// Basis points, money a unit or an order, or a factor, by model; below zero for a rebate.
        rate: String,
        /// Of PER_UNIT: least fee of an order.
        min: Option<String>,
        /// Of PER_UNIT: greatest fee of an order.
        max: Option<String>,
        /// Of PER_UNIT: greatest fee of an order in percent of its value.
        max_pct: Option<String>,
        /// Rate of fills that made liquidity; left out: the same.
        maker_rate: Option<String>,
        /// Why.
        reason: String,
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    account: Option<String>,
    symbol: Option<String>,
    venue: Option<u16>,
    reason: String,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let admin = Need::Firm(Permission::Admin);
    let new = |verb, need, handle, doc| Endpoint::new(verb, v1!("/fee-schedules"), GROUP, need, handle, doc);
    vec![
        new(
            Verb::Get,
            Need::Right(Permission::Read),
            handle!(list),
            "Fee schedules in force: those of all accounts, and those of accounts that one sees.",
        )
        .gives(200, || rows(schedule_schema(), &[])),
        new(Verb::Put, admin, handle!(set), "Sets a fee schedule.")
            .takes::<SetFees>()
            .gives(200, outcome_schema),
        new(
            Verb::Delete,
            admin,
            handle!(remove),
            "Takes away the fee schedule with exactly this scope.",
        )
        .params(params![
            "account" text "Its account.",
            "symbol" text "Its instrument.",
            "venue" count "Its venue.",
            "reason" text "Why.",
        ])
        .gives(200, outcome_schema),
    ]
}

fn schedule_schema() -> Schema {
    object(
        "A fee schedule.",
        &[
            ("name", "text", "Name, for people."),
            ("account", "text?", "Only this account."),
            ("symbol", "text?", "Only this instrument."),
            ("venue", "any?", "Only this venue."),
            ("model", "text", "How it charges."),
            ("rate", "decimal", "Basis points, money or a factor, by model."),
            ("min", "decimal", "Least fee of an order; 0 for none."),
            ("max", "decimal", "Greatest fee of an order; 0 for none."),
            (
                "max_pct",
                "decimal",
                "Greatest fee in percent of the order's value; 0 for none.",
            ),
            (
                "maker_rate",
                "decimal?",
                "Rate of fills that made liquidity, where it is another one.",
            ),
        ],
    )
}

async fn list(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let mut schedules = gateway
        .read(|live| live.read_now(|held| held.fee_schedules()))
        .await?;
    let rights = &call.asker()?.rights;
    let book = gateway.access().book();
    schedules.retain(|schedule| {
        schedule.account.is_empty() || book.allows(rights, Permission::Read, schedule.node)
    });
    drop(book);
    Reply::json(&json!({ "data": schedules }))
}

fn venue_of(pointer: &str, venue: Option<u16>) -> Result<VenueId, Problem> {
    let Some(venue) = venue else {
        return Ok(VenueId::NONE);
    };
    let id = Some(VenueId(venue)).filter(|id| !id.is_none());
    id.ok_or_else(|| Problem::value(pointer, "is at most 65534"))
}

async fn set(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: SetFees = call.json()?;
    let mut params = [0; 6];
    params[fee_params::RATE] = figure("/rate", Some(&body.rate))?;
    params[fee_params::MIN] = figure("/min", body.min.as_deref())?;
    params[fee_params::MAX] = figure("/max", body.max.as_deref())?;
    params[fee_params::MAX_PCT] = figure("/max_pct", body.max_pct.as_deref())?;
    params[fee_params::MAKER_RATE] = figure("/maker_rate", body.maker_rate.as_deref())?;
    let models = "BPS, PER_UNIT, FLAT, SELL_ONLY_BPS, BINARY_QUADRATIC";
    let model = word("/model", &body.model, FeeModel::from_text, models)?;
    let set = FeeScheduleSet {
        params,
        code: text("/name", &body.name)?,
        author: author_code(call.asker()?),
        model: model as u8,
        flags: match body.maker_rate {
            Some(_) => fee_flags::HAS_MAKER_RATE,
            None => 0,
        },
        venue: venue_of("/venue", body.venue)?,
        account: AccountId::NONE,
        instrument: InstrumentId::NONE,
        ..FeeScheduleSet::zeroed()
    };
    let message = InboundLong::new(Kind::FeeScheduleSet, &set).named(
        optional("/symbol", body.symbol.as_deref())?,
        optional("/account", body.account.as_deref())?,
    );
    changed(&gateway, &call, message, &body.reason).await
}

async fn remove(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let which: Which = call.query()?;
    let venue = venue_of("?venue", which.venue)?;
    let is_it = |schedule: &tradewind_views::query::current::FeeSchedule| {
        schedule.account.as_str() == which.account.as_deref().unwrap_or("")
            && schedule.symbol.as_str() == which.symbol.as_deref().unwrap_or("")
            && schedule.venue == (!venue.is_none()).then_some(venue.0)
    };
    let schedules = gateway
        .read(|live| live.read_now(|held| held.fee_schedules()))
        .await?;
    let known = schedules
        .iter()
        .find(|schedule| is_it(schedule))
        .ok_or_else(|| Problem::not_found("fee schedule", "with this scope"))?;
    let set = FeeScheduleSet {
        code: known.name,
        author: author_code(call.asker()?),
        venue,
        account: AccountId::NONE,
        instrument: InstrumentId::NONE,
        ..FeeScheduleSet::zeroed()
    };
    let message = InboundLong::new(Kind::FeeScheduleSet, &set).named(known.symbol, known.account);
    changed(&gateway, &call, message, &which.reason).await
}
