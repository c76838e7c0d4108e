//! Users for the control socket: an operator of this machine makes the first ones, and helps those who are locked out.

use serde_json::{Value, json};
use std::sync::Arc;
use tokio::runtime::Handle;
use tradewind_control::{People, UserNew};
use tradewind_domain::codes::{AccessStatus, Role};
use tradewind_domain::event::AccessSet;
use tradewind_domain::ids::{GroupId, NodeId, UserId};
use tradewind_domain::text::Code;
use tradewind_domain::time::Rfc3339;
use tradewind_identity::{ApiKeyRow, Identity, IdentityError, NewUser};
use tradewind_machine::clock::Clock;

/// The identities, for the desk.
pub(super) struct Registrar {
    pub(super) identity: Arc<Identity>,
    pub(super) clock: Clock,
    pub(super) runtime: Handle,
}

fn said(error: IdentityError) -> String {
    error.to_string()
}

impl People for Registrar {
    fn list(&self) -> Result<Value, String> {
        let access = self.identity.access();
        let row = |user: tradewind_identity::UserRow| {
            let held = access.book().list(Some(UserId(user.id)));
            json!({
                "id": user.id, "name": user.name, "full_name": user.full_name, "mail": user.mail, "subject": user.subject,
                "access": held,
            })
        };
        Ok(self.identity.users().into_iter().map(row).collect())
    }

    fn number(&self, name: &str) -> Option<UserId> {
        let by_number = || {
            name.parse()
                .ok()
                .map(UserId)
                .filter(|user| self.identity.user(*user).is_some())
        };
        self.identity.user_named(name).or_else(by_number)
    }

    fn add(&self, user: &UserNew) -> Result<Value, String> {
        let new = NewUser {
            name: user.name.clone(),
            full_name: user.full_name.clone().unwrap_or_default(),
            mail: user.mail.clone().unwrap_or_default(),
            subject: user.subject.clone(),
        };
        let password = match user.subject {
            None => Some(Identity::random_password().map_err(said)?),
            Some(_) => None,
        };
        let made = self
            .identity
            .add_user(new, password.as_ref(), self.clock.now_ns());
        let row = self.runtime.block_on(made).map_err(said)?;
        Ok(json!({ "user": row, "password": password }))
    }

    fn password(&self, user: UserId) -> Result<Value, String> {
        let password = Identity::random_password().map_err(said)?;
        self.runtime
            .block_on(self.identity.set_password(user, &password, self.clock.now_ns()))
            .map_err(said)?;
        Ok(json!({ "password": password }))
    }

    fn key(&self, user: UserId, label: &str) -> Result<Value, String> {
        let made = self
            .runtime
            .block_on(self.identity.add_key(user, label, self.clock.now_ns()));
        let made = made.map_err(said)?;
        Ok(json!({ "id": made.row.id, "key": made.key }))
    }

    fn keys(&self, user: Option<UserId>) -> Result<Value, String> {
        let keys = self.runtime.block_on(async {
            match user {
                Some(user) => self.identity.keys(user).await,
                None => self.identity.all_keys().await,
            }
        });
        let name = |user: u32| self.identity.user(UserId(user)).map(|row| row.name);
        let row = |key: &ApiKeyRow| {
            json!({
                "id": key.id, "user": key.user, "name": name(key.user), "label": key.label,
                "created": Rfc3339(key.created_ns).to_string(),
            })
        };
        Ok(keys.map_err(said)?.iter().map(row).collect())
    }

    fn remove_key(&self, id: &str) -> Result<bool, String> {
        let removed = self.runtime.block_on(async {
            let keys = self.identity.all_keys().await?;
            let Some(key) = keys.iter().find(|key| key.id == id) else {
                return Ok(false);
            };
            let now_ns = self.clock.now_ns();
            self.identity.remove_key(UserId(key.user), id, now_ns).await?;
            Ok(true)
        });
        removed.map_err(said)
    }

    fn held(&self, user: UserId) -> Vec<(AccessSet, Code)> {
        let lines = self.identity.access().book().list(Some(user));
        let is_his = |line: &&tradewind_identity::AccessView| {
            line.user == Some(user.0) && line.status != AccessStatus::Revoked.text()
        };
        let body = |line: &tradewind_identity::AccessView| {
            let role = line.role.as_deref().and_then(Role::from_text);
            let set = AccessSet {
                user,
                group: line.group.map_or(GroupId::NONE, GroupId),
                role: role.map_or(0, |role| role as u8),
                node: NodeId::NONE,
                ..bytemuck::Zeroable::zeroed()
            };
            (set, Code::lossy(line.node.as_deref().unwrap_or("")))
        };
        lines.iter().filter(is_his).map(body).collect()
    }

    fn erase(&self, user: UserId) -> Result<(), String> {
        self.runtime
            .block_on(self.identity.erase_user(user))
            .map_err(said)
    }
}
