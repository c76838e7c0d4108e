//! The door: logins and tokens, and who is behind them.
//!
//! # Invariants
//! - A wrong name costs as much time as a wrong password.
//! - At most [`CHECKS_MAX`] passwords are hashed at one time; who would have to wait long is told to come again.
//! - An attempt counts as failed before its password is looked at, so many at one time get no more guesses than one after the other.
//! - A refresh token is good for one use. The second use ends the login that it came from.

mod keys;
mod people;

pub use keys::NewKey;

use crate::access::Access;
use crate::database::{Database, NewUser, StoredRefresh, UserRow};
use crate::error::{AuthError, IdentityError};
use crate::jwks::Keys;
use crate::key::SigningKey;
use crate::lockout::LockOut;
use crate::password::{self, LENGTH_MAX, LENGTH_MIN, PasswordCost};
use crate::secret::Secret;
use crate::token::{self, Claims, OURS, Token};
use keys::{KEY_PREFIX, KnownKeys};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tradewind_domain::ids::{Seq, UserId};
use tradewind_domain::time::{NANOS_PER_SEC, UnixNanos};

/// Passwords that are hashed at one time; each takes 19 MiB.
const CHECKS_MAX: usize = 4;
/// How long one waits for its turn.
const TURN_MAX: Duration = Duration::from_secs(5);
/// The name of the first user.
const FIRST_USER: &str = "admin";

/// Where things stand and how long they count.
#[derive(Clone, Debug)]
pub struct IdentitySettings {
    /// Folder of `identity.db` and `identity.key`.
    pub dir: PathBuf,
    /// How long an access token counts, nanoseconds.
    pub token_ns: u64,
    /// How long a refresh token counts, nanoseconds.
    pub refresh_ns: u64,
    /// Failed logins in a row after which a user is locked out.
    pub failures_max: u32,
    /// For how long, nanoseconds.
    pub lock_ns: u64,
    /// What a password hash costs.
    pub cost: PasswordCost,
    /// Whose tokens count beside our own.
    pub outside: Option<OutsideIssuer>,
}

/// An outside issuer of tokens, such as Keycloak.
#[derive(Clone, Debug)]
pub struct OutsideIssuer {
    /// `iss` of its tokens.
    pub issuer: String,
    /// `aud` that names this engine.
    pub audience: String,
    /// File with its keys.
    pub jwks_file: PathBuf,
}

/// Somebody whose token or key counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user.
    pub user: UserId,
    /// His name, for people; the journal gets the number.
    pub name: String,
    /// The login or key that he came with.
    family: String,
    /// Order of the token among the journal's records; none for an outside issuer's, whose time stands in `made_ns`.
    made_seq: Option<Seq>,
    made_ns: UnixNanos,
    /// When the token ends, nanoseconds.
    pub expires_ns: UnixNanos,
}

/// Tokens of a login.
#[derive(Clone, Debug)]
pub struct Issued {
    /// For requests.
    pub access: Secret,
    /// For the next access token; good for one use.
    pub refresh: Secret,
    /// Seconds that the access token counts.
    pub expires_in_s: u64,
    /// Who it is.
    pub caller: Caller,
}

/// The first user and the password that was made for him.
#[derive(Clone, Debug)]
pub struct OneTimePassword {
    /// The user.
    pub user: UserId,
    /// His name.
    pub name: String,
    /// To be shown once.
    pub password: Secret,
}

struct Outside {
    issuer: OutsideIssuer,
    keys: Keys,
}

#[derive(Default)]
struct Directory {
    by_id: HashMap<u32, UserRow>,
    by_subject: HashMap<String, u32>,
}

impl Directory {
    fn put(&mut self, row: UserRow) {
        if let Some(subject) = &row.subject {
            self.by_subject.insert(subject.clone(), row.id);
        }
        self.by_id.insert(row.id, row);
    }

    fn remove(&mut self, id: u32) {
        self.by_id.remove(&id);
        self.by_subject.retain(|_, user| *user != id);
    }
}

/// Who there is.
pub struct Identity {
    database: Database,
    key: SigningKey,
    access: Arc<Access>,
    settings: IdentitySettings,
    outside: Option<Outside>,
    directory: RwLock<Directory>,
    checks: Arc<Semaphore>,
    keys: KnownKeys,
    ended: RwLock<HashMap<String, UnixNanos>>,
    /// What an unknown name is compared with.
    nobody_hash: String,
}

