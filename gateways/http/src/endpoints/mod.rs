//! The endpoints, group by group.

pub(crate) mod access;
pub(crate) mod alerts;
pub(crate) mod auth;
pub(crate) mod control;
pub(crate) mod history;
pub(crate) mod limits;
pub(crate) mod operations;
pub(crate) mod orders;
pub(crate) mod reads;
pub(crate) mod reference;
pub(crate) mod rows;
pub(crate) mod trades;

use crate::endpoint::Endpoint;
use std::sync::OnceLock;

/// Below this everything of version 1 stands.
macro_rules! v1 {
    ($path:literal) => {
        concat!("/api/v1", $path)
    };
}
pub(crate) use v1;

/// All of them, in the order of the document.
pub(crate) fn all() -> &'static [Endpoint] {
    static ALL: OnceLock<Vec<Endpoint>> = OnceLock::new();
    ALL.get_or_init(|| {
        [
            auth::endpoints(),
            orders::endpoints(),
            trades::endpoints(),
            reads::endpoints(),
            limits::endpoints(),
            control::endpoints(),
            alerts::endpoints(),
            history::endpoints(),
            access::endpoints(),
            reference::endpoints(),
            operations::endpoints(),
        ]
        .into_iter()
        .flatten()
        .collect()
    })
}
