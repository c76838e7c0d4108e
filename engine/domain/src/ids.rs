//! Dense ids and sequence numbers. An id is an index into arrays of rows, given out in the order of the admin
//! events that created the rows, so that a replay gives the same ids.

use bytemuck::{Pod, Zeroable};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $raw:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Pod, Zeroable)]
        #[repr(transparent)]
        pub struct $name(pub $raw);

        impl $name {
            /// The value that names no row.
            pub const NONE: Self = Self(<$raw>::MAX);
            /// The row's index.
            #[inline]
            pub const fn index(self) -> usize { self.0 as usize }
            /// True where it names no row.
            #[inline]
            pub const fn is_none(self) -> bool { self.0 == <$raw>::MAX }
        }
        impl Default for $name {
            fn default() -> Self { Self::NONE }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                if self.is_none() { f.write_str("none") } else { fmt::Display::fmt(&self.0, f) }
            }
        }
    };
}

id!(
    /// An instrument's row.
    InstrumentId, u32
);
id!(
    /// A node of the hierarchy: strategy, account, user, desk, organisation or firm.
    NodeId, u32
);
id!(
    /// An account's row (every account is also a node).
    AccountId, u32
);
id!(
    /// A holding: the pair of account and instrument. Given by the limit check; settle and position index by it.
    HoldingId, u32
);
id!(
    /// A wallet: the pair of account and currency. Given by the limit check; settle indexes by it.
    WalletId, u32
);
id!(
    /// A currency's row.
    CurrencyId, u16
);
id!(
    /// A trading calendar's row. 0 is the built-in UTC calendar that rolls at midnight every day.
    CalendarId, u16
);
id!(
    /// A limit's row.
    LimitId, u32
);
id!(
    /// A row of the order table.
    OrderSlot, u32
);
id!(
    /// A venue.
    VenueId, u16
);
id!(
    /// A client session (FIX session, API key, file).
    SessionId, u32
);

id!(
    /// A user: a row of `identity.db`, where the name stands. Never given twice.
    UserId, u32
);
id!(
    /// A group of users: a row of `identity.db`. Never given twice.
    GroupId, u32
);

impl CalendarId {
    /// The built-in calendar: every day, rolls at 00:00 UTC.
    pub const UTC: Self = Self(0);
    /// Calendars that can be held, the built-in one included.
    pub const COUNT_MAX: u16 = 64;
}

/// Position of an event in the one sequence. Starts at 1; 0 means "none yet".
pub type Seq = u64;

/// Identity of an order over its whole life: shard (10 bits) and a counter (54 bits) that starts at 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Pod, Zeroable)]
#[repr(transparent)]
pub struct OrderId(pub u64);

impl OrderId {
    /// No order.
    pub const NONE: Self = Self(0);
    /// Bits of the counter.
    pub const COUNTER_BITS: u32 = 54;

    /// The order with this counter on this shard (only the low 10 bits of the shard count).
    #[inline]
    pub const fn new(shard: u16, counter: u64) -> Self {
        Self(((shard as u64 & 0x3ff) << Self::COUNTER_BITS) | (counter & ((1 << Self::COUNTER_BITS) - 1)))
    }
    /// The shard that gave it.
    #[inline]
    pub const fn shard(self) -> u16 {
        (self.0 >> Self::COUNTER_BITS) as u16
    }
    /// The counter within the shard.
    #[inline]
    pub const fn counter(self) -> u64 {
        self.0 & ((1 << Self::COUNTER_BITS) - 1)
    }
    /// True where it names no order.
    #[inline]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.shard(), self.counter())
    }
}

impl std::str::FromStr for OrderId {
    type Err = &'static str;

    /// Reads `SHARD-COUNTER`, or the plain integer.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const HELP: &str = "an order id is SHARD-COUNTER, for example 0-42";
        if let Some((shard, counter)) = text.split_once('-') {
            let shard: u16 = shard.parse().map_err(|_| HELP)?;
            let counter: u64 = counter.parse().map_err(|_| HELP)?;
            if shard >= 1 << 10 || counter >= 1 << Self::COUNTER_BITS {
                return Err(HELP);
            }
            return Ok(Self::new(shard, counter));
        }
        text.parse().map(Self).map_err(|_| HELP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_id_carries_shard_and_counter() {
        let id = OrderId::new(1023, 7);
        assert_eq!((id.shard(), id.counter()), (1023, 7));
        assert_eq!("1023-7".parse(), Ok(id));
        assert_eq!(id.0.to_string().parse(), Ok(id));
        assert!("1024-1".parse::<OrderId>().is_err());
        assert!("x".parse::<OrderId>().is_err());
    }
}