type Result<T> = std::result::Result<T, IdentityError>;

impl Identity {
    /// Opens database and key, or makes them.
    pub async fn open(settings: IdentitySettings, access: Arc<Access>, now_ns: UnixNanos) -> Result<Self> {
        let key = SigningKey::open(&settings.dir.join("identity.key"))?;
        let database = Database::open(&settings.dir.join("identity.db")).await?;
        let mut directory = Directory::default();
        for row in database.users().await? {
            directory.put(row);
        }
        let outside = settings.outside.clone().map(outside).transpose()?;
        let ended = database.ended_families(now_ns).await?.into_iter().collect();
        let nobody = Secret::new(password::random_text(32)?);
        Ok(Self {
            nobody_hash: password::hash(&nobody, settings.cost)?,
            database,
            key,
            access,
            outside,
            directory: RwLock::new(directory),
            checks: Arc::new(Semaphore::new(CHECKS_MAX)),
            keys: KnownKeys::new()?,
            ended: RwLock::new(ended),
            settings,
        })
    }

    /// Writes out what SQLite holds back.
    pub async fn close(&self) {
        self.database.close().await;
    }

    /// Who may do what.
    pub fn access(&self) -> &Arc<Access> {
        &self.access
    }

    /// Makes the first user where there is none at all. One that stands alone without being an administrator (a first start that did not
    /// come to its end) gets a new password.
    pub async fn first_user(&self, has_admin: bool, now_ns: UnixNanos) -> Result<Option<OneTimePassword>> {
        let users = self.users();
        let (user, group) = self.access.book().highest_numbers();
        self.database.reserve(user, group).await?;
        let password = Self::random_password()?;
        let row = match users.as_slice() {
            [] => {
                let new = NewUser {
                    name: FIRST_USER.into(),
                    full_name: "First administrator".into(),
                    ..NewUser::default()
                };
                self.add_user(new, Some(&password), now_ns).await?
            }
            [only] if !has_admin => {
                self.set_password(UserId(only.id), &password, now_ns).await?;
                only.clone()
            }
            _ => return Ok(None),
        };
        Ok(Some(OneTimePassword {
            user: UserId(row.id),
            name: row.name,
            password,
        }))
    }

    /// A password to be shown once.
    pub fn random_password() -> Result<Secret> {
        Ok(Secret::new(password::random_text(20)?))
    }

    /// Lets somebody in by name and password.
    pub async fn login(&self, name: &str, password: &Secret, now_ns: UnixNanos) -> Result<Issued> {
        let user = self.check_password(name, password, now_ns).await?;
        let family = password::random_text(26)?;
        self.issue(user, family, now_ns).await
    }

    /// Whose name and password it is. Each attempt waits for its turn first, so that one that nobody has time for costs no guess.
    async fn check_password(&self, name: &str, password: &Secret, now_ns: UnixNanos) -> Result<UserId> {
        let turn = self.turn().await?;
        let found = self.database.credentials(name).await?;
        if let Some(found) = &found {
            let rules = LockOut {
                failures_max: self.settings.failures_max,
                lock_ns: self.settings.lock_ns,
            };
            let locked_until = self.database.count_attempt(found.user, rules, now_ns).await?;
            if let Some(until_ns) = locked_until {
                return Err(AuthError::LockedOut { until_ns }.into());
            }
        }
        let hash = found
            .as_ref()
            .map_or(&self.nobody_hash, |found| &found.password_hash);
        let is_right = verify(turn, password, hash).await?;
        match found {
            Some(found) if is_right => {
                self.database.forget_failures(found.user).await?;
                Ok(found.user)
            }
            _ => Err(AuthError::BadCredentials.into()),
        }
    }

    /// New tokens for a refresh token.
    pub async fn refresh(&self, refresh: &Secret, now_ns: UnixNanos) -> Result<Issued> {
        let hash = blake3::hash(refresh.reveal().as_bytes());
        let found = self.database.use_refresh(hash.as_bytes()).await?;
        let found = found.ok_or(AuthError::BadToken)?;
        if found.is_used {
            self.end(&found.family, now_ns).await?;
            return Err(AuthError::Reused.into());
        }
        if found.expires_ns <= now_ns {
            return Err(AuthError::Expired.into());
        }
        let revoked = self.access.book().revocation(found.user);
        if revoked.is_some_and(|revoked| revoked.seq > found.created_seq) {
            return Err(AuthError::Revoked.into());
        }
        self.issue(found.user, found.family, now_ns).await
    }

