//! Users of the other doors (HTTP, WebSocket): an operator of this machine makes them, gives them access and takes it away.
//!
//! Names are kept by the identities beside the engine; every change of access is an `access_set` like any other change.

use crate::command::{KeyFilter, KeyName, UserAccess, UserKey, UserName, UserNew};
use crate::desk::{Answered, Desk};
use crate::message::{self, Author};
use crate::protocol::{ErrorCode, Failure};
use serde_json::{Value, json};
use tradewind_domain::event::AccessSet;
use tradewind_domain::ids::UserId;
use tradewind_domain::text::Code;

/// Users and their access as the identities have them. The error is for people.
pub trait People: Send + Sync {
    /// All users with how they stand to nodes, as JSON objects.
    fn list(&self) -> Result<Value, String>;
    /// The number of a user, by name or number.
    fn number(&self, name: &str) -> Option<UserId>;
    /// Makes a user. Gives him as a JSON object, and a password that is shown once where he needs one.
    fn add(&self, user: &UserNew) -> Result<Value, String>;
    /// A new password, shown once.
    fn password(&self, user: UserId) -> Result<Value, String>;
    /// A new API key, shown once.
    fn key(&self, user: UserId, label: &str) -> Result<Value, String>;
    /// API keys, of one user or of all, without their secret halves.
    fn keys(&self, user: Option<UserId>) -> Result<Value, String>;
    /// Takes an API key away. False where there is none.
    fn remove_key(&self, id: &str) -> Result<bool, String>;
    /// What is granted to or asked for by a user himself, to be revoked: subject, role and node's name.
    fn held(&self, user: UserId) -> Vec<(AccessSet, Code)>;
    /// Erases names and secrets of a user.
    fn erase(&self, user: UserId) -> Result<(), String>;
}

fn refused(message: String) -> Failure {
    Failure::new(ErrorCode::BadArgument, message)
}

impl Desk {
    fn people(&self) -> Result<&dyn People, Failure> {
        let message = "no users: the engine runs without an HTTP server (http.listen)";
        self.people
            .get()
            .map(|people| &**people)
            .ok_or_else(|| Failure::new(ErrorCode::NotFound, message))
    }

    fn user(&self, name: &str) -> Result<UserId, Failure> {
        let user = self.people()?.number(name);
        user.ok_or_else(|| Failure::new(ErrorCode::NotFound, format!("there is no user {name:?}")))
    }

    pub(crate) fn users_list(&self) -> Answered {
        Ok(json!({ "users": self.people()?.list().map_err(refused)? }))
    }

    pub(crate) fn users_add(&self, user: &UserNew) -> Answered {
        self.people()?.add(user).map_err(refused)
    }

    pub(crate) fn users_password(&self, user: &UserName) -> Answered {
        let user = self.user(&user.user)?;
        self.people()?.password(user).map_err(refused)
    }

    pub(crate) fn users_key(&self, key: &UserKey) -> Answered {
        let user = self.user(&key.user)?;
        self.people()?.key(user, &key.label).map_err(refused)
    }

    pub(crate) fn users_keys(&self, filter: &KeyFilter) -> Answered {
        let user = filter.user.as_deref().map(|user| self.user(user)).transpose()?;
        Ok(json!({ "keys": self.people()?.keys(user).map_err(refused)? }))
    }

    pub(crate) fn users_key_remove(&self, key: &KeyName) -> Answered {
        match self.people()?.remove_key(&key.id).map_err(refused)? {
            true => Ok(json!({ "removed": key.id })),
            false => {
                let message = format!("there is no API key {:?}", key.id);
                Err(Failure::new(ErrorCode::NotFound, message))
            }
        }
    }

    pub(crate) fn users_access(&self, access: &UserAccess, is_granted: bool, author: &Author) -> Answered {
        let user = self.user(&access.user)?;
        self.change(message::access(user, access, is_granted, author)?)
    }

    /// Everything that a user has is revoked first, each in a record of its own; then nobody knows whose number it was.
    pub(crate) fn users_erase(&self, user: &UserName, author: &Author) -> Answered {
        let user = self.user(&user.user)?;
        let held = self.people()?.held(user);
        for (body, node) in &held {
            self.change(message::revocation(body, *node, author))?;
        }
        self.people()?.erase(user).map_err(refused)?;
        Ok(json!({ "erased": user.0, "revoked": held.len() }))
    }
}
