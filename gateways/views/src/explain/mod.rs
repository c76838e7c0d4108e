//! Explain: the whole life of one order, event by event, with what each one decided and left behind.
//!
//! The journal is applied to a replica; around each event that concerns the order the replica is asked what is held for it.
//! An event concerns an order that it names, and an open order that it stops (mass cancel, kill switch).
//!
//! Not here: rendering. An order that was refused never got an id: its ClOrdID finds it.

mod concern;
mod life;
mod story;

pub use life::{
    ExecutionView, HitView, OrderEvent, OrderLife, PositionAfter, Reservation, RuleView, Verdict,
};

pub(crate) use concern::named;
pub(crate) use story::{LimitTerms, Shot, Teller, holding_of};

use crate::error::ViewError;
use crate::reader::Reader;
use concern::{Subject, subject_of};
use std::path::Path;
use story::Story;
use tradewind_domain::event::Event;
use tradewind_domain::ids::OrderId;
use tradewind_domain::reject::RejectCode;
use tradewind_domain::text::ClOrdId;

/// Why an order's life cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The journal cannot be read.
    #[error(transparent)]
    View(#[from] ViewError),
    /// The journal has no such order.
    #[error("the journal has no order {key}")]
    UnknownOrder {
        /// What was asked for.
        key: String,
    },
}

/// Names an order: by its id, by the client's identifier, or by a text that may be either.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderKey {
    id: Option<OrderId>,
    cl_ord_id: Option<ClOrdId>,
}

impl OrderKey {
    /// By the client's identifier: the newest order that had it, a refused one included, but not one that was refused because
    /// the identifier was taken.
    pub fn of_cl_ord_id(cl_ord_id: ClOrdId) -> Self {
        Self {
            id: None,
            cl_ord_id: Some(cl_ord_id),
        }
    }

    /// By a text: the order with this id if there is one, else the newest with this ClOrdID.
    pub fn of_text(text: &str) -> Self {
        Self {
            id: text.parse().ok(),
            cl_ord_id: ClOrdId::new(text).ok().filter(|id| !id.is_empty()),
        }
    }
}

impl From<OrderId> for OrderKey {
    fn from(id: OrderId) -> Self {
        Self {
            id: Some(id),
            cl_ord_id: None,
        }
    }
}

impl std::fmt::Display for OrderKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.cl_ord_id, self.id) {
            (Some(cl_ord_id), _) => write!(f, "{cl_ord_id}"),
            (None, Some(id)) => write!(f, "{id}"),
            (None, None) => f.write_str("without a name"),
        }
    }
}

/// Tells the life of an order from the journal of a data folder. Reads the journal twice: to find the order, and to tell.
pub fn explain(data_dir: &Path, key: impl Into<OrderKey>) -> Result<OrderLife, ExplainError> {
    let key = key.into();
    let subject = find(data_dir, &key)?.ok_or_else(|| ExplainError::UnknownOrder { key: key.to_string() })?;
    let mut reader = Reader::open(data_dir)?;
    let mut story = Story::new(reader.replica(), subject);
    let mut event = Event::empty();
    while reader.next_into(&mut event)?.is_some() {
        story.see(&event)?;
    }
    Ok(story.into_life())
}

fn find(data_dir: &Path, key: &OrderKey) -> Result<Option<Subject>, ViewError> {
    let mut reader = Reader::open(data_dir)?;
    let (mut by_id, mut by_cl_ord_id) = (None, None);
    let mut event = Event::empty();
    while reader.next_into(&mut event)?.is_some() {
        let Some((cl_ord_id, subject)) = subject_of(&event) else {
            continue;
        };
        if key.id.is_some_and(|id| subject == Subject::Order(id)) {
            by_id = Some(subject);
        }
        let is_repeat = event.reject_code() == Some(RejectCode::DuplicateClOrdId);
        if key.cl_ord_id == Some(cl_ord_id) && (by_cl_ord_id.is_none() || !is_repeat) {
            by_cl_ord_id = Some(subject);
        }
    }
    Ok(by_id.or(by_cl_ord_id))
}
