//! Body of the event that says who may do what.

use super::Body;
use crate::codes::{AccessStatus, Role};
use crate::ids::{GroupId, NodeId, UserId};
use crate::text::Code;
use bytemuck::{Pod, Zeroable};

/// Access is asked for, granted, refused or revoked. Users and groups stand here as numbers; their names are kept elsewhere and can
/// be erased. The reason stands in the tail; the event's names give the node.
///
/// Three uses: a user at a node, a group at a node (every member has it), and a user in a group (no node, no role).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct AccessSet {
    /// Who decides or asks: `uN` for user N, or the operator's name where it came through the control socket.
    pub author: Code,
    /// The user; none where a group's access is set.
    pub user: UserId,
    /// The group; none where a user's own access is set.
    pub group: GroupId,
    /// [`Role`]; 0 for a membership.
    pub role: u8,
    /// [`AccessStatus`].
    pub status: u8,
    #[doc(hidden)]
    pub reserved: [u8; 2],
    /// The node, with everything below it; none for the whole firm, and for a membership.
    pub node: NodeId,
    #[doc(hidden)]
    pub reserved2: [u32; 4],
}

const _: () = assert!(size_of::<AccessSet>() == 64);

impl Body for AccessSet {
    const INPUT_LEN: usize = 44;
}

impl AccessSet {
    /// True for a user's place in a group.
    pub fn is_membership(&self) -> bool {
        !self.user.is_none() && !self.group.is_none()
    }

    /// True where subject, role and status go together. Whether the node exists is another question.
    pub fn is_well_formed(&self) -> bool {
        let has_subject = !self.user.is_none() || !self.group.is_none();
        let has_role = match self.is_membership() {
            true => self.role == 0 && self.node.is_none(),
            false => Role::from_code(self.role).is_some(),
        };
        has_subject && has_role && AccessStatus::from_code(self.status).is_some() && !self.author.is_empty()
    }
}
