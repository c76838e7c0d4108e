//! Users, groups, and who may do what where. Names are kept in `identity.db`; every change of access is a journaled event.

use super::changes::{author_code, change, outcome_schema};
use super::v1;
use super::values::word;
use crate::call::{Asker, Call, Reply};
use crate::endpoint::{Endpoint, Need, Verb, handle, params};
use crate::gateway::Gateway;
use crate::problem::{Problem, ProblemCode};
use crate::schema::{Schema, object, rows, wire};
use axum::http::StatusCode;
use bytemuck::Zeroable;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use tradewind_control::Outcome;
use tradewind_domain::codes::{AccessStatus, Role};
use tradewind_domain::event::{AccessSet, InboundLong, Kind};
use tradewind_domain::ids::{GroupId, NodeId, UserId};
use tradewind_domain::text::{Code, Symbol};
use tradewind_identity::{AccessView, GroupRow, NewUser, Permission, Secret, UserRow};

const GROUP: &str = "access";

wire! {
    /// What is to change of a user. What is left out stays.
    ChangeUser {
        /// Name to log in with.
        name: Option<String>,
        /// Full name.
        full_name: Option<String>,
        /// Mail address.
        mail: Option<String>,
        /// `sub` of the outside issuer's tokens; empty for none.
        subject: Option<String>,
    }
}

wire! {
    /// A new user. Without a password he comes by an outside issuer's token or an API key.
    AddUser {
        /// Name to log in with: letters, digits and . - _ @ +.
        name: String,
        /// Full name.
        full_name: Option<String>,
        /// Mail address.
        mail: Option<String>,
        /// `sub` of the outside issuer's tokens.
        subject: Option<String>,
        /// Password, 10 to 256 bytes.
        password: Option<Secret>,
    }
}

wire! {
    /// A new group.
    AddGroup {
        /// Name.
        name: String,
    }
}

wire! {
    /// A password for somebody.
    SetPassword {
        /// The password, 10 to 256 bytes.
        password: Secret,
    }
}

wire! {
    /// A key for somebody.
    AddKey {
        /// What it is for.
        label: String,
    }
}

