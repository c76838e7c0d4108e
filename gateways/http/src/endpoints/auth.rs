//! Login, tokens, and one's own account.

use super::v1;
use crate::call::{Call, Reply};
use crate::endpoint::{Endpoint, Need, Verb, handle};
use crate::gateway::Gateway;
use crate::problem::{Problem, ProblemCode};
use crate::schema::{Schema, Wire, object, rows, wire};
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;
use tradewind_domain::ids::UserId;
use tradewind_domain::time::{NANOS_PER_SEC, Rfc3339};
use tradewind_identity::{AuthError, Caller, IdentityError, Issued, Permission, Rights, Secret};

const GROUP: &str = "auth";

wire! {
    /// Name and password.
    Login {
        /// The user's name.
        user: String,
        /// The password.
        password: Secret,
    }
}

wire! {
    /// A refresh token.
    Refresh {
        /// The newest refresh token; it is good for one use.
        refresh_token: Secret,
    }
}

wire! {
    /// A new password for oneself.
    ChangePassword {
        /// The present password.
        old_password: Secret,
        /// The new one, 10 to 256 bytes.
        new_password: Secret,
    }
}

wire! {
    /// A new API key.
    NewKey {
        /// What it is for.
        label: String,
    }
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let new = |verb, path, need, handle, doc| Endpoint::new(verb, path, GROUP, need, handle, doc);
    vec![
        new(
            Verb::Post,
            v1!("/auth/login"),
            Need::Nothing,
            handle!(login),
            "Tokens for name and password.",
        )
        .takes::<Login>()
        .gives(200, tokens_schema),
        new(
            Verb::Post,
            v1!("/auth/refresh"),
            Need::Nothing,
            handle!(refresh),
            "New tokens for a refresh token.",
        )
        .takes::<Refresh>()
        .gives(200, tokens_schema),
        new(
            Verb::Post,
            v1!("/auth/logout"),
            Need::Token,
            handle!(logout),
            "Ends the login that the token came from.",
        ),
        new(
            Verb::Get,
            v1!("/auth/me"),
            Need::Token,
            handle!(me),
            "Who one is, and what one may do.",
        )
        .gives(200, user_schema),
        new(
            Verb::Post,
            v1!("/auth/password"),
            Need::Token,
            handle!(password),
            "Sets one's own password; all logins end, this one too. API keys stay.",
        )
        .takes::<ChangePassword>(),
        new(
            Verb::Get,
            v1!("/auth/keys"),
            Need::Token,
            handle!(keys),
            "One's own API keys, without their secret halves.",
        )
        .gives(200, keys_schema),
        new(
            Verb::Post,
            v1!("/auth/keys"),
            Need::Token,
            handle!(add_key),
            "Makes an API key with one's own rights. It is shown this once.",
        )
        .takes::<NewKey>()
        .gives(201, key_schema),
        new(
            Verb::Delete,
            v1!("/auth/keys/{id}"),
            Need::Token,
            handle!(remove_key),
            "Takes an API key away.",
        ),
    ]
}

fn user_schema() -> Schema {
    let mut schema = object(
        "A user.",
        &[
            ("id", "count", "Number, as the journal names him."),
            ("name", "text", "Name."),
            ("full_name", "text", "Full name."),
            ("roles", "any", "Where he stands: node, role and status."),
            (
                "permissions",
                "any",
                "What is opened somewhere: READ, TRADE, CAPTURE, CONTROL, ADMIN.",
            ),
            ("expires", "time?", "When the token ends; none for an API key."),
        ],
    );
    schema["properties"]["permissions"] = Vec::<String>::schema();
    schema
}

fn tokens_schema() -> Schema {
    let mut schema = object(
        "Tokens.",
        &[
            ("access_token", "text", "For `Authorization: Bearer`."),
            ("refresh_token", "text", "For the next tokens; good for one use."),
            ("token_type", "text", "Bearer."),
            ("expires_in", "count", "Seconds that the access token counts."),
            ("user", "any", "Who it is."),
        ],
    );
    schema["properties"]["user"] = user_schema();
    schema
}

pub(super) fn keys_schema() -> Schema {
    rows(key_row_schema(), &[])
}

fn key_row_schema() -> Schema {
    object(
        "An API key.",
        &[
            ("id", "text", "Its public half."),
            ("label", "text", "What it is for."),
            ("created", "time", "When it was made."),
        ],
    )
}

