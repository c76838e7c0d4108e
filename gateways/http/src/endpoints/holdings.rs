//! What happens to positions beside trades: corporate actions, and how the tax lots of an account are kept.

use super::changes::{once, outcome_schema};
use super::rows::AS_OF;
use super::v1;
use crate::call::{Call, Reply};
use crate::endpoint::{Endpoint, Keyed, Need, Verb, handle};
use crate::gateway::Gateway;
use crate::problem::Problem;
use crate::schema::{Schema, object, rows, wire};
use serde_json::json;
use std::sync::Arc;
use tradewind_control::{Announce, Command, LotMethod};
use tradewind_domain::codes::Level;
use tradewind_domain::text::Code;
use tradewind_identity::Permission;
use tradewind_views::query::current::Current;

const GROUP: &str = "holdings";

wire! {
    /// A corporate action of an instrument: it changes every position in it.
    CorporateAction {
        /// The instrument.
        symbol: String,
        /// SPLIT, CASH_DIVIDEND, FUNDING, VARIATION_MARGIN or SETTLEMENT.
        action: String,
        /// Of a split: new units for old ones, like 2:1.
        ratio: Option<String>,
        /// Dividend per unit, price of a split's fractions, rate of a funding, settlement price or value.
        amount: Option<String>,
        /// Price that a funding is reckoned at; left out: the mark.
        px: Option<String>,
        /// Tax withheld from a dividend, in percent.
        withhold_pct: Option<String>,
        /// When it takes effect, YYYY-MM-DD; left out: at once.
        ex_date: Option<String>,
        /// When it is paid, YYYY-MM-DD; left out: on the ex-date.
        pay_date: Option<String>,
        /// Why.
        reason: String,
    }
}

wire! {
    /// How the tax lots of an account are kept from now on.
    SetLotMethod {
        /// FIFO, LIFO, HIFO or AVCO.
        method: String,
        /// True where fees of purchases are part of the cost and fees of sales are taken from the proceeds; left out: false.
        fee_in_basis: Option<bool>,
        /// Why.
        reason: String,
    }
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let new = |verb, path, need, handle, doc| Endpoint::new(verb, path, GROUP, need, handle, doc);
    vec![
        new(
            Verb::Post,
            v1!("/corporate-actions"),
            Need::Firm(Permission::Control),
            handle!(announce),
            "Announces a corporate action.",
        )
        .takes::<CorporateAction>()
        .gives(200, outcome_schema)
        .keyed(Keyed::Change),
        new(
            Verb::Get,
            v1!("/corporate-actions"),
            Need::Right(Permission::Read),
            handle!(announced),
            "Corporate actions that were announced, newest first: the last 1,024.",
        )
        .gives(200, || rows(action_schema(), AS_OF)),
        new(
            Verb::Get,
            v1!("/accounts/{code}/lot-method"),
            Need::Right(Permission::Read),
            handle!(lot_method),
            "How the tax lots of an account are kept.",
        )
        .gives(200, lot_method_schema),
        new(
            Verb::Put,
            v1!("/accounts/{code}/lot-method"),
            Need::Right(Permission::Admin),
            handle!(set_lot_method),
            "Sets how the tax lots of an account are kept from now on.",
        )
        .takes::<SetLotMethod>()
        .gives(200, outcome_schema),
    ]
}

fn action_schema() -> Schema {
    object(
        "A corporate action.",
        &[
            ("seq", "count", "Number of its record."),
            ("time", "time?", "When it was announced."),
            ("symbol", "text", "Instrument, as it is called now."),
            (
                "action",
                "text",
                "SPLIT, CASH_DIVIDEND, FUNDING, VARIATION_MARGIN or SETTLEMENT.",
            ),
            ("ratio", "text?", "Of a split: new units for old ones."),
            (
                "amount",
                "decimal",
                "Dividend per unit, price of fractions, rate, settlement price.",
            ),
            (
                "px",
                "decimal",
                "Price that a funding is reckoned at; 0 for the mark.",
            ),
            (
                "withhold_pct",
                "decimal",
                "Tax withheld from a dividend, in percent.",
            ),
            (
                "ex_date",
                "text?",
                "When it takes or took effect; none where that was at once.",
            ),
            ("pay_date", "text?", "When it is paid; none for the ex-date."),
            ("state", "text", "WAITING for its ex-date, or EFFECTIVE."),
            ("text", "text", "Who announced it, and why."),
        ],
    )
}

fn lot_method_schema() -> Schema {
    object(
        "How the tax lots of an account are kept.",
        &[
            ("account", "text", "The account."),
            ("method", "text", "FIFO, LIFO, HIFO or AVCO."),
            ("fee_in_basis", "flag", "True where fees are part of the cost."),
        ],
    )
}

async fn announce(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: CorporateAction = call.json()?;
    let announce = Announce {
        symbol: body.symbol,
        action: body.action,
        ratio: body.ratio,
        amount: body.amount,
        px: body.px,
        withhold_pct: body.withhold_pct,
        ex_date: body.ex_date,
        pay_date: body.pay_date,
    };
    once(
        &gateway,
        &call,
        &body.reason,
        Command::PositionsAnnounce(announce),
    )
    .await
}

async fn announced(gateway: Arc<Gateway>, _call: Call) -> Result<Reply, Problem> {
    let now = gateway.read(|live| live.corporate_actions()).await?;
    Reply::json(&now)
}

async fn lot_method(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let code = call.path("code").to_owned();
    let missing = || Problem::not_found("account", &code);
    gateway
        .require(call.asker()?, Permission::Read, &code)
        .map_err(|_| missing())?;
    let name = code.clone();
    let held = gateway.read(move |live| {
        live.read_now(|held| {
            let registry = held.replica().registry();
            let node = registry.node_named(&Code::new(&name).ok()?)?;
            let is_account = node.level == Level::Account as u8;
            is_account.then(|| held.replica().positions().lot_method(node.account))
        })
    });
    let (method, fee_in_basis) = held.await?.ok_or_else(missing)?;
    Reply::json(&json!({ "account": code, "method": method.text(), "fee_in_basis": fee_in_basis }))
}

async fn set_lot_method(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: SetLotMethod = call.json()?;
    let account = call.path("code").to_owned();
    gateway.require(call.asker()?, Permission::Admin, &account)?;
    let set = LotMethod {
        account,
        method: body.method,
        fee_in_basis: body.fee_in_basis.unwrap_or(false),
    };
    let command = Command::PositionsLotMethod(set);
    Reply::json(&gateway.desk(&call, Some(&body.reason), command).await?)
}
