//! Who may do what, as the journal says: grants of users and groups at nodes, memberships, revocations.
//!
//! # Invariants
//! - The book is a function of the records: two books that read the same journal are equal.
//! - A role at a node counts at the node and below it; a role without a node counts everywhere.
//!
//! Not here: names of users and groups (see `database`), deciding (normalize refuses what makes no sense).

use crate::permission::{Permission, bits};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tradewind_domain::codes::{AccessStatus, Level, Role};
use tradewind_domain::event::{AccessSet, Event, Kind, NodeSet};
use tradewind_domain::ids::{AccountId, GroupId, NodeId, Seq, UserId};
use tradewind_domain::text::Code;
use tradewind_domain::time::Rfc3339;

/// Whose access it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Subject {
    User(UserId),
    Group(GroupId),
}

/// How things stand between a subject and a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standing {
    role: Role,
    status: AccessStatus,
    author: Code,
    seq: Seq,
    at_ns: u64,
}

/// A node of the hierarchy, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Node {
    code: Code,
    parent: NodeId,
    level: u8,
}

/// A line of a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccessView {
    /// Number of the user; none for a group's access.
    pub user: Option<u32>,
    /// Number of the group; none for a user's own access.
    pub group: Option<u32>,
    /// The node; none for the whole firm, and for a membership.
    pub node: Option<String>,
    /// The role; none for a membership.
    pub role: Option<String>,
    /// How things stand.
    pub status: String,
    /// Who decided or asked.
    pub author: String,
    /// The journal record that says so.
    pub seq: Seq,
    /// When ingest took it.
    pub at: String,
}

/// Permissions of somebody: nodes with the bits that they open, ordered. Equal rights see equal things.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rights(Vec<(NodeId, u8)>);

impl Rights {
    /// True where nothing is opened anywhere.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True where it is opened somewhere.
    pub fn somewhere(&self, permission: Permission) -> bool {
        self.0.iter().any(|(_, bits)| bits & permission as u8 != 0)
    }

    /// True where it is opened for the whole firm.
    pub fn everywhere(&self, permission: Permission) -> bool {
        self.at(NodeId::NONE) & permission as u8 != 0
    }

    fn at(&self, node: NodeId) -> u8 {
        let found = self.0.binary_search_by_key(&node, |(node, _)| *node);
        found.map_or(0, |at| self.0[at].1)
    }
}

/// Everything about access that the journal says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessBook {
    nodes: HashMap<NodeId, Node>,
    codes: HashMap<Code, NodeId>,
    accounts: HashMap<AccountId, NodeId>,
    root: Option<NodeId>,
    standings: BTreeMap<(Subject, NodeId), Standing>,
    members: BTreeMap<(UserId, GroupId), Standing>,
    revoked: BTreeMap<UserId, Revocation>,
    version: u64,
}

/// The last revocation of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Revocation {
    pub(crate) seq: Seq,
    pub(crate) at_ns: u64,
}

impl AccessBook {
    /// Takes the next record. True where somebody's rights may have changed.
    pub fn observe(&mut self, event: &Event) -> bool {
        if event.is_rejected() {
            return false;
        }
        match event.kind() {
            Some(Kind::AccountSet | Kind::NodeSet) => self.put_node(event.body()),
            Some(Kind::AccessSet) => {
                self.put_access(event);
                self.version += 1;
                return true;
            }
            _ => {}
        }
        false
    }

    fn put_node(&mut self, set: &NodeSet) {
        let node = Node {
            code: set.code,
            parent: set.parent,
            level: set.level,
        };
        self.nodes.insert(set.node, node);
        if set.parent.is_none() {
            self.root = Some(set.node);
        }
        self.codes.insert(set.code, set.node);
        if set.level == Level::Account as u8 {
            self.accounts.insert(set.account, set.node);
        }
    }

    fn put_access(&mut self, event: &Event) {
        let set: &AccessSet = event.body();
        let Some(status) = AccessStatus::from_code(set.status) else {
            return;
        };
        let standing = Standing {
            role: Role::from_code(set.role).unwrap_or(Role::Viewer),
            status,
            author: set.author,
            seq: event.head.seq,
            at_ns: event.head.recv_ns,
        };
        if set.is_membership() {
            self.members.insert((set.user, set.group), standing);
        } else if set.group.is_none() {
            self.standings
                .insert((Subject::User(set.user), set.node), standing);
        } else {
            self.standings
                .insert((Subject::Group(set.group), set.node), standing);
        }
        if status == AccessStatus::Revoked {
            self.note_revocation(set, &standing);
        }
    }