    /// Ends the login that a caller came with.
    pub async fn logout(&self, caller: &Caller, now_ns: UnixNanos) -> Result<()> {
        let until_ns = caller.expires_ns.max(self.ends_ns(now_ns));
        self.remember_ended(&caller.family, until_ns, now_ns);
        self.database.end_family(&caller.family, until_ns).await
    }

    async fn end(&self, family: &str, now_ns: UnixNanos) -> Result<()> {
        self.remember_ended(family, self.ends_ns(now_ns), now_ns);
        self.database.end_family(family, self.ends_ns(now_ns)).await
    }

    /// When the last access token ends that may have been made by now.
    fn ends_ns(&self, now_ns: UnixNanos) -> UnixNanos {
        now_ns.saturating_add(self.settings.token_ns)
    }

    fn remember_ended(&self, family: &str, until_ns: UnixNanos, now_ns: UnixNanos) {
        let mut ended = self.ended.write().unwrap_or_else(PoisonError::into_inner);
        ended.retain(|_, until| *until > now_ns);
        ended.insert(family.to_owned(), until_ns);
    }

    async fn issue(&self, user: UserId, family: String, now_ns: UnixNanos) -> Result<Issued> {
        let name = self.name(user).ok_or(AuthError::BadToken)?;
        let made_seq = self.access.seen();
        let refresh = Secret::new(format!("twr_{}", password::random_text(52)?));
        let stored = StoredRefresh {
            user,
            family: family.clone(),
            created_seq: made_seq,
            expires_ns: now_ns.saturating_add(self.settings.refresh_ns),
            is_used: false,
        };
        let hash = blake3::hash(refresh.reveal().as_bytes());
        if !self.database.add_refresh(hash.as_bytes(), &stored).await? {
            return Err(AuthError::Revoked.into());
        }
        let (iat, lifetime_s) = (now_ns / NANOS_PER_SEC, self.settings.token_ns / NANOS_PER_SEC);
        let claims = Claims {
            iss: OURS.into(),
            aud: OURS.into(),
            sub: user.0.to_string(),
            iat,
            exp: iat + lifetime_s,
            jti: password::random_text(26)?,
            seq: made_seq,
            family,
        };
        let access = token::sign(&self.key, &claims).ok_or(IdentityError::Crypto)?;
        Ok(Issued {
            access: Secret::new(access),
            refresh,
            expires_in_s: lifetime_s,
            caller: caller(user, name, &claims),
        })
    }

    /// Who a token or an API key belongs to.
    pub async fn authenticate(&self, bearer: &str, now_ns: UnixNanos) -> Result<Caller> {
        match bearer.strip_prefix(KEY_PREFIX) {
            Some(key) => self.authenticate_key(bearer, key, now_ns).await,
            None => Ok(self.authenticate_token(bearer, now_ns)?),
        }
    }

    /// Who a token belongs to; API keys are none.
    pub fn authenticate_token(
        &self,
        text: &str,
        now_ns: UnixNanos,
    ) -> std::result::Result<Caller, AuthError> {
        let token = Token::parse(text)?;
        let caller = match token.ours(&self.key, now_ns) {
            Err(AuthError::BadToken) => self.outside_caller(&token, now_ns)?,
            Err(error) => return Err(error),
            Ok(claims) => {
                let user = UserId(claims.sub.parse().map_err(|_| AuthError::BadToken)?);
                let name = self.name(user).ok_or(AuthError::Revoked)?;
                caller(user, name, &claims)
            }
        };
        self.still_counts(&caller, now_ns)?;
        Ok(caller)
    }

