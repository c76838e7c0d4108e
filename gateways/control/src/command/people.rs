//! Arguments of commands about users, their keys and what they may do.

use serde::{Deserialize, Serialize};

/// A user to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UserNew {
    /// Name to log in with.
    pub name: String,
    /// Full name.
    pub full_name: Option<String>,
    /// Mail address.
    pub mail: Option<String>,
    /// `sub` of an outside issuer's tokens; he then gets no password.
    pub subject: Option<String>,
}

/// A user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserName {
    /// His name, or his number.
    pub user: String,
}

/// An API key to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserKey {
    /// Name or number of its user.
    pub user: String,
    /// What it is for.
    pub label: String,
}

/// Which API keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeyFilter {
    /// Only those of this user, by name or number.
    pub user: Option<String>,
}

/// An API key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyName {
    /// Its public half.
    pub id: String,
}

/// A role of a user at a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UserAccess {
    /// His name, or his number.
    pub user: String,
    /// VIEWER, TRADER, RISK, SERVICE or ADMIN.
    pub role: String,
    /// The node or account; absent: the whole firm.
    pub node: Option<String>,
}
