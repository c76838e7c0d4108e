//! The life of an order, event by event.

use super::orders::order_id;
use crate::call::{Call, Reply};
use crate::gateway::Gateway;
use crate::problem::{Problem, ProblemCode};
use crate::schema::{Schema, object};
use std::sync::Arc;
use tradewind_domain::ids::OrderId;
use tradewind_identity::Permission;
use tradewind_views::{ExplainError, OrderLife};

pub(super) fn schema() -> Schema {
    object(
        "An order's life.",
        &[
            ("order_id", "text?", "The order; none where it was refused."),
            ("cl_ord_id", "text", "The client's identifier."),
            ("session", "count", "Client session."),
            ("account", "text", "Account."),
            ("node", "text", "The narrowest node."),
            ("symbol", "text", "Instrument."),
            ("side", "text", "Side."),
            ("ord_type", "text", "Order type."),
            ("tif", "text", "Time in force."),
            ("currency", "text", "Currency of its cash."),
            ("state", "text", "State after the last event."),
            ("events", "any", "What happened, oldest first."),
        ],
    )
}

/// Told from the order's own records where the replica knows them; else the journal is read from its start, as a job.
pub(super) async fn explain(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let id = order_id(&call)?;
    let asker = call.asker()?;
    let life = match gateway.read(move |live| live.life(id)).await? {
        Some(life) => life,
        None => read_all(&gateway, id).await?,
    };
    let book = gateway.access().book();
    match book.allows_named(&asker.rights, Permission::Read, &life.account) {
        true => Reply::json(&life),
        false => Err(Problem::not_found("order", id)),
    }
}

async fn read_all(gateway: &Gateway, id: OrderId) -> Result<OrderLife, Problem> {
    let data_dir = gateway.data_dir.clone();
    let told = gateway
        .jobs
        .run(move || tradewind_views::explain(&data_dir, id))
        .await?;
    told.map_err(|error| match error {
        ExplainError::UnknownOrder { .. } => Problem::not_found("order", id),
        ExplainError::View(_) => {
            let detail = "the journal cannot be read";
            Problem::new(ProblemCode::ReadsFailed, detail)
        }
    })
}