    fn note_revocation(&mut self, set: &AccessSet, standing: &Standing) {
        let revocation = Revocation {
            seq: standing.seq,
            at_ns: standing.at_ns,
        };
        if !set.user.is_none() {
            self.revoked.insert(set.user, revocation);
            return;
        }
        let members = self.members.iter().filter(|((_, group), _)| *group == set.group);
        let users: Vec<UserId> = members.map(|((user, _), _)| *user).collect();
        self.revoked
            .extend(users.into_iter().map(|user| (user, revocation)));
    }

    /// Rises with every change of access.
    pub fn version(&self) -> u64 {
        self.version
    }

    pub(crate) fn revocation(&self, user: UserId) -> Option<Revocation> {
        self.revoked.get(&user).copied()
    }

    /// What somebody may do, his groups' access included.
    pub fn rights(&self, user: UserId) -> Rights {
        let mut found: BTreeMap<NodeId, u8> = BTreeMap::new();
        let groups = self.groups_of(user).map(Subject::Group);
        for subject in groups.chain([Subject::User(user)]) {
            let of_subject = self
                .standings
                .range((subject, NodeId(0))..=(subject, NodeId::NONE));
            for ((_, node), standing) in of_subject.filter(|(_, one)| one.status == AccessStatus::Granted) {
                *found.entry(*node).or_default() |= bits(standing.role);
            }
        }
        Rights(found.into_iter().collect())
    }

