//! What an event is about, and what was decided, whatever its kind.

use tradewind_domain::event::{
    Decider, Event, Execution, HitKind, Kind, LimitHit, OrderCancel, OrderNew, OrderReplace, OrderView,
    VenueReport, Verdict,
};
use tradewind_domain::fixed::SCALE_DP;
use tradewind_domain::ids::{AccountId, InstrumentId, LimitId, NodeId};
use tradewind_risk::limit_check::hits;
use tradewind_views::hit_count;

/// Which counts an input belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Order,
    Replace,
    Cancel,
    Execution,
    /// What a venue says about an order, fills apart.
    Report,
    Market,
    Other,
}

impl Class {
    pub(crate) fn of(event: &Event) -> Self {
        match event.kind() {
            Some(Kind::OrderNew) => Self::Order,
            Some(Kind::OrderReplace) => Self::Replace,
            Some(Kind::OrderCancel) => Self::Cancel,
            Some(Kind::VenueFill | Kind::TradeCapture) => Self::Execution,
            Some(kind) if kind.is_report() => Self::Report,
            Some(kind) if kind.decider() == Decider::Validate => Self::Market,
            _ => Self::Other,
        }
    }

    /// True for what asks for room under limits.
    pub(crate) fn asks(self) -> bool {
        matches!(self, Self::Order | Self::Replace)
    }
}

/// Who trades what. Ids are none where the event does not say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject {
    pub(crate) account: AccountId,
    pub(crate) leaf: NodeId,
    pub(crate) instrument: InstrumentId,
}

impl Subject {
    const NONE: Self = Self {
        account: AccountId::NONE,
        leaf: NodeId::NONE,
        instrument: InstrumentId::NONE,
    };

    fn of(event: &Event) -> Self {
        macro_rules! ids {
            ($body:expr) => {{
                let body = $body;
                Self {
                    account: body.account,
                    leaf: body.leaf,
                    instrument: body.instrument,
                }
            }};
        }
        match event.kind() {
            Some(Kind::OrderNew | Kind::Probe) => ids!(event.body::<OrderNew>()),
            Some(Kind::OrderReplace) => ids!(event.body::<OrderReplace>()),
            Some(Kind::OrderCancel) => ids!(event.body::<OrderCancel>()),
            Some(Kind::VenueFill | Kind::TradeCapture) => ids!(event.body::<Execution>()),
            Some(kind) if kind.is_report() => ids!(event.body::<VenueReport>()),
            _ => Self::NONE,
        }
    }

    /// Of the two records of one input: a request finds its order in one world and not in the other.
    pub(crate) fn of_either(recorded: &Event, again: &Event) -> Self {
        let found = Self::of(recorded);
        if found.leaf.is_none() {
            Self::of(again)
        } else {
            found
        }
    }
}

/// Facts of an order event.
pub(crate) fn view_of(event: &Event) -> Option<&OrderView> {
    Some(match event.kind()? {
        Kind::OrderNew => &event.body::<OrderNew>().view,
        Kind::OrderReplace => &event.body::<OrderReplace>().view,
        Kind::OrderCancel => &event.body::<OrderCancel>().view,
        kind if kind.is_report() => &event.body::<VenueReport>().view,
        _ => return None,
    })
}

/// What the limit check said of an order, replace or cancel.
pub(crate) fn verdict_of(event: &Event) -> Verdict {
    match event.kind() {
        Some(Kind::OrderNew | Kind::Probe) => event.body::<OrderNew>().verdict,
        Some(Kind::OrderReplace) => event.body::<OrderReplace>().verdict,
        Some(Kind::OrderCancel) => event.body::<OrderCancel>().verdict,
        _ => Verdict::default(),
    }
}

/// The limit that refused first; none where no limit did.
pub(crate) fn refused_by(event: &Event) -> LimitId {
    if event.is_rejected() {
        verdict_of(event).limit
    } else {
        LimitId::NONE
    }
}

/// Limits that spoke in one way.
pub(crate) fn spoke(event: &Event, kind: HitKind) -> impl Iterator<Item = LimitHit> + '_ {
    hits(event, hit_count(event)).filter(move |hit| hit.kind == kind as u8)
}

/// Value of what an event asks for or executes, in base currency at 1e-16; 0 where it has none.
pub(crate) fn value_of(event: &Event) -> i128 {
    let times = |qty: i64, view: &OrderView| i128::from(qty) * i128::from(view.unit);
    match event.kind() {
        Some(Kind::OrderNew | Kind::Probe) => {
            let body: &OrderNew = event.body();
            times(body.qty, &body.view)
        }
        Some(Kind::OrderReplace) => {
            let body: &OrderReplace = event.body();
            times(body.qty, &body.view)
        }
        Some(Kind::VenueFill | Kind::TradeCapture) => event.body::<Execution>().consumed.raw(),
        _ => 0,
    }
}

/// Identifier, quantity, price and side as the event has them; a number that could not be scaled is none.
pub(crate) struct Asked {
    pub(crate) id: String,
    pub(crate) qty: Option<i64>,
    pub(crate) px: Option<i64>,
    /// 0 where the event does not say.
    pub(crate) side: u8,
}

impl Asked {
    pub(crate) fn of(event: &Event) -> Self {
        let scaled = |value: i64, dp: u8| (u32::from(dp) == SCALE_DP).then_some(value);
        match event.kind() {
            Some(Kind::OrderNew | Kind::Probe) => {
                let body: &OrderNew = event.body();
                Self {
                    id: body.cl_ord_id.to_string(),
                    qty: scaled(body.qty, body.qty_dp),
                    px: scaled(body.px, body.px_dp),
                    side: body.side,
                }
            }
            Some(Kind::OrderReplace) => {
                let body: &OrderReplace = event.body();
                Self {
                    id: body.cl_ord_id.to_string(),
                    qty: scaled(body.qty, body.qty_dp),
                    px: scaled(body.px, body.px_dp),
                    side: 0,
                }
            }
            Some(Kind::OrderCancel) => Self {
                id: event.body::<OrderCancel>().cl_ord_id.to_string(),
                qty: None,
                px: None,
                side: 0,
            },
            Some(Kind::VenueFill | Kind::TradeCapture) => {
                let body: &Execution = event.body();
                Self {
                    id: body.exec_id.to_string(),
                    qty: scaled(body.qty, body.qty_dp),
                    px: scaled(body.px, body.px_dp),
                    side: body.side,
                }
            }
            _ => Self {
                id: String::new(),
                qty: None,
                px: None,
                side: 0,
            },
        }
    }
}

/// True where both worlds hold and book the same after the event: what later limits see of it is the same.
pub(crate) fn is_alike(recorded: &Event, again: &Event) -> bool {
    if recorded.is_rejected() != again.is_rejected() {
        return false;
    }
    if let (Some(was), Some(is)) = (view_of(recorded), view_of(again)) {
        let held = |view: &OrderView| {
            (
                (view.value, view.cash, view.fee),
                (view.leaves, view.cum, view.unit),
                view.state_after,
            )
        };
        return held(was) == held(is);
    }
    if Class::of(recorded) == Class::Execution {
        let booked = |fill: &Execution| {
            (
                (fill.qty, fill.fee, fill.consumed, fill.principal),
                (fill.released_value, fill.cash_released),
                (fill.leaves, fill.cum, fill.state_after),
            )
        };
        return booked(recorded.body()) == booked(again.body());
    }
    true
}
