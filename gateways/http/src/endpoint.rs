//! What an endpoint is: one row of a table from which both the routes and the OpenAPI document are made.
//!
//! Invariant: an endpoint that is served is described, and one that is described is served.

use crate::call::{Call, Reply};
use crate::gateway::Gateway;
use crate::problem::Problem;
use crate::schema::{Schema, Wire};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use tradewind_identity::Permission;

/// The answer that comes later.
pub(crate) type Answer = Pin<Box<dyn Future<Output = Result<Reply, Problem>> + Send>>;
/// What answers.
pub(crate) type Handle = fn(Arc<Gateway>, Call) -> Answer;

/// An HTTP method that is used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Post,
    Put,
    Delete,
}

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Anybody.
    Nothing,
    /// Whoever has a token.
    Token,
    /// Whoever has this permission somewhere; the handler looks where.
    Right(Permission),
    /// Whoever has this permission for the whole firm.
    Firm(Permission),
}

/// What an `Idempotency-Key` names, where one must be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyed {
    /// Nothing: none is asked for.
    Nothing,
    /// An order or a replace: it becomes the ClOrdID.
    Order,
    /// What else must not be done twice.
    Change,
}

/// A parameter of the query.
pub(crate) struct Param {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    /// `text`, `count` or `flag`.
    pub(crate) kind: &'static str,
}

/// What a body may be.
pub(crate) enum Takes {
    /// No body.
    Nothing,
    /// JSON.
    Json(fn() -> Schema),
    /// JSON, or lines of CSV.
    JsonOrCsv(fn() -> Schema),
}

/// What an answer is.
pub(crate) enum Gives {
    /// 204.
    Nothing,
    /// JSON with this status.
    Json(u16, fn() -> Schema),
    /// JSON with this status, or, where it is asked for, text of one of these types.
    JsonOr(u16, fn() -> Schema, &'static [&'static str]),
    /// Text of this type.
    Text(&'static str),
}

/// An endpoint.
pub(crate) struct Endpoint {
    pub(crate) verb: Verb,
    pub(crate) path: &'static str,
    pub(crate) group: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) need: Need,
    pub(crate) keyed: Keyed,
    pub(crate) params: &'static [Param],
    pub(crate) takes: Takes,
    pub(crate) gives: Gives,
    pub(crate) handle: Handle,
}

impl Verb {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Verb::Get => "get",
            Verb::Post => "post",
            Verb::Put => "put",
            Verb::Delete => "delete",
        }
    }
}

/// A handler of the table, from an async function.
macro_rules! handle {
    ($function:path) => {
        |gateway, call| Box::pin($function(gateway, call))
    };
}
pub(crate) use handle;

/// Parameters of the query, by name, kind and meaning.
macro_rules! params {
    ($($name:literal $kind:ident $doc:literal),* $(,)?) => {
        &[$(crate::endpoint::Param { name: $name, doc: $doc, kind: stringify!($kind) }),*]
    };
}
pub(crate) use params;

impl Endpoint {
    /// An endpoint without parameters and body, whose answer is 204.
    pub(crate) fn new(
        verb: Verb,
        path: &'static str,
        group: &'static str,
        need: Need,
        handle: Handle,
        doc: &'static str,
    ) -> Self {
        Self {
            verb,
            path,
            group,
            doc,
            need,
            keyed: Keyed::Nothing,
            params: &[],
            takes: Takes::Nothing,
            gives: Gives::Nothing,
            handle,
        }
    }

    /// True where an answer without parameters shows everything that is read here, and not a page of it: its tag stands for the whole.
    pub(crate) fn is_whole(&self) -> bool {
        self.params
            .iter()
            .all(|param| !matches!(param.name, "limit" | "cursor"))
    }

    /// With parameters of the query.
    pub(crate) fn params(mut self, params: &'static [Param]) -> Self {
        self.params = params;
        self
    }

    /// With a JSON body.
    pub(crate) fn takes<T: Wire>(mut self) -> Self {
        self.takes = Takes::Json(T::schema);
        self
    }

    /// With a body of JSON or CSV.
    pub(crate) fn takes_csv_too<T: Wire>(mut self) -> Self {
        self.takes = Takes::JsonOrCsv(T::schema);
        self
    }

    /// With a JSON answer.
    pub(crate) fn gives(mut self, status: u16, schema: fn() -> Schema) -> Self {
        self.gives = Gives::Json(status, schema);
        self
    }

    /// With a JSON answer, and others of these types.
    pub(crate) fn gives_or(
        mut self,
        status: u16,
        schema: fn() -> Schema,
        others: &'static [&'static str],
    ) -> Self {
        self.gives = Gives::JsonOr(status, schema, others);
        self
    }

    /// With an answer of text.
    pub(crate) fn gives_text(mut self, content_type: &'static str) -> Self {
        self.gives = Gives::Text(content_type);
        self
    }

    /// With an `Idempotency-Key`.
    pub(crate) fn keyed(mut self, keyed: Keyed) -> Self {
        self.keyed = keyed;
        self
    }
}
