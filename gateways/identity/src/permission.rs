//! What a role allows.

use tradewind_domain::codes::Role;

/// One thing that a role may allow at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Permission {
    /// See orders, positions, money, limits, alerts.
    Read = 1,
    /// Place, replace and cancel orders; ask whether one would pass.
    Trade = 2,
    /// Report executed trades.
    Capture = 4,
    /// Set limits, stop and restart trading, decide about quarantined trades, take alerts.
    Control = 8,
    /// Reference data, other people's access.
    Admin = 16,
}

/// The permissions of a role as bits.
pub(crate) const fn bits(role: Role) -> u8 {
    use Permission::{Admin, Capture, Control, Read, Trade};
    match role {
        Role::Viewer => Read as u8,
        Role::Trader => Read as u8 | Trade as u8,
        Role::Risk => Read as u8 | Control as u8,
        Role::Service => Read as u8 | Trade as u8 | Capture as u8,
        Role::Admin => Read as u8 | Trade as u8 | Capture as u8 | Control as u8 | Admin as u8,
    }
}

impl Permission {
    /// Every permission.
    pub const ALL: [Permission; 5] = [
        Permission::Read,
        Permission::Trade,
        Permission::Capture,
        Permission::Control,
        Permission::Admin,
    ];

    /// Its name in answers.
    pub const fn text(self) -> &'static str {
        match self {
            Permission::Read => "READ",
            Permission::Trade => "TRADE",
            Permission::Capture => "CAPTURE",
            Permission::Control => "CONTROL",
            Permission::Admin => "ADMIN",
        }
    }

    /// True where the role allows it.
    pub const fn of(self, role: Role) -> bool {
        bits(role) & self as u8 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_reads_and_only_an_admin_gives_access() {
        for &role in Role::ALL {
            assert!(Permission::Read.of(role));
            assert_eq!(Permission::Admin.of(role), role == Role::Admin, "{role}");
        }
        assert!(!Permission::Trade.of(Role::Viewer) && !Permission::Trade.of(Role::Risk));
        assert!(!Permission::Control.of(Role::Trader) && !Permission::Control.of(Role::Service));
        assert!(!Permission::Capture.of(Role::Trader));
    }
}
