//! The endpoints, group by group.

pub(crate) mod access;
pub(crate) mod alerts;
pub(crate) mod auth;
pub(crate) mod backoffice;
pub(crate) mod busts;
pub(crate) mod calendars;
pub(crate) mod changes;
pub(crate) mod control;
pub(crate) mod fees;
pub(crate) mod history;
pub(crate) mod holdings;
pub(crate) mod life;
pub(crate) mod limits;
pub(crate) mod operations;
pub(crate) mod orders;
pub(crate) mod reads;
pub(crate) mod recon;
pub(crate) mod reference;
pub(crate) mod reports;
pub(crate) mod rows;
pub(crate) mod trades;
pub(crate) mod values;

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
            busts::endpoints(),
            reads::endpoints(),
            holdings::endpoints(),
            backoffice::endpoints(),
            reports::endpoints(),
            recon::endpoints(),
            limits::endpoints(),
            control::endpoints(),
            alerts::endpoints(),
            history::endpoints(),
            access::endpoints(),
            reference::endpoints(),
            calendars::endpoints(),
            fees::endpoints(),
            operations::endpoints(),
        ]
        .into_iter()
        .flatten()
        .collect()
    })
}
