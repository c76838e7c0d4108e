//! `identity.db`: names, mail addresses and hashes, in SQLite. Everything in it can be erased.
//!
//! # Invariants
//! - Numbers of users and groups are never given twice: the journal speaks of them.
//! - Erased bytes are overwritten (`secure_delete`), and the write-ahead log is cut behind an erasure.
//!
//! Not here: what a password must be, when somebody is locked out (see `identity`).

use crate::error::IdentityError;
use crate::key::MODE;
use crate::lockout::{Failures, LockOut};
use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use tradewind_domain::ids::{GroupId, UserId};
use tradewind_domain::time::UnixNanos;

const SCHEMA: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS users (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE COLLATE NOCASE,
        full_name TEXT NOT NULL,
        mail TEXT NOT NULL,
        subject TEXT UNIQUE,
        password_hash TEXT NOT NULL,
        failures INTEGER NOT NULL DEFAULT 0,
        locked_until_ns INTEGER NOT NULL DEFAULT 0,
        created_ns INTEGER NOT NULL
    )",
    "CREATE TABLE IF NOT EXISTS user_groups (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE COLLATE NOCASE
    )",
    "CREATE TABLE IF NOT EXISTS api_keys (
        id TEXT PRIMARY KEY,
        user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
        label TEXT NOT NULL,
        hash TEXT NOT NULL,
        created_seq INTEGER NOT NULL,
        created_ns INTEGER NOT NULL
    )",
    "CREATE TABLE IF NOT EXISTS refresh_tokens (
        hash BLOB PRIMARY KEY,
        family TEXT NOT NULL,
        user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
        created_seq INTEGER NOT NULL,
        expires_ns INTEGER NOT NULL,
        is_used INTEGER NOT NULL DEFAULT 0
    )",
    "CREATE INDEX IF NOT EXISTS refresh_families ON refresh_tokens (family)",
    "CREATE TABLE IF NOT EXISTS ended_families (
        family TEXT PRIMARY KEY,
        expires_ns INTEGER NOT NULL
    )",
];

/// A user as listings show him: no secret among it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UserRow {
    /// Number, as the journal names him.
    pub id: u32,
    /// Name to log in with.
    pub name: String,
    /// Full name.
    pub full_name: String,
    /// Mail address.
    pub mail: String,
    /// `sub` of the outside issuer's tokens.
    pub subject: Option<String>,
}

/// A user to be made.
#[derive(Clone, Debug, Default)]
pub struct NewUser {
    /// Name to log in with.
    pub name: String,
    /// Full name.
    pub full_name: String,
    /// Mail address.
    pub mail: String,
    /// `sub` of the outside issuer's tokens.
    pub subject: Option<String>,
}

/// A group of users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupRow {
    /// Number, as the journal names it.
    pub id: u32,
    /// Name.
    pub name: String,
}

/// An API key without its secret half.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ApiKeyRow {
    /// Its public half.
    pub id: String,
    /// Number of its user.
    pub user: u32,
    /// What it is for.
    pub label: String,
    /// When it was made, nanoseconds.
    pub created_ns: UnixNanos,
}

/// What a login looks at.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) user: UserId,
    pub(crate) password_hash: String,
}

/// What the use of an API key looks at.
#[derive(Clone)]
pub(crate) struct StoredKey {
    pub(crate) user: UserId,
    pub(crate) hash: String,
    pub(crate) created_seq: u64,
}

/// A refresh token that was handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredRefresh {
    pub(crate) user: UserId,
    pub(crate) family: String,
    pub(crate) created_seq: u64,
    pub(crate) expires_ns: UnixNanos,
    pub(crate) is_used: bool,
}

/// The database.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    pool: SqlitePool,
}

type Result<T> = std::result::Result<T, IdentityError>;

