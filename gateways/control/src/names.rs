//! Names that a listing is narrowed to. One that nothing has is refused with the nearest that there is: an empty list would say that there
//! is nothing to be seen.

use crate::protocol::{ErrorCode, Failure};
use tradewind_config::nearest;
use tradewind_domain::codes::LimitType;
use tradewind_views::Names;
use tradewind_views::live::Held;

/// The name of a type of limit, in any case.
pub(crate) fn limit_type(wanted: &str) -> Result<(), Failure> {
    let names = || LimitType::ALL.iter().map(|known| known.text());
    if names().any(|name| name.eq_ignore_ascii_case(wanted)) {
        return Ok(());
    }
    Err(Failure::argument(unknown("type of limit", wanted, names())))
}

/// The code of a node or account.
pub(crate) fn node(held: &Held, wanted: &str) -> Result<(), Failure> {
    let names = Names(held.replica().registry());
    if names.nodes().any(|name| name == wanted) {
        return Ok(());
    }
    let message = unknown("node or account", wanted, names.nodes());
    Err(Failure::new(ErrorCode::NotFound, message))
}

fn unknown<'a>(what: &str, wanted: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(wanted, names) {
        Some(near) => format!("there is no {what} {wanted:?}; did you mean {near:?}?"),
        None => format!("there is no {what} {wanted:?}"),
    }
}