fn key_schema() -> Schema {
    let mut schema = key_row_schema();
    schema["properties"]["key"] =
        json!({ "type": "string", "description": "The key. It is not shown again." });
    schema
}

async fn login(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: Login = call.json()?;
    let now_ns = gateway.now_ns();
    let issued = gateway.identity.login(&body.user, &body.password, now_ns).await;
    let issued = issued.map_err(|error| locked(error, now_ns))?;
    tokens(&gateway, &issued)
}

/// Whoever is locked out is told when to come again.
fn locked(error: IdentityError, now_ns: u64) -> Problem {
    match error {
        IdentityError::Denied(AuthError::LockedOut { until_ns }) => {
            let wait_s = until_ns.saturating_sub(now_ns).div_ceil(NANOS_PER_SEC);
            Problem::from(error).retry_after(wait_s)
        }
        error => error.into(),
    }
}

async fn refresh(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: Refresh = call.json()?;
    let issued = gateway
        .identity
        .refresh(&body.refresh_token, gateway.now_ns())
        .await?;
    tokens(&gateway, &issued)
}

fn tokens(gateway: &Gateway, issued: &Issued) -> Result<Reply, Problem> {
    let rights = gateway.access().book().rights(issued.caller.user);
    Reply::json(&json!({
        "access_token": issued.access,
        "refresh_token": issued.refresh,
        "token_type": "Bearer",
        "expires_in": issued.expires_in_s,
        "user": user(gateway, &issued.caller, &rights),
    }))
}

fn user(gateway: &Gateway, caller: &Caller, rights: &Rights) -> Value {
    let row = gateway.identity.user(caller.user);
    let open = Permission::ALL
        .into_iter()
        .filter(|permission| rights.somewhere(*permission));
    let expires = (caller.expires_ns != u64::MAX).then(|| Rfc3339(caller.expires_ns).to_string());
    json!({
        "id": caller.user.0,
        "name": caller.name,
        "full_name": row.map(|row| row.full_name).unwrap_or_default(),
        "roles": gateway.access().book().list(Some(caller.user)),
        "permissions": open.map(Permission::text).collect::<Vec<_>>(),
        "expires": expires,
    })
}

async fn logout(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let caller = &call.asker()?.caller;
    gateway.identity.logout(caller, gateway.now_ns()).await?;
    Ok(Reply::nothing())
}

async fn me(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let asker = call.asker()?;
    Reply::json(&user(&gateway, &asker.caller, &asker.rights))
}

async fn password(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: ChangePassword = call.json()?;
    let user = call.asker()?.caller.user;
    let now_ns = gateway.now_ns();
    let is_right = gateway
        .identity
        .is_password(user, &body.old_password, now_ns)
        .await;
    if !is_right.map_err(|error| locked(error, now_ns))? {
        return Err(Problem::new(ProblemCode::InvalidValue, "").with("/old_password", "is not the password"));
    }
    gateway
        .identity
        .set_password(user, &body.new_password, now_ns)
        .await?;
    Ok(Reply::nothing())
}

async fn keys(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    keys_of(&gateway, call.asker()?.caller.user).await
}

/// The API keys of a user.
pub(super) async fn keys_of(gateway: &Gateway, user: UserId) -> Result<Reply, Problem> {
    let keys = gateway.identity.keys(user).await?;
    let rows: Vec<_> = keys
        .iter()
        .map(
            |key| json!({ "id": key.id, "label": key.label, "created": Rfc3339(key.created_ns).to_string() }),
        )
        .collect();
    Reply::json(&json!({ "data": rows }))
}

async fn add_key(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: NewKey = call.json()?;
    let user = call.asker()?.caller.user;
    let made = gateway
        .identity
        .add_key(user, &body.label, gateway.now_ns())
        .await?;
    let answer = Reply::json(&json!({
        "id": made.row.id,
        "label": made.row.label,
        "created": Rfc3339(made.row.created_ns).to_string(),
        "key": made.key,
    }))?;
    Ok(answer.status(StatusCode::CREATED))
}

async fn remove_key(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let user = call.asker()?.caller.user;
    gateway
        .identity
        .remove_key(user, call.path("id"), gateway.now_ns())
        .await?;
    Ok(Reply::nothing())
}
