//! Channels: their names, numbers, columns and keys, as docs/rttm.md has them.

/// A channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Channel {
    /// Positions.
    Positions = 1,
    /// Profit by group.
    Pnl = 2,
    /// Open orders and the newest closed ones.
    Orders = 3,
    /// Executions.
    Trades = 4,
    /// Refusals.
    Rejects = 5,
    /// Limits and what is used of them.
    Limits = 6,
    /// Incidents.
    Alerts = 7,
    /// Top of book.
    Market = 8,
    /// Stages of the pipeline.
    Latency = 9,
    /// Checks of the engine's parts.
    Health = 10,
    /// What falls due.
    Settlement = 11,
}

/// How many there are.
pub(crate) const CHANNELS: usize = 11;

impl Channel {
    /// All of them.
    pub const ALL: [Channel; CHANNELS] = [
        Channel::Positions,
        Channel::Pnl,
        Channel::Orders,
        Channel::Trades,
        Channel::Rejects,
        Channel::Limits,
        Channel::Alerts,
        Channel::Market,
        Channel::Latency,
        Channel::Health,
        Channel::Settlement,
    ];

    /// Place in [`Channel::ALL`].
    pub(crate) const fn index(self) -> usize {
        self as usize - 1
    }

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Channel::Positions => "positions",
            Channel::Pnl => "pnl",
            Channel::Orders => "orders",
            Channel::Trades => "trades",
            Channel::Rejects => "rejects",
            Channel::Limits => "limits",
            Channel::Alerts => "alerts",
            Channel::Market => "market",
            Channel::Latency => "latency",
            Channel::Health => "health",
            Channel::Settlement => "settlement",
        }
    }

    /// The channel of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }

    /// True where every row is sent once; else the newest row of each key is.
    pub const fn is_event(self) -> bool {
        matches!(self, Channel::Trades | Channel::Rejects)
    }

    /// True where rows name an instrument.
    pub const fn has_symbols(self) -> bool {
        matches!(
            self,
            Channel::Positions
                | Channel::Orders
                | Channel::Trades
                | Channel::Rejects
                | Channel::Limits
                | Channel::Market
        )
    }

    /// True where rows belong to an account or node.
    pub const fn has_accounts(self) -> bool {
        !matches!(self, Channel::Market | Channel::Latency | Channel::Health)
    }

    /// How many of the first columns are the key.
    pub const fn key_columns(self) -> usize {
        match self {
            Channel::Positions | Channel::Trades | Channel::Rejects => 2,
            Channel::Pnl | Channel::Settlement => 3,
            _ => 1,
        }
    }

    /// Names of the columns, in order.
    pub const fn columns(self) -> &'static [&'static str] {
        match self {
            Channel::Positions => &[
                "account",
                "symbol",
                "qty",
                "avg_px",
                "mark",
                "value",
                "value_base",
                "cost",
                "unrealised",
                "realised",
                "fees",
                "currency",
                "kind",
                "sector",
                "fills",
            ],
            Channel::Pnl => &[
                "group",
                "name",
                "currency",
                "realised",
                "unrealised",
                "fees",
                "income",
                "total",
                "total_base",
                "open",
                "unmarked",
            ],
            Channel::Orders => &[
                "order_id",
                "cl_ord_id",
                "account",
                "node",
                "symbol",
                "side",
                "type",
                "tif",
                "qty",
                "cum",
                "leaves",
                "px",
                "stop_px",
                "avg_px",
                "state",
                "reserved_cash",
                "currency",
                "session",
                "created",
                "updated",
            ],
            Channel::Trades => &[
                "seq",
                "part",
                "time",
                "kind",
                "exec_id",
                "ref_seq",
                "order_id",
                "account",
                "node",
                "symbol",
                "side",
                "qty",
                "px",
                "principal",
                "fee",
                "currency",
                "realised",
                "leaves",
                "liquidity",
                "flags",
            ],
            Channel::Rejects => &[
                "seq",
                "part",
                "time",
                "kind",
                "cl_ord_id",
                "account",
                "node",
                "symbol",
                "side",
                "qty",
                "px",
                "code",
                "limit",
                "used",
                "hard",
                "unit",
                "reason",
            ],
            Channel::Limits => &[
                "label", "type", "scope", "level", "symbol", "used", "hard", "unit", "used_pct", "soft_pct",
                "action", "status",
            ],
            Channel::Alerts => &[
                "id",
                "severity",
                "state",
                "rule",
                "scope",
                "instrument",
                "level",
                "next_level_at",
                "count",
                "text",
                "opened_at",
                "last_at",
                "cleared_at",
                "acknowledged_at",
                "acknowledged_by",
                "acknowledge_comment",
                "resolved_at",
                "resolved_by",
                "resolve_comment",
                "live",
            ],
            Channel::Market => &[
                "symbol",
                "bid",
                "bid_qty",
                "ask",
                "ask_qty",
                "last",
                "last_qty",
                "mark",
                "change_pct",
                "status",
                "currency",
                "kind",
                "sector",
                "updated",
            ],
            Channel::Latency => &[
                "stage",
                "events",
                "events_per_s",
                "p50_ns",
                "p90_ns",
                "p99_ns",
                "p999_ns",
                "max_ns",
                "full_waits",
                "idle_pct",
            ],
            Channel::Health => &["name", "status", "value", "unit", "text", "updated"],
            Channel::Settlement => &[
                "settle_date",
                "account",
                "currency",
                "to_receive",
                "to_pay",
                "net",
                "trades",
                "state",
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The document's tables against the code, column by column: a column may share its line with others.
    #[test]
    fn the_columns_are_those_of_the_document() {
        let page = include_str!("../../../docs/rttm.md");
        for channel in Channel::ALL {
            let begin = format!("\n### {}\n", channel.name());
            let part = page.split(&begin).nth(1).unwrap().split("\n##").next().unwrap();
            let rows = part.lines().filter(|line| line.starts_with("| ")).skip(1);
            let named: Vec<&str> = rows
                .flat_map(|line| line.split('|').nth(1).unwrap().split(',').map(str::trim))
                .collect();
            assert_eq!(named, channel.columns(), "{}", channel.name());
            assert_eq!(Channel::named(channel.name()), Some(channel));
            assert_eq!(Channel::ALL[channel.index()], channel);
            let example = part.lines().find(|line| line.starts_with("`[[")).unwrap();
            let rows: serde_json::Value = serde_json::from_str(example.trim_matches('`')).unwrap();
            for row in rows.as_array().unwrap() {
                assert_eq!(
                    row.as_array().unwrap().len(),
                    channel.columns().len(),
                    "{example}"
                );
            }
        }
    }
}
