//! The migrations, from an empty database to the schema of this build. A released one is never edited: the next one is added behind it.

use super::Dialect::{Postgres, Sqlite};
use super::Migration;
use super::Step::{Columns, Index, Sql, SqlOf, Table, TableNamed, View};
use super::views;
use crate::rows;

/// Trades for people.
const TRADES_WITH_NAMES: &str = "CREATE VIEW trades_with_names AS
    SELECT e.seq, e.day, e.recv_at, e.recv_ns, e.exec_id, e.order_id, a.code AS account, n.code AS node, i.symbol,
        CASE e.side WHEN 1 THEN 'BUY' WHEN 2 THEN 'SELL' ELSE 'SELL_SHORT' END AS side,
        e.qty, e.px, e.principal, e.fee, e.realised, c.code AS currency,
        CASE e.status WHEN 2 THEN 'CORRECTED' WHEN 3 THEN 'BUSTED' ELSE 'BOOKED' END AS status
    FROM executions e
    LEFT JOIN accounts a ON a.account_id = e.account_id
    LEFT JOIN nodes n ON n.node_id = e.node_id
    LEFT JOIN instruments i ON i.instrument_id = e.instrument_id
    LEFT JOIN currencies c ON c.currency_id = e.currency_id
    WHERE e.trade_seq IS NULL";

