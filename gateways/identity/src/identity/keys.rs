//! API keys: made, checked and taken away.
//!
//! # Invariants
//! - A key that was taken away opens nothing more: its row goes before what is remembered of it, and a check that was under way
//!   meanwhile is not remembered.
//! - The secret half is kept as an argon2 hash alone. A key that was checked is known again by a hash that only this process can make:
//!   an argon2 hash for every request would be none's time.

use super::{Caller, Identity, Result, verify};
use crate::database::ApiKeyRow;
use crate::error::{AuthError, IdentityError};
use crate::password;
use crate::secret::Secret;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tradewind_domain::ids::{Seq, UserId};
use tradewind_domain::time::UnixNanos;

/// How API keys begin, so that one in the wrong place is known for what it is.
pub(super) const KEY_PREFIX: &str = "twk_";
/// Keys whose hash was checked lately.
const KNOWN_KEYS_MAX: usize = 4_096;

/// A new API key: the only time that it can be seen.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// What is kept of it.
    pub row: ApiKeyRow,
    /// The whole key.
    pub key: Secret,
}

#[derive(Clone)]
struct KnownKey {
    id: String,
    user: UserId,
    created_seq: Seq,
}

/// Keys that were checked.
pub(super) struct KnownKeys {
    held: Mutex<Checked>,
    hash_key: [u8; 32],
}

#[derive(Default)]
struct Checked {
    keys: HashMap<blake3::Hash, KnownKey>,
    /// How often keys were taken away: what was checked before is not remembered after.
    removals: u64,
}

impl KnownKeys {
    pub(super) fn new() -> Result<Self> {
        let mut hash_key = [0; 32];
        password::fill_random(&mut hash_key)?;
        Ok(Self {
            held: Mutex::default(),
            hash_key,
        })
    }

    fn held(&self) -> MutexGuard<'_, Checked> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hash(&self, key: &str) -> blake3::Hash {
        blake3::keyed_hash(&self.hash_key, key.as_bytes())
    }

    fn find(&self, hash: blake3::Hash) -> (Option<KnownKey>, u64) {
        let held = self.held();
        (held.keys.get(&hash).cloned(), held.removals)
    }

    /// Remembers a key, unless some were taken away since `removals`.
    fn put(&self, hash: blake3::Hash, known: KnownKey, removals: u64) {
        let mut held = self.held();
        if held.removals != removals {
            return;
        }
        if held.keys.len() >= KNOWN_KEYS_MAX {
            held.keys.clear();
        }
        held.keys.insert(hash, known);
    }

    /// Forgets keys by id and user.
    pub(super) fn forget(&self, is_gone: impl Fn(&str, UserId) -> bool) {
        let mut held = self.held();
        held.removals += 1;
        held.keys.retain(|_, known| !is_gone(&known.id, known.user));
    }
}

impl Identity {
    pub(super) async fn authenticate_key(&self, whole: &str, key: &str, now_ns: UnixNanos) -> Result<Caller> {
        let hash = self.keys.hash(whole);
        let known = match self.keys.find(hash) {
            (Some(known), _) => known,
            (None, removals) => {
                let known = self.check_key(key).await?;
                self.keys.put(hash, known.clone(), removals);
                known
            }
        };
        let caller = Caller {
            user: known.user,
            name: self.name(known.user).ok_or(AuthError::Revoked)?,
            family: known.id,
            made_seq: Some(known.created_seq),
            made_ns: 0,
            expires_ns: UnixNanos::MAX,
        };
        self.still_counts(&caller, now_ns)?;
        Ok(caller)
    }

    async fn check_key(&self, key: &str) -> Result<KnownKey> {
        let (id, secret) = key.split_once('_').ok_or(AuthError::BadToken)?;
        let stored = self.database.key(id).await?.ok_or(AuthError::BadToken)?;
        if !verify(self.turn().await?, &Secret::new(secret), &stored.hash).await? {
            return Err(AuthError::BadToken.into());
        }
        Ok(KnownKey {
            id: id.to_owned(),
            user: stored.user,
            created_seq: stored.created_seq,
        })
    }

    /// Makes an API key. It acts with the rights of its user.
    pub async fn add_key(&self, user: UserId, label: &str, now_ns: UnixNanos) -> Result<NewKey> {
        if label.len() > 100 {
            return Err(IdentityError::BadValue("a label has at most 100 bytes"));
        }
        self.name(user).ok_or(IdentityError::NotFound { what: "user" })?;
        let (id, secret) = (password::random_text(12)?, password::random_text(40)?);
        let hash = self.hash(&Secret::new(secret.as_str())).await?;
        let row = ApiKeyRow {
            id,
            user: user.0,
            label: label.to_owned(),
            created_ns: now_ns,
        };
        let created_seq = self.access.seen();
        self.database.add_key(&row, &hash, created_seq).await?;
        let key = Secret::new(format!("{KEY_PREFIX}{}_{secret}", row.id));
        Ok(NewKey { row, key })
    }

    /// A user's API keys, without their secret halves.
    pub async fn keys(&self, user: UserId) -> Result<Vec<ApiKeyRow>> {
        self.database.keys(user).await
    }

    /// All API keys, without their secret halves.
    pub async fn all_keys(&self) -> Result<Vec<ApiKeyRow>> {
        self.database.all_keys().await
    }

    /// Takes an API key of a user away. What came in by it ends.
    pub async fn remove_key(&self, user: UserId, id: &str, now_ns: UnixNanos) -> Result<()> {
        if !self.database.remove_key(user, id).await? {
            return Err(IdentityError::NotFound { what: "key" });
        }
        self.keys.forget(|known, _| known == id);
        self.end(id, now_ns).await
    }
}
