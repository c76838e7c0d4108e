//! Where the limits' findings stand in a record's tail.
//!
//! The limit check appends one [`LimitHit`] for each limit that speaks, after what the source or normalize put there. Bodies of
//! orders say how many there are. Bodies of executions do not: there they are counted back from the end, by their form.

use tradewind_domain::codes::Level;
use tradewind_domain::event::{
    Event, Execution, HitKind, Kind, LimitHit, OrderCancel, OrderNew, OrderReplace, TradeBust, Valuation,
    execution_alerts,
};
use tradewind_domain::reject::RejectCode;

/// How many hits stand at the end of the event's tail.
pub fn hit_count(event: &Event) -> u16 {
    match event.kind() {
        Some(Kind::OrderNew | Kind::Probe) => event.body::<OrderNew>().verdict.hits,
        Some(Kind::OrderReplace) => event.body::<OrderReplace>().verdict.hits,
        Some(Kind::OrderCancel) => event.body::<OrderCancel>().verdict.hits,
        Some(Kind::VenueFill | Kind::TradeCapture | Kind::TradeCorrect) => {
            count_back(event, event.body::<Execution>().alerts)
        }
        Some(Kind::TradeBust) => count_back(event, event.body::<TradeBust>().alerts),
        Some(Kind::Valuation) => event.body::<Valuation>().hits,
        _ => 0,
    }
}

fn count_back(event: &Event, alerts: u8) -> u16 {
    if event.is_rejected() || alerts & execution_alerts::BREACH == 0 {
        return 0;
    }
    let chunks = event.tail()[event.taken_back_len()..].rchunks_exact(size_of::<LimitHit>());
    chunks
        .take_while(|bytes| is_alert(bytemuck::pod_read_unaligned(bytes)))
        .count() as u16
}

/// What the audit of an execution writes: an alert of a limit at a level, with nothing in the reserved bytes.
fn is_alert(hit: LimitHit) -> bool {
    hit.kind == HitKind::Alerted as u8
        && hit.reserved == 0
        && Level::from_code(hit.level).is_some()
        && RejectCode::from_number(hit.code).is_some()
}

/// The text of a record's tail: what the source gave, and names that did not resolve. What a bust takes back stands before it, the
/// hits behind it.
pub fn text_of(event: &Event) -> &[u8] {
    let tail = event.tail();
    let end = tail
        .len()
        .saturating_sub(usize::from(hit_count(event)) * size_of::<LimitHit>());
    tail.get(event.taken_back_len()..end).unwrap_or(&[])
}

/// The words of a record: what a person or a source wrote, and names that did not resolve. Of kinds with rows in the tail only what people
/// wrote is words, and of a part of a document nothing is.
pub fn words_of(event: &Event) -> &[u8] {
    match event.kind() {
        Some(Kind::LedgerTransfer) => event.transfer_reason(),
        Some(Kind::Allocation) if event.is_rejected() => &[], // names, where they did not resolve
        Some(Kind::Allocation) => event.allocation_reason(),
        Some(Kind::LotSelect) => event.lots_reason(),
        Some(Kind::Blob) => &[],
        _ => text_of(event),
    }
}