    fn groups_of(&self, user: UserId) -> impl Iterator<Item = GroupId> + '_ {
        self.members
            .range((user, GroupId(0))..=(user, GroupId::NONE))
            .filter(|(_, place)| place.status == AccessStatus::Granted)
            .map(|((_, group), _)| *group)
    }

    /// True where the rights open this at the node: there, or at any node above it.
    pub fn allows(&self, rights: &Rights, permission: Permission, node: NodeId) -> bool {
        let bit = permission as u8;
        let mut at = Some(node);
        while let Some(node) = at {
            if rights.at(node) & bit != 0 {
                return true;
            }
            // The firm's parent is none, and none is where rights of the whole firm stand.
            at = self.nodes.get(&node).map(|row| row.parent);
        }
        rights.everywhere(permission)
    }

    /// As [`allows`](Self::allows), by a node's or account's code. A code that nobody has is open to those who have the whole firm.
    pub fn allows_named(&self, rights: &Rights, permission: Permission, code: &str) -> bool {
        let node = Code::new(code).ok().and_then(|code| self.codes.get(&code));
        match node {
            Some(node) => self.allows(rights, permission, *node),
            None => rights.everywhere(permission),
        }
    }

    /// The firm's node.
    pub fn root(&self) -> Option<NodeId> {
        self.root
    }

    /// Codes of the nodes at which the rights themselves stand and open this: with what is below them, everything that is open.
    pub fn nodes_open(&self, rights: &Rights, permission: Permission) -> Vec<Code> {
        let open = rights.0.iter().filter(|(_, bits)| bits & permission as u8 != 0);
        open.filter_map(|(node, _)| Some(self.nodes.get(node)?.code))
            .collect()
    }

    /// The node of an account.
    pub fn account(&self, account: AccountId) -> Option<NodeId> {
        self.accounts.get(&account).copied()
    }

    /// The node of a code.
    pub fn node(&self, code: &str) -> Option<NodeId> {
        self.codes.get(&Code::new(code).ok()?).copied()
    }

    /// Codes of the accounts for which the rights open this, by name.
    pub fn accounts_open(&self, rights: &Rights, permission: Permission) -> Vec<String> {
        let open = self
            .accounts
            .values()
            .filter(|node| self.allows(rights, permission, **node));
        let mut codes: Vec<String> = open.map(|node| self.code(*node)).collect();
        codes.sort();
        codes
    }

    fn code(&self, node: NodeId) -> String {
        self.nodes
            .get(&node)
            .map_or_else(String::new, |row| row.code.to_string())
    }

    /// Nodes with role and status of somebody, memberships included; of everybody where `user` is none.
    pub fn list(&self, user: Option<UserId>) -> Vec<AccessView> {
        let groups: Option<BTreeSet<GroupId>> = user.map(|user| self.groups_of(user).collect());
        let is_asked = |subject: &Subject| match (subject, user) {
            (_, None) => true,
            (Subject::User(one), Some(user)) => *one == user,
            (Subject::Group(group), Some(_)) => groups.as_ref().is_some_and(|groups| groups.contains(group)),
        };
        let standings = self
            .standings
            .iter()
            .filter(|((subject, _), _)| is_asked(subject));
        let places = self
            .members
            .iter()
            .filter(|((one, _), _)| user.is_none_or(|user| *one == user));
        let view = |user: UserId, group: GroupId, node: NodeId, standing: &Standing| AccessView {
            user: (!user.is_none()).then_some(user.0),
            group: (!group.is_none()).then_some(group.0),
            node: (!node.is_none()).then(|| self.code(node)),
            role: (user.is_none() || group.is_none()).then(|| standing.role.to_string()),
            status: standing.status.to_string(),
            author: standing.author.to_string(),
            seq: standing.seq,
            at: Rfc3339(standing.at_ns).to_string(),
        };
        let standings = standings.map(|((subject, node), standing)| match *subject {
            Subject::User(user) => view(user, GroupId::NONE, *node, standing),
            Subject::Group(group) => view(UserId::NONE, group, *node, standing),
        });
        let places = places.map(|((user, group), standing)| view(*user, *group, NodeId::NONE, standing));
        standings.chain(places).collect()
    }

    /// How somebody stands at a node, and who decided so.
    pub fn standing(&self, user: UserId, node: NodeId) -> Option<(Role, AccessStatus, String)> {
        let standing = self.standings.get(&(Subject::User(user), node))?;
        Some((standing.role, standing.status, standing.author.to_string()))
    }

    /// True where somebody has this role himself at the node or above it, and not through a group.
    pub fn owns(&self, user: UserId, role: Role, node: NodeId) -> bool {
        let has = |node: NodeId| {
            let standing = self.standings.get(&(Subject::User(user), node));
            standing.is_some_and(|one| one.status == AccessStatus::Granted && one.role == role)
        };
        let mut at = Some(node);
        while let Some(node) = at {
            if has(node) {
                return true;
            }
            at = self.nodes.get(&node).map(|row| row.parent);
        }
        has(NodeId::NONE)
    }

    /// The highest numbers of users and groups that were ever spoken of; 0 where none was.
    pub fn highest_numbers(&self) -> (u32, u32) {
        let of_standings = self.standings.keys().map(|(subject, _)| match subject {
            Subject::User(user) => (user.0, 0),
            Subject::Group(group) => (0, group.0),
        });
        let of_members = self.members.keys().map(|(user, group)| (user.0, group.0));
        let highest = |a: (u32, u32), b: (u32, u32)| (a.0.max(b.0), a.1.max(b.1));
        of_standings.chain(of_members).fold((0, 0), highest)
    }

    /// Users who have ADMIN for the whole firm, by themselves.
    pub fn firm_admins(&self) -> Vec<UserId> {
        let admins = self.standings.iter().filter(|((_, node), one)| {
            node.is_none() && one.status == AccessStatus::Granted && one.role == Role::Admin
        });
        let users = admins.filter_map(|((subject, _), _)| match subject {
            Subject::User(user) => Some(*user),
            Subject::Group(_) => None,
        });
        users.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::event::Body;

    fn event<T: Body>(kind: Kind, seq: Seq, body: T) -> Event {
        let mut event = Event::empty();
        event.reset(kind);
        (event.head.seq, event.head.recv_ns) = (seq, seq * 10);
        *event.body_mut::<T>() = body;
        event
    }

    fn node(book: &mut AccessBook, code: &str, id: u32, parent: u32, level: Level) {
        let set = NodeSet {
            code: Code::new(code).unwrap(),
            node: NodeId(id),
            parent: NodeId(parent),
            account: AccountId(id),
            level: level as u8,
            ..bytemuck::Zeroable::zeroed()
        };
        book.observe(&event(Kind::NodeSet, 1, set));
    }

    /// FIRM 0, DESKS 1 and 2, accounts A (3) below 1 and B (4) below 2.
    fn world() -> AccessBook {
        let mut book = AccessBook::default();
        node(&mut book, "F", 0, u32::MAX, Level::Firm);
        node(&mut book, "D1", 1, 0, Level::Desk);
        node(&mut book, "D2", 2, 0, Level::Desk);
        node(&mut book, "A", 3, 1, Level::Account);
        node(&mut book, "B", 4, 2, Level::Account);
        book
    }

    fn set(
        book: &mut AccessBook,
        seq: Seq,
        user: UserId,
        group: GroupId,
        role: Option<Role>,
        status: AccessStatus,
        node: NodeId,
    ) {
        let body = AccessSet {
            author: Code::new("u1").unwrap(),
            user,
            group,
            role: role.map_or(0, |role| role as u8),
            status: status as u8,
            node,
            ..bytemuck::Zeroable::zeroed()
        };
        assert!(book.observe(&event(Kind::AccessSet, seq, body)));
    }

    const ANN: UserId = UserId(7);

    #[test]
    fn a_role_reaches_below_its_node_and_nowhere_else() {
        let mut book = world();
        set(
            &mut book,
            2,
            ANN,
            GroupId::NONE,
            Some(Role::Trader),
            AccessStatus::Granted,
            NodeId(1),
        );
        let rights = book.rights(ANN);
        for (code, is_open) in [
            ("A", true),
            ("D1", true),
            ("B", false),
            ("D2", false),
            ("F", false),
            ("NOBODY", false),
        ] {
            assert_eq!(
                book.allows_named(&rights, Permission::Read, code),
                is_open,
                "{code}"
            );
            assert_eq!(
                book.allows_named(&rights, Permission::Trade, code),
                is_open,
                "{code}"
            );
            assert!(!book.allows_named(&rights, Permission::Control, code), "{code}");
        }
        assert_eq!(book.accounts_open(&rights, Permission::Read), ["A"]);
        assert!(rights.somewhere(Permission::Trade) && !rights.everywhere(Permission::Read));
    }

    #[test]
    fn only_granted_opens_anything() {
        for &status in AccessStatus::ALL {
            let mut book = world();
            set(
                &mut book,
                2,
                ANN,
                GroupId::NONE,
                Some(Role::Admin),
                status,
                NodeId::NONE,
            );
            let is_open = book.allows_named(&book.rights(ANN), Permission::Read, "A");
            assert_eq!(is_open, status == AccessStatus::Granted, "{status}");
            assert_eq!(book.revocation(ANN).is_some(), status == AccessStatus::Revoked);
        }
    }

    #[test]
    fn a_member_has_what_the_group_has_until_one_of_both_is_revoked() {
        use AccessStatus::{Granted, Revoked};
        let group = GroupId(3);
        let mut book = world();
        set(
            &mut book,
            2,
            UserId::NONE,
            group,
            Some(Role::Viewer),
            Granted,
            NodeId(2),
        );
        set(&mut book, 3, ANN, group, None, Granted, NodeId::NONE);
        assert!(book.allows_named(&book.rights(ANN), Permission::Read, "B"));
        assert!(!book.owns(ANN, Role::Viewer, NodeId(4)));
        set(
            &mut book,
            4,
            UserId::NONE,
            group,
            Some(Role::Viewer),
            Revoked,
            NodeId(2),
        );
        assert!(book.rights(ANN).is_empty());
        assert_eq!(book.revocation(ANN).unwrap().seq, 4);
        set(
            &mut book,
            5,
            UserId::NONE,
            group,
            Some(Role::Viewer),
            Granted,
            NodeId(2),
        );
        set(&mut book, 6, ANN, group, None, Revoked, NodeId::NONE);
        assert!(book.rights(ANN).is_empty());
        assert_eq!(book.revocation(ANN).unwrap().seq, 6);
        assert_eq!(book.list(Some(ANN)).len(), 1);
        assert_eq!(book.list(None).len(), 2);
    }
}
