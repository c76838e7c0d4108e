//! What the feed must know of who looks: which rows may be seen, and whether that still holds.

use std::sync::Arc;
use tradewind_domain::ids::NodeId;

/// Lets people in by their tokens.
pub trait Entitlements: Send + Sync + 'static {
    /// Whose token it is. May take its time (hashing a key): it is called where that holds nobody up.
    fn authenticate(&self, token: &str) -> Result<Arc<dyn Viewer>, Refused>;
}

/// A token that lets nobody in. The reason is for the log; the client only learns that it is not authenticated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

/// Somebody who looks, with one token. All methods but [`Viewer::sees`] are called several times a second for each connection:
/// they cost no more than a lock that is free.
pub trait Viewer: Send + Sync {
    /// The user's name.
    fn user(&self) -> String;

    /// Viewers of one class see the same rows, and share the bytes of every frame. The class is another one as soon as any answer of
    /// the methods below is another one, for nodes too that were made since.
    fn class(&self) -> u64;

    /// Whether rows of this node and of accounts that are this node may be seen.
    fn sees(&self, node: NodeId) -> bool;

    /// Whether what belongs to the whole firm may be seen: sums over instruments and sectors.
    fn sees_firm(&self) -> bool;

    /// Whether what belongs to nobody may be seen: alerts of the engine itself, refused messages that name no account.
    fn is_operator(&self) -> bool;

    /// Whether the token still lets its user in.
    fn standing(&self) -> Standing;
}

/// Whether a token still counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    Good,
    /// Its time is over.
    Expired,
    /// The user, the token or all access was taken away.
    Revoked,
}