/// All migrations, rising.
pub(crate) static MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "the journal in tables",
        steps: &[
            Table(&rows::PLACE),
            Table(&rows::CURRENCIES),
            Table(&rows::NODES),
            Table(&rows::ACCOUNTS),
            Table(&rows::INSTRUMENTS),
            Table(&rows::LIMITS),
            Table(&rows::SESSIONS),
            Table(&rows::ORDERS),
            Table(&rows::EXECUTIONS),
            TableNamed("ledger_entries", &rows::LEDGER_LEGS),
            Table(&rows::LIMIT_EVENTS),
            Table(&rows::REFUSALS),
            Table(&rows::ALERTS),
            Table(&rows::AUDIT),
            Table(&rows::POSITIONS),
            Table(&rows::BALANCES),
            Table(&rows::PNL_DAYS),
            Table(&rows::BARS),
            Index("orders_by_account", "orders", &["account_id", "order_id"]),
            Index("orders_by_cl_ord_id", "orders", &["cl_ord_id"]),
            Index("executions_by_account", "executions", &["account_id", "seq"]),
            Index("executions_by_order", "executions", &["order_id"]),
            Index("ledger_entries_by_account", "ledger_entries", &["account_id", "seq"]),
            Index("limit_events_by_account", "limit_events", &["account_id", "seq"]),
            Index("refusals_by_account", "refusals", &["account_id", "seq"]),
        ],
    },
    Migration {
        version: 2,
        name: "trades and P&L for people, limits and executions by name",
        steps: &[
            Index("executions_by_exec_id", "executions", &["exec_id"]),
            Index("limit_events_by_limit", "limit_events", &["limit_id", "seq"]),
            Index("audit_by_author", "audit", &["author", "seq"]),
            Sql(TRADES_WITH_NAMES),
            Sql("CREATE VIEW pnl_with_names AS
                SELECT p.day, a.code AS account, n.code AS node, i.symbol, i.sector, c.code AS currency,
                    p.realised, p.fees, p.income, p.fills, p.volume
                FROM pnl_days p
                LEFT JOIN accounts a ON a.account_id = p.account_id
                LEFT JOIN nodes n ON n.node_id = p.node_id
                LEFT JOIN instruments i ON i.instrument_id = p.instrument_id
                LEFT JOIN currencies c ON c.currency_id = p.currency_id"),
        ],
    },
    Migration {
        version: 3,
        name: "trades that say their own legs, rows of accounts in lists",
        steps: &[
            Columns(&rows::EXECUTIONS),
            Sql("ALTER TABLE ledger_entries RENAME TO ledger_legs"),
            SqlOf(
                Postgres,
                "DO $$ DECLARE p RECORD; BEGIN
                    FOR p IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                        WHERE i.inhparent = 'ledger_legs'::regclass LOOP
                        EXECUTE format('ALTER TABLE %I RENAME TO %I', p.relname,
                            replace(p.relname, 'ledger_entries', 'ledger_legs'));
                    END LOOP;
                END $$",
            ),
            View(views::ledger_entries),
            Table(&rows::EQUITY_DAYS),
            // Postgres finds the rows of an account by lists, a row for each account and batch: an entry for each row of an index
            // that is not in the order of the rows costs more than the row.
            SqlOf(
                Postgres,
                "CREATE TABLE account_rows (account_id INTEGER NOT NULL, day DATE NOT NULL, upto BIGINT NOT NULL,
                    orders BIGINT[] NOT NULL, executions BIGINT[] NOT NULL,
                    PRIMARY KEY (account_id, upto, day)) PARTITION BY RANGE (day)",
            ),
            SqlOf(
                Postgres,
                "DO $$ DECLARE p RECORD; BEGIN
                    FOR p IN SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) AS bound
                        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                        WHERE i.inhparent = 'orders'::regclass LOOP
                        EXECUTE format('CREATE TABLE %I PARTITION OF account_rows %s',
                            replace(p.relname, 'orders', 'account_rows'), p.bound);
                    END LOOP;
                END $$",
            ),
            SqlOf(
                Postgres,
                "INSERT INTO account_rows
                    SELECT account_id, day, max(seq), COALESCE(array_agg(o ORDER BY o) FILTER (WHERE o IS NOT NULL), '{}'),
                        COALESCE(array_agg(DISTINCT e) FILTER (WHERE e IS NOT NULL), '{}')
                    FROM (SELECT account_id, day, seq, order_id AS o, NULL::BIGINT AS e FROM orders
                        UNION ALL SELECT account_id, day, seq, NULL, seq FROM executions) AS r
                    GROUP BY account_id, day",
            ),
            SqlOf(Postgres, "DROP INDEX orders_by_account"),
            SqlOf(Postgres, "DROP INDEX executions_by_account"),
            // Room for the next versions of rows that change all the time.
            SqlOf(Postgres, "ALTER TABLE positions SET (fillfactor = 50)"),
            SqlOf(Postgres, "ALTER TABLE balances SET (fillfactor = 50)"),
            SqlOf(Postgres, "ALTER TABLE pnl_days SET (fillfactor = 50)"),
            SqlOf(Postgres, "ALTER TABLE equity_days SET (fillfactor = 50)"),
        ],
    },
    Migration {
        version: 4,
        name: "breaks of reconciliation, profit in base currency",
        steps: &[
            Columns(&rows::CURRENCIES),
            // The firm's own currency; of the others the next rate is the first that is known.
            SqlOf(Postgres, "UPDATE currencies SET rate = 1 WHERE currency_id = 0"),
            SqlOf(Sqlite, "UPDATE currencies SET rate = 100000000 WHERE currency_id = 0"),
            Columns(&rows::PNL_DAYS),
            Table(&rows::RECON_RUNS),
            Table(&rows::RECON_BREAKS),
            Sql("DROP VIEW pnl_with_names"),
            Sql("CREATE VIEW pnl_with_names AS
                SELECT p.day, a.code AS account, n.code AS node, i.symbol, i.sector, c.code AS currency,
                    p.realised, p.fees, p.income, p.fills, p.volume, p.realised_base, p.fees_base, p.income_base
                FROM pnl_days p
                LEFT JOIN accounts a ON a.account_id = p.account_id
                LEFT JOIN nodes n ON n.node_id = p.node_id
                LEFT JOIN instruments i ON i.instrument_id = p.instrument_id
                LEFT JOIN currencies c ON c.currency_id = p.currency_id"),
        ],
    },
    Migration {
        version: 5,
        name: "legs in the lists of accounts, identifiers by their bytes",
        steps: &[
            SqlOf(
                Postgres,
                "ALTER TABLE account_rows ADD COLUMN legs BIGINT[] NOT NULL DEFAULT '{}'",
            ),
            // A list of at most so many legs each: one of a whole day could exceed what a value may be.
            SqlOf(
                Postgres,
                "INSERT INTO account_rows (account_id, day, upto, orders, executions, legs)
                    SELECT account_id, day, max(seq), '{}', '{}', array_agg(DISTINCT seq ORDER BY seq)
                    FROM ledger_legs WHERE account_id <> -1 GROUP BY account_id, day, seq / 1000000
                    ON CONFLICT (account_id, upto, day) DO UPDATE SET legs = excluded.legs",
            ),
            SqlOf(Postgres, "DROP INDEX ledger_entries_by_account"),
            // Whatever language the server sorts by: its rules cost more for each entry of an index than the rest of the entry.
            SqlOf(Postgres, "DROP VIEW trades_with_names"),
            SqlOf(
                Postgres,
                "ALTER TABLE executions ALTER COLUMN exec_id TYPE TEXT COLLATE \"C\"",
            ),
            SqlOf(
                Postgres,
                "ALTER TABLE orders ALTER COLUMN cl_ord_id TYPE TEXT COLLATE \"C\"",
            ),
            SqlOf(Postgres, TRADES_WITH_NAMES),
        ],
    },
];
