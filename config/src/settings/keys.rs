//! The table of settings: one entry a key with its type, its range and its meaning. Parsing, checking, `config show`,
//! the typed structs and docs/settings.md all come from it.
//!
//! Invariant: a key that is marked `decides` can change the outcome of an event, and only those enter the hash.
//!
//! Not here: default values. Each profile sets every key, with a comment (a test sees to both).

use super::value::{Durability, FromValue, Idle, Range, Value};
use tradewind_domain::codes::ClockMode;

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// `section.key`.
    pub name: &'static str,
    /// What it may be.
    pub range: Range,
    /// True where it can change the outcome of an event.
    pub decides: bool,
    /// Unit and effect.
    pub doc: &'static str,
}

macro_rules! settings {
    ($($(#[doc = $section_doc:literal])+ $section:ident: $Struct:ident {
        $($(#[doc = $doc:literal])+ $key:ident: $type:ty = $range:expr $(, $decides:ident)?;)*
    })*) => {
        $(
            $(#[doc = $section_doc])+
            #[derive(Clone, Debug, PartialEq, Eq)]
            pub struct $Struct { $($(#[doc = $doc])+ pub $key: $type,)* }
        )*
        /// Every setting, by section.
        pub static KEYS: &[Key] = &[$($(Key {
            name: concat!(stringify!($section), ".", stringify!($key)),
            range: $range,
            decides: settings!(@decides $($decides)?),
            doc: concat!($($doc,)+).trim_ascii(),
        },)*)*];

        /// The values as types.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub(super) struct Typed { $(pub(super) $section: $Struct,)* }

        impl Typed {
            /// From the values in the order of [`KEYS`]. `None` where one is missing or of another type.
            pub(super) fn from_values<'a>(mut values: impl Iterator<Item = &'a Value>) -> Option<Self> {
                // Fields are built in the order in which they are written: that of KEYS.
                Some(Self { $($section: $Struct { $($key: <$type>::from_value(values.next()?)?,)* },)* })
            }
        }
    };
    (@decides decides) => { true };
    (@decides) => { false };
}

const U32_MAX: u64 = u32::MAX as u64;
/// Channels of alerts.
const CHANNELS: &[&str] = &["log", "webhook", "chat", "sms", "mail"];
const TIB: u64 = 1 << 40;

/// A count from `min` to `max`.
const fn count(min: u64, max: u64) -> Range {
    Range::Count { min, max }
}

/// Bytes from `min` to `max`.
const fn bytes(min: u64, max: u64) -> Range {
    Range::Bytes { min, max }
}

settings! {
    /// How the pipeline runs.
    engine: EngineKeys {
        /// Which stages share a thread: auto, fused, split, staged, or a list of groups such as
        /// `ingest+normalize+validate@0, limit_check+settle+position@1` (`@` names the core).
        topology: String = Range::Topology;
        /// What a pipeline thread does without work: spin (lowest latency, a core at 100 %), yield, park.
        idle: Idle = Range::Choice(Idle::TEXTS);
        /// Events that a stage takes at most before it looks at its other duties.
        batch_max: u32 = count(1, 4_096);
        /// Events on their way through the pipeline at most; 1,600 bytes of memory each.
        slab_slots: u32 = count(64, 1 << 24);
        /// Slots kept back for the effects of an input (expiries, cancels), so that a long expansion never waits for itself.
        effect_slots: u32 = count(16, 1 << 24);
        /// Slot numbers in each ring between two pipeline threads.
        ring_slots: u32 = count(16, 1 << 20);
        /// Number of this shard, in the upper bits of every order id.
        shard: u16 = count(0, 1_023), decides;
        /// Where time comes from: wall (the machine's clock) or input (the time stamps of the input). One for a journal's life.
        clock: ClockMode = Range::Choice(&["wall", "input"]), decides;
        /// Basis points added to the reference price of a market buy to value it (LIMITS section 1).
        market_slip_bps: u32 = count(0, 10_000), decides;
        /// Milliseconds after which a last price is no reference any more.
        ref_max_age_ms: u32 = count(1, U32_MAX), decides;
        /// Milliseconds after which an order's own time stamp makes it stale (L09); 0 checks nothing.
        stale_order_ms: u32 = count(0, U32_MAX), decides;
        /// false refuses to start where tables and window need more memory than this machine, or the process's control group, has left;
        /// true starts all the same, and the kernel may end the process without a word.
        memory_overcommit: bool = Range::Flag;
    }
    /// Where and how the journal is kept.
    journal: JournalKeys {
        /// Folder in memory for the segments being written.
        window_dir: String = Range::Path { may_be_empty: false };
        /// Bytes of memory for the newest segments, all taken at the start; at least three segments.
        window_bytes: u64 = bytes(3 << 16, 16 * TIB);
        /// Bytes of a segment; a multiple of 4096.
        segment_bytes: u64 = bytes(1 << 16, 4 << 30);
        /// When a record is released: memory (survives the process, not the machine) or disk (survives both).
        durability: Durability = Range::Choice(Durability::TEXTS);
        /// Bytes of archived segments to keep once a snapshot covers what is older; 0 keeps all. There are no snapshots yet, so all are kept
        /// whatever it says, and a start says so where it is not 0.
        retention_bytes: u64 = bytes(0, 1024 * TIB);
        /// Free bytes on the journal's disk below which new orders are refused.
        reserve_bytes: u64 = bytes(0, 16 * TIB);
        /// Milliseconds between two syncs to disk at most.
        sync_interval_ms: u32 = count(1, 60_000);
        /// true starts on file systems whose sync cannot be trusted (network, overlay); false refuses.
        allow_unsafe_fs: bool = Range::Flag;
    }
    /// Sizes of the tables that refuse with CAPACITY when full; allocated at start.
    capacity: CapacityKeys {
        /// Instruments.
        instruments: u32 = count(1, 1 << 24), decides;
        /// Nodes of the hierarchy, accounts included.
        nodes: u32 = count(2, 1 << 26), decides;
        /// Orders open at one time.
        open_orders: u32 = count(1, 1 << 26), decides;
        /// Closed orders remembered for late fills.
        closed_orders: u32 = count(1, 1 << 26), decides;
        /// Pairs of node and instrument with open quantity or a position.
        node_instruments: u32 = count(1, 1 << 28), decides;
        /// Holdings: pairs of account and instrument.
        holdings: u32 = count(1, 1 << 28), decides;
        /// Wallets: pairs of account and currency.
        wallets: u32 = count(1, 1 << 27), decides;
        /// Limits.
        limits: u32 = count(1, 1 << 24), decides;
        /// ClOrdIDs of a trading day.
        cl_ord_ids: u32 = count(1, 1 << 30), decides;
        /// ExecIDs of a trading day.
        exec_ids: u32 = count(1, 1 << 30), decides;
        /// Client sessions.
        sessions: u32 = count(1, 1 << 20), decides;
        /// Stamps of sliding windows: for each rate and each REPEATED_EXEC limit its figure, rounded up to a power of two.
        limit_stamps: u32 = count(0, 1 << 30), decides;
        /// Lines of restricted lists.
        restricted: u32 = count(0, 1 << 24), decides;
        /// Contents of orders that DUP_CONTENT limits remember.
        repeats: u32 = count(0, 1 << 26), decides;
        /// Executions that are remembered for busts and corrections; a bust of an older one is refused with UNKNOWN_TRADE.
        executions: u32 = count(1, 1 << 28), decides;
        /// Executed trades in quarantine.
        quarantine: u32 = count(1, 1 << 24), decides;
        /// Unsettled buckets: holdings by settlement date. A trade that finds no room settles at once, with an alert.
        unsettled: u32 = count(0, 1 << 26), decides;
        /// Tax lots beside one of each holding. Where they are all in use the two oldest of a holding become one, which the holding counts.
        lots: u32 = count(1, 1 << 28), decides;
    }
    /// Rings between the sources and ingest. A full ring makes the source wait or answer "try again".
    sources: SourcesKeys {
        /// Orders, each ring; 256 bytes a slot.
        order_slots: u32 = count(16, 1 << 22);
        /// Market data, each ring; 256 bytes a slot.
        market_slots: u32 = count(16, 1 << 22);
        /// Executions and kills, which go first; 256 bytes a slot.
        priority_slots: u32 = count(16, 1 << 22);
        /// Admin, cash and documents; 1,600 bytes a slot.
        admin_slots: u32 = count(16, 1 << 20);
    }
    /// The generated market session of `tradewind run`.
    demo: DemoKeys {
        /// Instruments that take part, in the order of the reference data; 0 takes all.
        instruments: u32 = count(0, 1 << 20);
        /// Accounts that take part, in the order of the reference data; 0 takes all.
        accounts: u32 = count(0, 1 << 20);
        /// New orders a second over all accounts; 0 sends none.
        orders_per_s: u32 = count(0, 10_000_000);
        /// Quotes a second over all instruments; 0 sends none.
        quotes_per_s: u32 = count(0, 10_000_000);
        /// Start of the random numbers; the same seed gives the same session.
        seed: u64 = count(0, u64::MAX);
        /// How fast its time runs: realtime, max, or a multiple such as `10x`.
        speed: String = Range::Speed;
    }
    /// Reference data.
    reference: ReferenceKeys {
        /// File of currencies, calendars, hierarchy, instruments and limits; empty takes the built-in demo data.
        path: String = Range::Path { may_be_empty: true };
    }
    /// Business rules.
    rules: RulesKeys {
        /// File of business rules that a start puts into force where it differs from those in force; empty leaves them as they
        /// are. An empty file takes all rules away.
        file: String = Range::Path { may_be_empty: true };
    }
    /// Alerts: thresholds of the standard rules, escalation, who is told, and how.
    alerts: AlertsKeys {
        /// true follows the journal for alerts while `tradewind run` runs.
        enabled: bool = Range::Flag;
        /// Percent of a limit whose use is a WARNING; a limit's own warning threshold is one as well.
        usage_warning_pct: u32 = count(1, 1_000);
        /// Percent of a limit whose use is an ERROR.
        usage_error_pct: u32 = count(1, 1_000);
        /// Percent of new orders refused in the last minute above which it is a WARNING.
        reject_rate_pct: u32 = count(0, 100);
        /// New orders in the last minute below which no reject rate is looked at.
        reject_rate_orders: u32 = count(1, U32_MAX);
        /// Milliseconds without market data of a venue in session after which it is an ERROR; 0 for never.
        feed_silent_ms: u32 = count(0, U32_MAX);
        /// Milliseconds without market data of one instrument in session after which it is a WARNING; 0 for never.
        instrument_silent_ms: u32 = count(0, U32_MAX);
        /// Percent of instruments with too old a last price above which it is a WARNING.
        stale_references_pct: u32 = count(0, 100);
        /// Minutes in quarantine after which a trade is an ERROR.
        quarantine_minutes: u32 = count(1, 525_600);
        /// Milliseconds that a record may wait for its release; above it is CRITICAL.
        journal_lag_ms: u32 = count(1, U32_MAX);
        /// Microseconds of the pipeline's p99; above for ten seconds is a WARNING.
        p99_budget_us: u32 = count(1, U32_MAX);
        /// Percent of a queue above which it is an ERROR.
        queue_fill_pct: u32 = count(1, 100);
        /// Percent of a threshold that a figure must fall below to be back to normal.
        clear_pct: u32 = count(1, 100);
        /// Milliseconds for which it must be back to normal before an incident ends.
        clear_for_ms: u32 = count(0, U32_MAX);
        /// Minutes after its end within which the same incident opens again in place of a new one.
        reopen_minutes: u32 = count(0, 525_600);
        /// Minutes until an incident that nobody has taken reaches level 2.
        level_2_minutes: u32 = count(1, 525_600);
        /// Minutes until it reaches level 3.
        level_3_minutes: u32 = count(1, 525_600);
        /// Minutes after which those who took an incident are reminded of it.
        renotify_minutes: u32 = count(1, 525_600);
        /// Notifications a minute on each route; more are summed up in one.
        notifications_per_minute: u32 = count(1, 1_000_000);
        /// Channels of INFO: log, webhook, chat, sms and mail, with commas between them, or none.
        route_info: String = Range::Words(CHANNELS);
        /// Channels of WARNING.
        route_warning: String = Range::Words(CHANNELS);
        /// Channels of ERROR.
        route_error: String = Range::Words(CHANNELS);
        /// Channels of CRITICAL.
        route_critical: String = Range::Words(CHANNELS);
        /// Channels of level 2: desk head, risk on-call.
        route_level2: String = Range::Words(CHANNELS);
        /// Channels of level 3: head of risk, operations.
        route_level3: String = Range::Words(CHANNELS);
        /// Milliseconds for which a receiver's answer is waited for.
        timeout_ms: u32 = count(10, 600_000);
        /// File with certificates (PEM) of the authorities that https and mail servers are trusted by, in place of the public ones; empty
        /// trusts the public ones.
        ca_file: String = Range::Path { may_be_empty: true };
        /// Where notifications are posted as JSON (`http[s]://HOST[:PORT]/PATH`); empty for nowhere.
        webhook_url: String = Range::HttpUrl;
        /// File with the secret that signs them (HMAC-SHA256 in X-Tradewind-Signature); empty signs nothing.
        webhook_secret_file: String = Range::Path { may_be_empty: true };
        /// File with the address of a chat's incoming webhook (whoever knows it can write there); empty for no chat.
        chat_url_file: String = Range::Path { may_be_empty: true };
        /// What a chat gets, with places such as {line} (docs/alerts.md).
        chat_body: String = Range::Line;
        /// Where text messages are asked for; empty for nowhere.
        sms_url: String = Range::HttpUrl;
        /// What is posted there, with places such as {short}: JSON where it begins with a brace, else a form.
        sms_body: String = Range::Line;
        /// File with the value of the Authorization header there; empty sends none.
        sms_authorization_file: String = Range::Path { may_be_empty: true };
        /// Mail server (`HOST:PORT`); empty sends no mail.
        mail_server: String = Range::Line;
        /// How the connection is secured: starttls, tls from the first byte, or none.
        mail_tls: String = Range::Choice(&["starttls", "tls", "none"]);
        /// User at the mail server; empty logs in nobody.
        mail_user: String = Range::Line;
        /// File with the user's password.
        mail_password_file: String = Range::Path { may_be_empty: true };
        /// Sender of mails.
        mail_from: String = Range::Line;
        /// Receivers of mails, with commas between them.
        mail_to: String = Range::Line;
        /// Receivers at level 2; empty for the same.
        mail_to_level2: String = Range::Line;
        /// Receivers at level 3; empty for the same.
        mail_to_level3: String = Range::Line;
    }
    /// What accounts are worth (docs/limits.md).
    valuation: ValuationKeys {
        /// true tells limits on equity, and shares of equity, what accounts and the nodes above them are worth by our own books: `tradewind
        /// run` keeps a copy of cash and positions where such a limit is in force. A node that somebody outside values is left alone.
        own: bool = Range::Flag;
    }
    /// The auditor beside a running engine (docs/ledger.md, "What an audit checks").
    audit: AuditKeys {
        /// true counts everything once more from the journal while the engine runs, and raises CRITICAL on the first difference. It keeps
        /// two further copies of all tables in memory, and needs a core's time for itself at full load.
        shadow: bool = Range::Flag;
        /// Milliseconds between two looks at everything that was counted.
        interval_ms: u32 = count(100, 3_600_000);
    }
    /// How operators reach a running engine (docs/control-socket.md).
    control: ControlKeys {
        /// true answers `limits`, `kill`, `rearm`, `quarantine` and their like through a socket in the data folder, and keeps a second
        /// copy of the tables in memory for listings; false has no socket.
        socket: bool = Range::Flag;
    }
    /// The HTTP server (docs/http-api.md).
    http: HttpKeys {
        /// Address and port of the HTTP server, the dashboard and the WebSocket; port 0 takes a free one and prints it, empty starts no server.
        listen: String = Range::Address;
        /// Certificates (PEM) for TLS; empty for none.
        tls_cert_file: String = Range::Path { may_be_empty: true };
        /// Their private key (PEM).
        tls_key_file: String = Range::Path { may_be_empty: true };
        /// true listens beyond this machine without TLS: only where something in front of it encrypts.
        insecure_remote: bool = Range::Flag;
        /// Origins whose pages may ask, with commas between them, or *; empty for none but our own.
        cors_origins: String = Range::Origins;
        /// Bytes of a request's body at most.
        body_bytes: u64 = bytes(1 << 10, 1 << 30);
        /// Connections at one time; one more is closed at once.
        connections: u32 = count(1, 1_000_000);
        /// Milliseconds that a request's head may take, that a connection may be idle between two requests, and that an answer may wait
        /// for its reader.
        header_timeout_ms: u32 = count(100, 600_000);
        /// Requests a second of one user; 0 for any number.
        requests_per_s: u32 = count(0, 10_000_000);
        /// Requests of one user at once.
        requests_burst: u32 = count(1, 10_000_000);
        /// Threads of the server.
        threads: u32 = count(1, 256);
        /// true logs every request, false only those that failed by a fault of the server.
        log: bool = Range::Flag;
    }
    /// Who may come in (docs/identity.md).
    identity: IdentityKeys {
        /// Minutes that an access token counts.
        token_minutes: u32 = count(1, 1_440);
        /// Hours that a refresh token counts.
        refresh_hours: u32 = count(1, 8_760);
        /// Wrong passwords in a row after which a user is locked out.
        login_failures: u32 = count(1, 1_000);
        /// Minutes that he is.
        lock_minutes: u32 = count(1, 525_600);
        /// `iss` of an outside issuer of tokens (RS256, ES256) that count here; empty for none.
        outside_issuer: String = Range::Line;
        /// `aud` by which its tokens name this engine.
        outside_audience: String = Range::Line;
        /// File with its keys (JWKS).
        outside_jwks_file: String = Range::Path { may_be_empty: true };
    }
    /// The journal in SQL (docs/store.md).
    store: StoreKeys {
        /// true writes what the journal says to a database while `tradewind run` and `ingest` run; the engine never waits for it.
        enabled: bool = Range::Flag;
        /// The database: `sqlite:FILE` (relative to the data folder) or `postgres://USER:PASSWORD@HOST/DATABASE`.
        url: String = Range::DatabaseUrl;
        /// Milliseconds between two transactions at least: more makes larger ones, which cost less.
        pause_ms: u32 = count(0, 60_000);
        /// Milliseconds that a stop waits for a database that does not answer.
        drain_ms: u32 = count(0, 600_000);
    }
    /// Reports (docs/reports.md).
    reports: ReportKeys {
        /// TOML file of what is substantially identical and which accounts are for retirement, read at the start for reports over
        /// HTTP; empty for none. `tradewind report` takes it by `--tax`.
        tax_file: String = Range::Path { may_be_empty: true };
    }
    /// What is reported while running.
    log: LogKeys {
        /// Milliseconds between two status lines; 0 prints none.
        status_interval_ms: u32 = count(0, 3_600_000);
        /// How lines of a running engine look on stderr: text, json (one object a line, docs/runbook.md), or auto, which is text on a terminal
        /// and json elsewhere.
        format: String = Range::Choice(&["auto", "text", "json"]);
    }
}
