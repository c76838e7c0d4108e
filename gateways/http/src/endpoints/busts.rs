//! Trades that are taken back or corrected, as the venue says. The trade is named by venue, trade date and identifier, as it was booked.

use super::trades::{TradeResult, result_schema};
use super::v1;
use super::values::{date, figure, reason, text, word};
use crate::call::{Call, Reply};
use crate::endpoint::{Endpoint, Need, Verb, handle};
use crate::gateway::{Gateway, author};
use crate::keys::session_of;
use crate::problem::Problem;
use crate::schema::wire;
use bytemuck::Zeroable;
use std::sync::Arc;
use tradewind_domain::codes::Side;
use tradewind_domain::event::{Execution, InboundLong, Kind, TradeBust, execution_flags};
use tradewind_domain::fixed::{Money, SCALE_DP};
use tradewind_domain::ids::{OrderId, VenueId};
use tradewind_domain::text::ExecId;
use tradewind_domain::time::DayNumber;
use tradewind_identity::Permission;

const GROUP: &str = "trades";

wire! {
    /// A trade that never was. One that was taken back already is a duplicate.
    Bust {
        /// The venue's identifier of the trade.
        exec_ref_id: String,
        /// The venue's identifier of the bust, up to 40 characters.
        exec_id: String,
        /// Number of the venue; left out: 0.
        venue: Option<u16>,
        /// Trade date of the trade, YYYY-MM-DD; left out: the present one.
        trade_date: Option<String>,
        /// Why: one line, which its record keeps.
        reason: Option<String>,
    }
}

wire! {
    /// What a trade really was. What is left out stays as it is; account, instrument and side never change.
    Correction {
        /// The venue's identifier of the trade.
        exec_id: String,
        /// Number of the venue; left out: 0.
        venue: Option<u16>,
        /// Trade date of the trade, YYYY-MM-DD; left out: the present one.
        trade_date: Option<String>,
        /// Quantity.
        qty: Option<String>,
        /// Price.
        px: Option<String>,
        /// Side, to be compared with the trade's.
        side: Option<String>,
        /// Fee in the instrument's currency, negative for a rebate.
        fee: Option<String>,
        /// Settlement date, YYYY-MM-DD.
        settle_date: Option<String>,
        /// Why: one line, which its record keeps.
        reason: Option<String>,
    }
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let capture = Need::Right(Permission::Capture);
    let new = |path, handle, doc| Endpoint::new(Verb::Post, path, GROUP, capture, handle, doc);
    vec![
        new(
            v1!("/trades/bust"),
            handle!(bust),
            "Takes a trade back. One that cannot be taken back waits in quarantine.",
        )
        .takes::<Bust>()
        .gives(200, result_schema),
        new(
            v1!("/trades/correct"),
            handle!(correct),
            "Corrects a trade. A correction that does not fit waits in quarantine.",
        )
        .takes::<Correction>()
        .gives(200, result_schema),
    ]
}

/// How a venue names a trade.
pub(super) struct Name {
    venue: VenueId,
    /// 0 for the present one.
    trade_date: DayNumber,
    exec_id: ExecId,
}

impl Name {
    pub(super) fn of(
        venue: Option<u16>,
        trade_date: Option<&str>,
        (pointer, exec_id): (&str, &str),
    ) -> Result<Self, Problem> {
        Ok(Self {
            venue: VenueId(venue.unwrap_or(0)),
            trade_date: trade_date.map_or(Ok(0), |text| date("/trade_date", text))?,
            exec_id: text(pointer, exec_id)?,
        })
    }

    /// Whoever captures trades of its account may change it; one that is not known is sent only for who captures for the whole firm, and
    /// waits in quarantine until a person decides.
    pub(super) async fn require(&self, gateway: &Arc<Gateway>, call: &Call) -> Result<(), Problem> {
        let asker = call.asker()?;
        let (venue, trade_date, exec_id) = (self.venue, self.trade_date, self.exec_id);
        let leaf = gateway
            .read(move |live| {
                live.read_now(|held| {
                    let trade = held.replica().limit_check().trade(venue, trade_date, &exec_id);
                    trade.map(|trade| trade.leaf)
                })
            })
            .await?;
        let missing = || Problem::not_found("trade", self.exec_id);
        let Some(leaf) = leaf else {
            return gateway
                .require_firm(asker, Permission::Capture)
                .map_err(|_| missing());
        };
        let book = gateway.access().book();
        if !book.allows(&asker.rights, Permission::Read, leaf) {
            return Err(missing());
        }
        match book.allows(&asker.rights, Permission::Capture, leaf) {
            true => Ok(()),
            false => Err(Problem::not_permitted(format!(
                "{} needs CAPTURE at the trade's account",
                asker.caller.name
            ))),
        }
    }
}

async fn bust(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: Bust = call.json()?;
    let name = Name::of(
        body.venue,
        body.trade_date.as_deref(),
        ("/exec_ref_id", &body.exec_ref_id),
    )?;
    name.require(&gateway, &call).await?;
    let bust = TradeBust {
        exec_id: text("/exec_id", &body.exec_id)?,
        exec_ref_id: name.exec_id,
        trade_date: name.trade_date,
        venue: name.venue,
        ..TradeBust::zeroed()
    };
    let message = InboundLong::new(Kind::TradeBust, &bust);
    sent(&gateway, &call, message, body.reason.as_deref()).await
}

async fn correct(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: Correction = call.json()?;
    let name = Name::of(
        body.venue,
        body.trade_date.as_deref(),
        ("/exec_id", &body.exec_id),
    )?;
    name.require(&gateway, &call).await?;
    let side = body.side.as_deref();
    let side = side
        .map(|side| word("/side", side, Side::from_text, "BUY, SELL, SELL_SHORT"))
        .transpose()?;
    let flag = |is_given: bool, flag: u8| if is_given { flag } else { 0 };
    let correction = Execution {
        exec_id: name.exec_id,
        order_id: OrderId::NONE,
        qty: figure("/qty", body.qty.as_deref())?,
        px: figure("/px", body.px.as_deref())?,
        fee: Money::from_raw(figure("/fee", body.fee.as_deref())?.into()),
        trade_date: name.trade_date,
        settle_date: body
            .settle_date
            .as_deref()
            .map_or(Ok(0), |text| date("/settle_date", text))?,
        session: session_of(call.asker()?.caller.user),
        venue: name.venue,
        side: side.map_or(0, |side| side as u8),
        flags: flag(body.fee.is_some(), execution_flags::HAS_FEE)
            | flag(body.settle_date.is_some(), execution_flags::HAS_SETTLE_DATE),
        qty_dp: SCALE_DP as u8,
        px_dp: SCALE_DP as u8,
        ..Execution::zeroed()
    };
    let message = InboundLong::new(Kind::TradeCorrect, &correction);
    sent(&gateway, &call, message, body.reason.as_deref()).await
}

/// The record keeps who asked, and why. A bust has no room for that on the fast road; on the long one it comes behind the trades that were
/// sent before it all the same, as executions go first.
async fn sent(
    gateway: &Gateway,
    call: &Call,
    message: InboundLong,
    why: Option<&str>,
) -> Result<Reply, Problem> {
    let why = why.map(reason).transpose()?;
    let colon = if why.is_some() { ": " } else { "" };
    let (author, why, name) = (author(call.asker()?), why.unwrap_or(""), call.correlation.name());
    let tail = format!("{author}{colon}{why} [{name}]");
    let event = gateway.gate.admin(message.with_tail(tail.as_bytes())).await?;
    Reply::json(&TradeResult::of(&event))
}