    fn outside_caller(&self, token: &Token<'_>, now_ns: UnixNanos) -> std::result::Result<Caller, AuthError> {
        let outside = self.outside.as_ref().ok_or(AuthError::BadToken)?;
        let OutsideIssuer { issuer, audience, .. } = &outside.issuer;
        let claims = token.outside(&outside.keys, issuer, audience, now_ns)?;
        let directory = self.directory();
        let user = directory.by_subject.get(&claims.sub).ok_or(AuthError::BadToken)?;
        let name = directory.by_id.get(user).map(|row| row.name.clone());
        Ok(Caller {
            user: UserId(*user),
            name: name.ok_or(AuthError::BadToken)?,
            family: token.outside_family(claims.jti.as_deref()),
            made_seq: None,
            made_ns: claims.iat.saturating_mul(NANOS_PER_SEC),
            expires_ns: claims.exp.saturating_mul(NANOS_PER_SEC),
        })
    }

    /// Looks again at somebody who was let in: not erased, not logged out, nothing revoked since, not expired.
    pub fn still_counts(&self, caller: &Caller, now_ns: UnixNanos) -> std::result::Result<(), AuthError> {
        if caller.expires_ns <= now_ns {
            return Err(AuthError::Expired);
        }
        let is_ended = self
            .ended
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .contains_key(&caller.family);
        if is_ended || !self.directory().by_id.contains_key(&caller.user.0) {
            return Err(AuthError::Revoked);
        }
        let revoked = self.access.book().revocation(caller.user);
        let is_revoked = revoked.is_some_and(|revoked| match caller.made_seq {
            Some(seq) => revoked.seq > seq,
            // Seconds of another clock: a token of the same second is taken for an older one.
            None => caller.made_ns <= revoked.at_ns,
        });
        if is_revoked {
            Err(AuthError::Revoked)
        } else {
            Ok(())
        }
    }

    fn name(&self, user: UserId) -> Option<String> {
        self.directory().by_id.get(&user.0).map(|row| row.name.clone())
    }

    async fn hash(&self, password: &Secret) -> Result<String> {
        check_length(password)?;
        let (password, cost) = (password.clone(), self.settings.cost);
        at_work(self.turn().await?, move || password::hash(&password, cost)).await?
    }

    /// Waits for a place among those who may take much memory and time.
    async fn turn(&self) -> Result<OwnedSemaphorePermit> {
        let turn = tokio::time::timeout(TURN_MAX, Arc::clone(&self.checks).acquire_owned()).await;
        turn.map_err(|_| AuthError::Busy)?
            .map_err(|_| IdentityError::Thread)
    }

    fn directory(&self) -> std::sync::RwLockReadGuard<'_, Directory> {
        self.directory.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn directory_mut(&self) -> std::sync::RwLockWriteGuard<'_, Directory> {
        self.directory.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn caller(user: UserId, name: String, claims: &Claims) -> Caller {
    Caller {
        user,
        name,
        family: claims.family.clone(),
        made_seq: Some(claims.seq),
        made_ns: claims.iat * NANOS_PER_SEC,
        expires_ns: claims.exp.saturating_mul(NANOS_PER_SEC),
    }
}

impl OutsideIssuer {
    /// Says whether its keys can be read.
    pub fn check(&self) -> Result<()> {
        outside(self.clone()).map(drop)
    }
}

fn outside(issuer: OutsideIssuer) -> Result<Outside> {
    let path = issuer.jwks_file.clone();
    let text = std::fs::read_to_string(&path).map_err(|source| IdentityError::File {
        path: path.clone(),
        source,
    })?;
    let keys = Keys::parse(&text).map_err(|what| IdentityError::BadFile { path, what })?;
    Ok(Outside { issuer, keys })
}

/// True where the password has this hash.
async fn verify(turn: OwnedSemaphorePermit, password: &Secret, hash: &str) -> Result<bool> {
    if password.reveal().len() > LENGTH_MAX {
        return Ok(false);
    }
    let (password, hash) = (password.clone(), hash.to_owned());
    at_work(turn, move || password::verify(&password, &hash)).await
}

/// Does something that takes much memory and time, on a thread that may.
async fn at_work<T: Send + 'static>(
    turn: OwnedSemaphorePermit,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(turn);
        done
    });
    done.await.map_err(|_| IdentityError::Thread)
}

fn check_length(password: &Secret) -> Result<()> {
    if (LENGTH_MIN..=LENGTH_MAX).contains(&password.reveal().len()) {
        return Ok(());
    }
    Err(IdentityError::BadValue("a password has 10 to 256 bytes"))
}

#[cfg(test)]
mod tests;