wire! {
    /// How a user or group is to stand to a node. With both, it is the user's place in the group.
    SetAccess {
        /// Number of the user.
        user: Option<u32>,
        /// Number of the group.
        group: Option<u32>,
        /// The node or account; left out: the whole firm.
        node: Option<String>,
        /// VIEWER, TRADER, RISK, ADMIN or SERVICE; left out for a place in a group.
        role: Option<String>,
        /// APPLIED (for oneself), AWAITING_APPROVAL, NONE, GRANTED or REVOKED.
        status: String,
        /// Why.
        reason: String,
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfUser {
    user: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    reason: String,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let admin = Need::Firm(Permission::Admin);
    let new = |verb, path, need, handle, doc| Endpoint::new(verb, path, GROUP, need, handle, doc);
    vec![
        new(Verb::Get, v1!("/access"), Need::Token, handle!(list), "Who stands how to which node: one's own lines; for an administrator of the firm, everybody's.")
            .params(params!["user" count "Only this user's."])
            .gives(200, access_schema),
        new(Verb::Post, v1!("/access"), Need::Token, handle!(set), "Applies for, grants, refuses or revokes access. A client may grant VIEWER on his own accounts, and take it back.")
            .takes::<SetAccess>()
            .gives(200, outcome_schema),
        new(Verb::Get, v1!("/users"), admin, handle!(users), "All users.").gives(200, users_schema),
        new(Verb::Post, v1!("/users"), admin, handle!(add_user), "Makes a user. He may do nothing until access is granted.")
            .takes::<AddUser>()
            .gives(201, user_schema),
        new(Verb::Get, v1!("/users/{id}"), admin, handle!(user), "One user.").gives(200, user_schema),
        new(Verb::Put, v1!("/users/{id}"), admin, handle!(change_user), "Changes names, mail address and outside subject of a user.")
            .takes::<ChangeUser>()
            .gives(200, user_schema),
        new(Verb::Delete, v1!("/users/{id}"), admin, handle!(erase), "Revokes all access of a user and erases his name, mail address, password and keys.")
            .params(params!["reason" text "Why."]),
        new(Verb::Post, v1!("/users/{id}/password"), admin, handle!(password), "Sets a user's password; his logins end. API keys stay.")
            .takes::<SetPassword>(),
        new(Verb::Get, v1!("/users/{id}/keys"), admin, handle!(keys), "API keys of a user, without their secret halves.")
            .gives(200, super::auth::keys_schema),
        new(Verb::Delete, v1!("/users/{id}/keys/{key}"), admin, handle!(remove_key), "Takes an API key of a user away; what came in by it ends."),
        new(Verb::Post, v1!("/users/{id}/keys"), admin, handle!(add_key), "Makes an API key that acts as the user. It is shown this once.")
            .takes::<AddKey>()
            .gives(201, key_schema),
        new(Verb::Get, v1!("/groups"), admin, handle!(groups), "All groups.").gives(200, groups_schema),
        new(Verb::Post, v1!("/groups"), admin, handle!(add_group), "Makes a group. Its members come by /access.")
            .takes::<AddGroup>()
            .gives(201, group_schema),
        new(Verb::Get, v1!("/groups/{id}"), admin, handle!(group), "One group.").gives(200, group_schema),
        new(Verb::Put, v1!("/groups/{id}"), admin, handle!(rename_group), "Gives a group another name.")
            .takes::<AddGroup>()
            .gives(200, group_schema),
        new(Verb::Delete, v1!("/groups/{id}"), admin, handle!(remove_group), "Revokes all access of a group and its members' places in it, and takes its name away.")
            .params(params!["reason" text "Why."]),
    ]
}

fn access_schema() -> Schema {
    rows(
        object(
            "How a user or group stands to a node.",
            &[
                ("user", "any?", "Number of the user; none for a group's access."),
                (
                    "group",
                    "any?",
                    "Number of the group; none for a user's own access.",
                ),
                (
                    "node",
                    "text?",
                    "The node; none for the whole firm, and for a place in a group.",
                ),
                ("role", "text?", "The role; none for a place in a group."),
                ("status", "text", "How things stand."),
                ("author", "text", "Who decided or asked."),
                ("seq", "count", "The record that says so."),
                ("at", "time", "When the engine took it."),
            ],
        ),
        &[],
    )
}

fn user_schema() -> Schema {
    object(
        "A user.",
        &[
            ("id", "count", "Number, as the journal names him."),
            ("name", "text", "Name to log in with."),
            ("full_name", "text", "Full name."),
            ("mail", "text", "Mail address."),
            ("subject", "text?", "`sub` of the outside issuer's tokens."),
        ],
    )
}

fn users_schema() -> Schema {
    rows(user_schema(), &[])
}

fn group_schema() -> Schema {
    object(
        "A group.",
        &[
            ("id", "count", "Number, as the journal names it."),
            ("name", "text", "Name."),
        ],
    )
}

fn groups_schema() -> Schema {
    rows(group_schema(), &[])
}

fn key_schema() -> Schema {
    object(
        "An API key.",
        &[
            ("id", "text", "Its public half."),
            ("label", "text", "What it is for."),
            ("key", "text", "The key. It is not shown again."),
        ],
    )
}

async fn list(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let OfUser { user } = call.query()?;
    let asker = call.asker()?;
    let is_admin = gateway.require_firm(asker, Permission::Admin).is_ok();
    let user = match user.map(UserId) {
        Some(user) if is_admin || user == asker.caller.user => Some(user),
        Some(_) => {
            return Err(Problem::not_permitted(
                "the access of others is for administrators of the firm",
            ));
        }
        None if is_admin => None,
        None => Some(asker.caller.user),
    };
    Reply::json(&json!({ "data": gateway.access().book().list(user) }))
}

async fn set(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: SetAccess = call.json()?;
    let asker = call.asker()?;
    let wish = Wish::of(&body, asker)?;
    permit(&gateway, asker, &wish)?;
    if let Some(user) = body
        .user
        .filter(|user| gateway.identity.user(UserId(*user)).is_none())
    {
        return Err(Problem::value("/user", format!("there is no user {user}")));
    }
    let outcome = send(&gateway, &call, &wish, &body.reason).await?;
    Reply::json(&json!({ "outcome": outcome }))
}

/// A change of access.
struct Wish {
    body: AccessSet,
    node: Code,
    status: AccessStatus,
}

impl Wish {
    fn of(body: &SetAccess, asker: &Asker) -> Result<Self, Problem> {
        const ROLES: &str = "VIEWER, TRADER, RISK, ADMIN, SERVICE";
        const STATUSES: &str = "APPLIED, AWAITING_APPROVAL, NONE, GRANTED, REVOKED";
        let status = word("/status", &body.status, AccessStatus::from_text, STATUSES)?;
        let role = body
            .role
            .as_deref()
            .map(|role| word("/role", role, Role::from_text, ROLES))
            .transpose()?;
        let node = Code::new(body.node.as_deref().unwrap_or(""))
            .map_err(|error| Problem::value("/node", error.to_string()))?;
        let set = AccessSet {
            author: author_code(asker),
            user: body.user.map_or(UserId::NONE, UserId),
            group: body.group.map_or(GroupId::NONE, GroupId),
            role: role.map_or(0, |role| role as u8),
            status: status as u8,
            node: NodeId::NONE,
            ..AccessSet::zeroed()
        };
        if set.user.is_none() && set.group.is_none() {
            return Err(Problem::value("/user", "name a user, a group, or both"));
        }
        if set.is_membership() != role.is_none() || (set.is_membership() && !node.is_empty()) {
            return Err(Problem::value(
                "/role",
                "goes with a node, and a place in a group has neither",
            ));
        }
        Ok(Self {
            body: set,
            node,
            status,
        })
    }

    /// The end of what a line grants or asks for.
    fn revoking(line: &AccessView, asker: &Asker) -> Self {
        let role = line.role.as_deref().and_then(Role::from_text);
        Self {
            body: AccessSet {
                author: author_code(asker),
                user: line.user.map_or(UserId::NONE, UserId),
                group: line.group.map_or(GroupId::NONE, GroupId),
                role: role.map_or(0, |role| role as u8),
                status: AccessStatus::Revoked as u8,
                node: NodeId::NONE,
                ..AccessSet::zeroed()
            },
            node: Code::lossy(line.node.as_deref().unwrap_or("")),
            status: AccessStatus::Revoked,
        }
    }

    /// True where somebody asks for access for himself.
    fn is_application_of(&self, asker: &Asker) -> bool {
        self.status == AccessStatus::Applied
            && self.body.user == asker.caller.user
            && !self.body.is_membership()
    }
}

/// Who may set it: an administrator of the node; a client for viewers of his own accounts; anybody for an application of his own.
fn permit(gateway: &Gateway, asker: &Asker, wish: &Wish) -> Result<(), Problem> {
    let is_admin = match wish.node.is_empty() {
        true => gateway.require_firm(asker, Permission::Admin).is_ok(),
        false => gateway
            .require(asker, Permission::Admin, wish.node.as_str())
            .is_ok(),
    };
    let book = gateway.access().book();
    let node = book.node(wish.node.as_str());
    let standing = node
        .or(Some(NodeId::NONE))
        .and_then(|node| book.standing(wish.body.user, node));
    let is_granted = matches!(standing, Some((_, AccessStatus::Granted, _)));
    if wish.is_application_of(asker) {
        return match is_granted {
            true => Err(Problem::new(ProblemCode::Conflict, "it is granted already")),
            false => Ok(()),
        };
    }
    if wish.status == AccessStatus::Applied {
        return Err(Problem::not_permitted("nobody applies for somebody else"));
    }
    if is_admin {
        return keep_an_admin(&book, wish);
    }
    let is_own = node.is_some_and(|node| book.owns(asker.caller.user, Role::Trader, node));
    let is_for_a_viewer = wish.body.role == Role::Viewer as u8
        && wish.body.group.is_none()
        && wish.body.user != asker.caller.user
        && matches!(wish.status, AccessStatus::Granted | AccessStatus::Revoked);
    // What somebody else decided is not the client's to change.
    let is_his_word = match &standing {
        None => true,
        Some((_, AccessStatus::Applied | AccessStatus::None | AccessStatus::Revoked, _)) => true,
        Some((_, _, author)) => *author == author_code(asker).to_string(),
    };
    match is_own && is_for_a_viewer && is_his_word {
        true => Ok(()),
        false => Err(Problem::not_permitted(
            "access is given by administrators; a client may give VIEWER on his own accounts",
        )),
    }
}

/// The firm is never left without an administrator.
fn keep_an_admin(book: &tradewind_identity::AccessBook, wish: &Wish) -> Result<(), Problem> {
    let is_demotion = wish.node.is_empty()
        && !(wish.status == AccessStatus::Granted && wish.body.role == Role::Admin as u8)
        && !wish.body.is_membership();
    let admins = book.firm_admins();
    match is_demotion && admins == [wish.body.user] {
        true => Err(Problem::new(
            ProblemCode::Conflict,
            "the last administrator of the firm stays one",
        )),
        false => Ok(()),
    }
}

async fn send(gateway: &Gateway, call: &Call, wish: &Wish, reason: &str) -> Result<Outcome, Problem> {
    let message = InboundLong::new(Kind::AccessSet, &wish.body).named(Symbol::EMPTY, wish.node);
    change(gateway, call, message, reason).await
}

/// The user of the path, who must be there.
fn user_of(gateway: &Gateway, call: &Call) -> Result<UserRow, Problem> {
    let text = call.path("id");
    let row = text.parse().ok().and_then(|id| gateway.identity.user(UserId(id)));
    row.ok_or_else(|| Problem::not_found("user", text))
}

/// The group of the path, which must be there.
async fn group_of(gateway: &Gateway, call: &Call) -> Result<GroupRow, Problem> {
    let text = call.path("id");
    let mut groups = gateway.identity.groups().await?.into_iter();
    let row = groups.find(|row| text.parse::<u32>().ok() == Some(row.id));
    row.ok_or_else(|| Problem::not_found("group", text))
}

async fn users(gateway: Arc<Gateway>, _call: Call) -> Result<Reply, Problem> {
    Reply::json(&json!({ "data": gateway.identity.users() }))
}

async fn add_user(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: AddUser = call.json()?;
    let new = NewUser {
        name: body.name,
        full_name: body.full_name.unwrap_or_default(),
        mail: body.mail.unwrap_or_default(),
        subject: body.subject,
    };
    let row = gateway
        .identity
        .add_user(new, body.password.as_ref(), gateway.now_ns())
        .await?;
    Ok(Reply::json(&row)?.status(StatusCode::CREATED))
}

async fn user(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    Reply::json(&user_of(&gateway, &call)?)
}

async fn change_user(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: ChangeUser = call.json()?;
    let known = user_of(&gateway, &call)?;
    let subject = match body.subject {
        None => known.subject,
        Some(subject) => Some(subject).filter(|subject| !subject.is_empty()),
    };
    let row = UserRow {
        id: known.id,
        name: body.name.unwrap_or(known.name),
        full_name: body.full_name.unwrap_or(known.full_name),
        mail: body.mail.unwrap_or(known.mail),
        subject,
    };
    Reply::json(&gateway.identity.change_user(row).await?)
}

async fn erase(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let Reason { reason } = call.query()?;
    let user = UserId(user_of(&gateway, &call)?.id);
    let lines = gateway.access().book().list(Some(user));
    let of_user = lines.into_iter().filter(|line| line.user == Some(user.0));
    revoke(&gateway, &call, of_user, &reason).await?;
    gateway.identity.erase_user(user).await?;
    Ok(Reply::nothing())
}

async fn remove_group(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let Reason { reason } = call.query()?;
    let group = group_of(&gateway, &call).await?.id;
    let lines = gateway.access().book().list(None);
    let of_group = lines.into_iter().filter(|line| line.group == Some(group));
    revoke(&gateway, &call, of_group, &reason).await?;
    gateway.identity.remove_group(GroupId(group)).await?;
    Ok(Reply::nothing())
}

/// Revokes what the lines grant or ask for, each in a record of its own; none of them where one cannot be revoked.
async fn revoke(
    gateway: &Gateway,
    call: &Call,
    lines: impl Iterator<Item = AccessView>,
    reason: &str,
) -> Result<(), Problem> {
    let asker = call.asker()?;
    let is_held = |line: &AccessView| line.status != AccessStatus::Revoked.text();
    let wishes: Vec<Wish> = lines
        .filter(is_held)
        .map(|line| Wish::revoking(&line, asker))
        .collect();
    for wish in &wishes {
        keep_an_admin(&gateway.access().book(), wish)?;
    }
    for wish in &wishes {
        send(gateway, call, wish, reason).await?;
    }
    Ok(())
}

async fn password(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: SetPassword = call.json()?;
    let user = UserId(user_of(&gateway, &call)?.id);
    gateway
        .identity
        .set_password(user, &body.password, gateway.now_ns())
        .await?;
    Ok(Reply::nothing())
}

async fn keys(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let user = UserId(user_of(&gateway, &call)?.id);
    super::auth::keys_of(&gateway, user).await
}

async fn add_key(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: AddKey = call.json()?;
    let user = UserId(user_of(&gateway, &call)?.id);
    let made = gateway
        .identity
        .add_key(user, &body.label, gateway.now_ns())
        .await?;
    let answer = Reply::json(&json!({ "id": made.row.id, "label": made.row.label, "key": made.key }))?;
    Ok(answer.status(StatusCode::CREATED))
}

async fn remove_key(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let user = UserId(user_of(&gateway, &call)?.id);
    gateway
        .identity
        .remove_key(user, call.path("key"), gateway.now_ns())
        .await?;
    Ok(Reply::nothing())
}

async fn group(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    Reply::json(&group_of(&gateway, &call).await?)
}

async fn rename_group(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: AddGroup = call.json()?;
    let id = group_of(&gateway, &call).await?.id;
    let row = GroupRow { id, name: body.name };
    Reply::json(&gateway.identity.rename_group(row).await?)
}

async fn groups(gateway: Arc<Gateway>, _call: Call) -> Result<Reply, Problem> {
    Reply::json(&json!({ "data": gateway.identity.groups().await? }))
}

async fn add_group(gateway: Arc<Gateway>, call: Call) -> Result<Reply, Problem> {
    let body: AddGroup = call.json()?;
    let row = gateway.identity.add_group(&body.name).await?;
    Ok(Reply::json(&row)?.status(StatusCode::CREATED))
}