impl Database {
    /// Opens it, or makes it, readable by its owner alone.
    pub(crate) async fn open(path: &Path) -> Result<Self> {
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(MODE)
            .open(path)
            .map_err(|source| IdentityError::File {
                path: path.to_path_buf(),
                source,
            })?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .pragma("secure_delete", "ON");
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options)
            .await?;
        for statement in SCHEMA {
            sqlx::query(*statement).execute(&pool).await?;
        }
        Ok(Self { pool })
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }

    pub(crate) async fn users(&self) -> Result<Vec<UserRow>> {
        let rows = sqlx::query("SELECT id, name, full_name, mail, subject FROM users ORDER BY id")
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.iter().map(user_row).collect())
    }

    pub(crate) async fn add_user(
        &self,
        new: &NewUser,
        password_hash: &str,
        now_ns: UnixNanos,
    ) -> Result<UserRow> {
        let done = sqlx::query(
            "INSERT INTO users (name, full_name, mail, subject, password_hash, created_ns) VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(new.name.clone())
        .bind(new.full_name.clone())
        .bind(new.mail.clone())
        .bind(new.subject.clone())
        .bind(password_hash.to_owned())
        .bind(as_i64(now_ns))
        .execute(&self.pool)
        .await;
        let done = done.map_err(|error| taken(error, &new.name))?;
        Ok(UserRow {
            id: as_u32(done.last_insert_rowid()),
            name: new.name.clone(),
            full_name: new.full_name.clone(),
            mail: new.mail.clone(),
            subject: new.subject.clone(),
        })
    }

    /// Changes everything of a user but number and secrets.
    pub(crate) async fn change_user(&self, row: &UserRow) -> Result<()> {
        let done =
            sqlx::query("UPDATE users SET name = ?, full_name = ?, mail = ?, subject = ? WHERE id = ?")
                .bind(row.name.clone())
                .bind(row.full_name.clone())
                .bind(row.mail.clone())
                .bind(row.subject.clone())
                .bind(i64::from(row.id))
                .execute(&self.pool)
                .await;
        match done.map_err(|error| taken(error, &row.name))?.rows_affected() {
            0 => Err(IdentityError::NotFound { what: "user" }),
            _ => Ok(()),
        }
    }

    /// Numbers up to these are given: the next user and group get higher ones.
    pub(crate) async fn reserve(&self, user: u32, group: u32) -> Result<()> {
        for (table, number) in [("users", user), ("user_groups", group)] {
            sqlx::query(
                "INSERT INTO sqlite_sequence (name, seq) SELECT ?1, 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?1)",
            )
            .bind(table)
            .execute(&self.pool)
            .await?;
            sqlx::query("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?")
                .bind(i64::from(number))
                .bind(table)
                .execute(&self.pool)
                .await?;
        }
        Ok(())
    }

    /// Erases a user with keys and tokens. False where there is none.
    pub(crate) async fn erase_user(&self, user: UserId) -> Result<bool> {
        let done = sqlx::query("DELETE FROM users WHERE id = ?")
            .bind(i64::from(user.0))
            .execute(&self.pool)
            .await?;
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    pub(crate) async fn credentials(&self, name: &str) -> Result<Option<Credentials>> {
        let row = sqlx::query("SELECT id, password_hash FROM users WHERE name = ?")
            .bind(name.to_owned())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|row| Credentials {
            user: UserId(as_u32(row.get(0))),
            password_hash: row.get(1),
        }))
    }

    /// Counts an attempt to log in as a failure, before anybody knows whether it is one. Until when the user is locked out, where he is:
    /// then nothing is counted. Attempts at one time are counted one after the other.
    pub(crate) async fn count_attempt(
        &self,
        user: UserId,
        rules: LockOut,
        now_ns: UnixNanos,
    ) -> Result<Option<UnixNanos>> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let row = sqlx::query("SELECT failures, locked_until_ns FROM users WHERE id = ?")
            .bind(i64::from(user.0))
            .fetch_optional(&mut *transaction)
            .await?;
        let failures = row.map_or_else(Failures::default, |row| Failures {
            count: as_u32(row.get(0)),
            locked_until_ns: as_u64(row.get(1)),
        });
        if let Some(until_ns) = failures.locked_until(now_ns) {
            return Ok(Some(until_ns));
        }
        let after = failures.after_one_more(rules, now_ns);
        sqlx::query("UPDATE users SET failures = ?, locked_until_ns = ? WHERE id = ?")
            .bind(i64::from(after.count))
            .bind(as_i64(after.locked_until_ns))
            .bind(i64::from(user.0))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(None)
    }

    /// The right password was given.
    pub(crate) async fn forget_failures(&self, user: UserId) -> Result<()> {
        sqlx::query("UPDATE users SET failures = 0, locked_until_ns = 0 WHERE id = ?")
            .bind(i64::from(user.0))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Sets a password and ends all logins of the user; gives their families, whose tokens count until then at most.
    pub(crate) async fn set_password(
        &self,
        user: UserId,
        hash: &str,
        expires_ns: UnixNanos,
    ) -> Result<Vec<String>> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let done =
            sqlx::query("UPDATE users SET password_hash = ?, failures = 0, locked_until_ns = 0 WHERE id = ?")
                .bind(hash.to_owned())
                .bind(i64::from(user.0))
                .execute(&mut *transaction)
                .await?;
        if done.rows_affected() == 0 {
            return Err(IdentityError::NotFound { what: "user" });
        }
        let ended = sqlx::query(
            "INSERT OR REPLACE INTO ended_families (family, expires_ns)
             SELECT DISTINCT family, ? FROM refresh_tokens WHERE user_id = ? RETURNING family",
        )
        .bind(as_i64(expires_ns))
        .bind(i64::from(user.0))
        .fetch_all(&mut *transaction)
        .await?;
        sqlx::query("DELETE FROM refresh_tokens WHERE user_id = ?")
            .bind(i64::from(user.0))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(ended.iter().map(|row| row.get(0)).collect())
    }

    pub(crate) async fn groups(&self) -> Result<Vec<GroupRow>> {
        let rows = sqlx::query("SELECT id, name FROM user_groups ORDER BY id")
            .fetch_all(&self.pool)
            .await?;
        let row = |row: &SqliteRow| GroupRow {
            id: as_u32(row.get(0)),
            name: row.get(1),
        };
        Ok(rows.iter().map(row).collect())
    }

    pub(crate) async fn add_group(&self, name: &str) -> Result<GroupId> {
        let done = sqlx::query("INSERT INTO user_groups (name) VALUES (?)")
            .bind(name.to_owned())
            .execute(&self.pool)
            .await;
        let done = done.map_err(|error| taken(error, name))?;
        Ok(GroupId(as_u32(done.last_insert_rowid())))
    }

    pub(crate) async fn rename_group(&self, row: &GroupRow) -> Result<()> {
        let done = sqlx::query("UPDATE user_groups SET name = ? WHERE id = ?")
            .bind(row.name.clone())
            .bind(i64::from(row.id))
            .execute(&self.pool)
            .await;
        match done.map_err(|error| taken(error, &row.name))?.rows_affected() {
            0 => Err(IdentityError::NotFound { what: "group" }),
            _ => Ok(()),
        }
    }

    /// Takes a group away. False where there is none.
    pub(crate) async fn remove_group(&self, group: GroupId) -> Result<bool> {
        let done = sqlx::query("DELETE FROM user_groups WHERE id = ?")
            .bind(i64::from(group.0))
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    pub(crate) async fn add_key(&self, key: &ApiKeyRow, hash: &str, created_seq: u64) -> Result<()> {
        sqlx::query("INSERT INTO api_keys (id, user_id, label, hash, created_seq, created_ns) VALUES (?, ?, ?, ?, ?, ?)")
            .bind(key.id.clone())
            .bind(i64::from(key.user))
            .bind(key.label.clone())
            .bind(hash.to_owned())
            .bind(as_i64(created_seq))
            .bind(as_i64(key.created_ns))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    pub(crate) async fn keys(&self, user: UserId) -> Result<Vec<ApiKeyRow>> {
        let rows = sqlx::query(
            "SELECT id, user_id, label, created_ns FROM api_keys WHERE user_id = ? ORDER BY created_ns",
        )
        .bind(i64::from(user.0))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.iter().map(key_row).collect())
    }

    pub(crate) async fn all_keys(&self) -> Result<Vec<ApiKeyRow>> {
        let rows =
            sqlx::query("SELECT id, user_id, label, created_ns FROM api_keys ORDER BY user_id, created_ns")
                .fetch_all(&self.pool)
                .await?;
        Ok(rows.iter().map(key_row).collect())
    }

    pub(crate) async fn key(&self, id: &str) -> Result<Option<StoredKey>> {
        let row = sqlx::query("SELECT user_id, hash, created_seq FROM api_keys WHERE id = ?")
            .bind(id.to_owned())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|row| StoredKey {
            user: UserId(as_u32(row.get(0))),
            hash: row.get(1),
            created_seq: as_u64(row.get(2)),
        }))
    }

    /// Takes a key of a user away. False where he has none of this name.
    pub(crate) async fn remove_key(&self, user: UserId, id: &str) -> Result<bool> {
        let done = sqlx::query("DELETE FROM api_keys WHERE id = ? AND user_id = ?")
            .bind(id.to_owned())
            .bind(i64::from(user.0))
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Keeps a refresh token. False where its login was ended meanwhile: then it is not kept.
    pub(crate) async fn add_refresh(&self, hash: &[u8], refresh: &StoredRefresh) -> Result<bool> {
        let done = sqlx::query(
            "INSERT INTO refresh_tokens (hash, family, user_id, created_seq, expires_ns)
             SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS (SELECT 1 FROM ended_families WHERE family = ?2)",
        )
        .bind(hash.to_vec())
        .bind(refresh.family.clone())
        .bind(i64::from(refresh.user.0))
        .bind(as_i64(refresh.created_seq))
        .bind(as_i64(refresh.expires_ns))
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// The token with this hash as it was, and marks it used: of two at one time only one sees it unused.
    pub(crate) async fn use_refresh(&self, hash: &[u8]) -> Result<Option<StoredRefresh>> {
        let marked = sqlx::query("UPDATE refresh_tokens SET is_used = 1 WHERE hash = ? AND is_used = 0")
            .bind(hash.to_vec())
            .execute(&self.pool)
            .await?;
        let row =
            sqlx::query("SELECT user_id, family, created_seq, expires_ns FROM refresh_tokens WHERE hash = ?")
                .bind(hash.to_vec())
                .fetch_optional(&self.pool)
                .await?;
        Ok(row.map(|row| StoredRefresh {
            user: UserId(as_u32(row.get(0))),
            family: row.get(1),
            created_seq: as_u64(row.get(2)),
            expires_ns: as_u64(row.get(3)),
            is_used: marked.rows_affected() == 0,
        }))
    }

    /// Ends a login: its refresh tokens go, its access tokens are remembered until the last of them has expired.
    pub(crate) async fn end_family(&self, family: &str, expires_ns: UnixNanos) -> Result<()> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("DELETE FROM refresh_tokens WHERE family = ?")
            .bind(family.to_owned())
            .execute(&mut *transaction)
            .await?;
        sqlx::query("INSERT OR REPLACE INTO ended_families (family, expires_ns) VALUES (?, ?)")
            .bind(family.to_owned())
            .bind(as_i64(expires_ns))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Logins that were ended and whose tokens have not expired; older ones are forgotten, and so are old refresh tokens.
    pub(crate) async fn ended_families(&self, now_ns: UnixNanos) -> Result<Vec<(String, UnixNanos)>> {
        for statement in [
            "DELETE FROM ended_families WHERE expires_ns <= ?",
            "DELETE FROM refresh_tokens WHERE expires_ns <= ?",
        ] {
            sqlx::query(statement)
                .bind(as_i64(now_ns))
                .execute(&self.pool)
                .await?;
        }
        let rows = sqlx::query("SELECT family, expires_ns FROM ended_families")
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.iter().map(|row| (row.get(0), as_u64(row.get(1)))).collect())
    }
}

fn user_row(row: &SqliteRow) -> UserRow {
    UserRow {
        id: as_u32(row.get(0)),
        name: row.get(1),
        full_name: row.get(2),
        mail: row.get(3),
        subject: row.get(4),
    }
}

fn key_row(row: &SqliteRow) -> ApiKeyRow {
    ApiKeyRow {
        id: row.get(0),
        user: as_u32(row.get(1)),
        label: row.get(2),
        created_ns: as_u64(row.get(3)),
    }
}

fn taken(error: sqlx::Error, name: &str) -> IdentityError {
    let is_taken = error
        .as_database_error()
        .is_some_and(|error| error.is_unique_violation());
    match is_taken {
        true => IdentityError::NameTaken {
            name: name.to_owned(),
        },
        false => IdentityError::Database(error),
    }
}

/// SQLite has signed integers only; times and numbers stay below 2^63.
fn as_i64(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn as_u64(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn as_u32(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
