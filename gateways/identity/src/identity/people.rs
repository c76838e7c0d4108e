//! Users and groups: making, changing and erasing them.

use super::{Identity, Result};
use crate::database::{GroupRow, NewUser, UserRow};
use crate::error::{AuthError, IdentityError};
use crate::secret::Secret;
use tradewind_domain::ids::{GroupId, UserId};
use tradewind_domain::time::UnixNanos;

/// Bytes of a full name or mail address at most.
const WORDS_MAX: usize = 200;

impl Identity {
    /// Makes a user. Without a password he can only come by an outside token or a key.
    pub async fn add_user(
        &self,
        new: NewUser,
        password: Option<&Secret>,
        now_ns: UnixNanos,
    ) -> Result<UserRow> {
        check_name(&new.name)?;
        check_words(&new.full_name, &new.mail)?;
        let hash = match password {
            Some(password) => self.hash(password).await?,
            None => String::new(), // fits no password
        };
        let row = self.database.add_user(&new, &hash, now_ns).await?;
        self.directory_mut().put(row.clone());
        Ok(row)
    }

    /// Sets a password; all logins of the user end with their tokens. API keys stay.
    pub async fn set_password(&self, user: UserId, password: &Secret, now_ns: UnixNanos) -> Result<()> {
        let hash = self.hash(password).await?;
        let until_ns = self.ends_ns(now_ns);
        for family in self.database.set_password(user, &hash, until_ns).await? {
            self.remember_ended(&family, until_ns, now_ns);
        }
        Ok(())
    }

    /// True where it is the user's password. A wrong one counts as a failed login: who has somebody's token must not guess more often.
    pub async fn is_password(&self, user: UserId, password: &Secret, now_ns: UnixNanos) -> Result<bool> {
        let name = self.name(user).ok_or(IdentityError::NotFound { what: "user" })?;
        match self.check_password(&name, password, now_ns).await {
            Ok(_) => Ok(true),
            Err(IdentityError::Denied(AuthError::BadCredentials)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Changes names, mail address and outside subject of a user; his tokens count on.
    pub async fn change_user(&self, row: UserRow) -> Result<UserRow> {
        check_name(&row.name)?;
        check_words(&row.full_name, &row.mail)?;
        self.database.change_user(&row).await?;
        let mut directory = self.directory_mut();
        directory.remove(row.id);
        directory.put(row.clone());
        Ok(row)
    }

    /// Erases name, mail address, password and keys. The number stays in the journal and is never given again.
    pub async fn erase_user(&self, user: UserId) -> Result<()> {
        self.directory_mut().remove(user.0);
        self.keys.forget(|_, of| of == user);
        match self.database.erase_user(user).await? {
            true => Ok(()),
            false => Err(IdentityError::NotFound { what: "user" }),
        }
    }

    /// All users, by number.
    pub fn users(&self) -> Vec<UserRow> {
        let mut rows: Vec<_> = self.directory().by_id.values().cloned().collect();
        rows.sort_by_key(|row| row.id);
        rows
    }

    /// One user.
    pub fn user(&self, user: UserId) -> Option<UserRow> {
        self.directory().by_id.get(&user.0).cloned()
    }

    /// The number behind a name.
    pub fn user_named(&self, name: &str) -> Option<UserId> {
        let directory = self.directory();
        let found = directory
            .by_id
            .values()
            .find(|row| row.name.eq_ignore_ascii_case(name));
        found.map(|row| UserId(row.id))
    }

    /// All groups.
    pub async fn groups(&self) -> Result<Vec<GroupRow>> {
        self.database.groups().await
    }

    /// Makes a group.
    pub async fn add_group(&self, name: &str) -> Result<GroupRow> {
        check_name(name)?;
        let id: GroupId = self.database.add_group(name).await?;
        Ok(GroupRow {
            id: id.0,
            name: name.to_owned(),
        })
    }

    /// Gives a group another name.
    pub async fn rename_group(&self, row: GroupRow) -> Result<GroupRow> {
        check_name(&row.name)?;
        self.database.rename_group(&row).await?;
        Ok(row)
    }

    /// Takes a group's name away. Its number stays in the journal and is never given again.
    pub async fn remove_group(&self, group: GroupId) -> Result<()> {
        match self.database.remove_group(group).await? {
            true => Ok(()),
            false => Err(IdentityError::NotFound { what: "group" }),
        }
    }
}

fn check_name(name: &str) -> Result<()> {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@' | '+');
    if name.is_empty() || name.len() > 64 || !name.chars().all(is_name) {
        return Err(IdentityError::BadValue(
            "a name has 1 to 64 bytes of letters, digits and . - _ @ +",
        ));
    }
    Ok(())
}

fn check_words(full_name: &str, mail: &str) -> Result<()> {
    match full_name.len().max(mail.len()) <= WORDS_MAX {
        true => Ok(()),
        false => Err(IdentityError::BadValue(
            "a name or mail address has at most 200 bytes",
        )),
    }
}
