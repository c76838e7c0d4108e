//! History: the questions of front ends, answered from either database.
//!
//! # Invariants
//! - An answer and the place that it names come from one snapshot of the database.
//! - Statements are made of names of our own and numbered arguments; what an asker wrote is only ever an argument.
//! - Nothing here writes: connections are read-only.
//!
//! Not here: who may see what.

mod build;
mod conditions;
mod pnl;
mod rows;

use crate::error::StoreError;
use crate::read::{Source, TextRow};
use crate::schema::Dialect;
use crate::target::Target;
use conditions::Statement;
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tradewind_views::query::history::{
    Answer, AsOf, AuditFilter, AuditRow, BarFilter, BarRow, History, HistoryError, LedgerEntryRow,
    LedgerFilter, LimitEventRow, LimitFilter, OrderFilter, OrderRow, Page, PageRequest, Pnl, PnlFilter,
    RefusalFilter, RefusalRow, TradeFilter, TradeRow,
};

/// Connections of questions.
const CONNECTIONS: u32 = 4;
/// How many of an account's lists are looked at, one after the other; then all of them.
const WINDOWS: [u32; 2] = [64, 4_096];
/// How long a question waits for a connection.
const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// How long one may take, in milliseconds.
const STATEMENT_MS: &str = "30000";

/// History as a store keeps it.
pub struct StoreHistory {
    pool: Pool,
    /// The connections live here, whichever executor a question comes from.
    runtime: Option<Runtime>,
}

#[derive(Clone)]
enum Pool {
    Postgres(PgPool),
    Sqlite(SqlitePool),
}

impl StoreHistory {
    /// History of a database. It is connected to when somebody asks; until it can be, answers say that it is not available.
    pub fn open(target: &Target) -> Result<Arc<Self>, StoreError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("tw-history")
            .enable_all()
            .build()
            .map_err(StoreError::Thread)?;
        let _inside = runtime.enter();
        let pool = match target {
            Target::Postgres(options) => {
                let options = options
                    .as_ref()
                    .clone()
                    .application_name("tradewind-history")
                    .options([
                        ("default_transaction_read_only", "on"),
                        ("statement_timeout", STATEMENT_MS),
                    ])
                    .disable_statement_logging();
                let pool = PgPoolOptions::new()
                    .max_connections(CONNECTIONS)
                    .acquire_timeout(CONNECT_WAIT);
                Pool::Postgres(pool.connect_lazy_with(options))
            }
            Target::Sqlite(options) => {
                let options = options
                    .as_ref()
                    .clone()
                    .read_only(true)
                    .disable_statement_logging();
                let pool = SqlitePoolOptions::new()
                    .max_connections(CONNECTIONS)
                    .acquire_timeout(CONNECT_WAIT);
                Pool::Sqlite(pool.connect_lazy_with(options))
            }
        };
        drop(_inside);
        Ok(Arc::new(Self {
            pool,
            runtime: Some(runtime),
        }))
    }

    fn dialect(&self) -> Dialect {
        match self.pool {
            Pool::Postgres(_) => Dialect::Postgres,
            Pool::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// Runs a statement on the connections' own executor.
    fn ask(&self, statement: Result<Statement, HistoryError>) -> Answer<'_, (AsOf, Vec<TextRow>)> {
        let pool = self.pool.clone();
        let task = statement.map(|statement| {
            let runtime = self.runtime.as_ref();
            runtime.map(|runtime| runtime.spawn(async move { pool.ask(&statement).await }))
        });
        Box::pin(async move {
            let Some(task) = task? else {
                return Err(HistoryError::Unavailable("it is shutting down".to_owned()));
            };
            match task.await {
                Ok(answer) => answer.map_err(unavailable),
                Err(_) => Err(HistoryError::Unavailable("the question was given up".to_owned())),
            }
        })
    }

    /// A page of rows. `mark` says where the next page begins behind a row.
    fn page<'a, T: Send + 'static>(
        &'a self,
        statement: impl Fn(Option<u32>) -> Result<Statement, HistoryError> + Send + 'a,
        limit: u32,
        row: fn(Dialect, &TextRow) -> Result<T, StoreError>,
        mark: fn(&TextRow) -> Result<String, StoreError>,
    ) -> Answer<'a, Page<T>> {
        let (dialect, limit) = (self.dialect(), limit as usize);
        Box::pin(async move {
            let mut windows = WINDOWS.into_iter();
            let (as_of, mut found) = loop {
                let statement = statement(windows.next())?;
                let is_narrow = statement.is_narrow;
                let answer = self.ask(Ok(statement)).await?;
                if answer.1.len() > limit || !is_narrow {
                    break answer;
                }
            };
            // One row more than asked for was looked for: it says that there is a next page.
            let next = match found.len() > limit {
                true => found.get(limit.saturating_sub(1)).map(mark).transpose(),
                false => Ok(None),
            };
            found.truncate(limit);
            let rows: Result<Vec<T>, StoreError> = found.iter().map(|text| row(dialect, text)).collect();
            Ok(Page {
                rows: rows.map_err(unavailable)?,
                next: next.map_err(unavailable)?,
                as_of_seq: as_of.seq,
            })
        })
    }
}

impl Drop for StoreHistory {
    fn drop(&mut self) {
        // The last owner may itself run on an executor, which must not be blocked.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn unavailable(error: StoreError) -> HistoryError {
    HistoryError::Unavailable(error.line())
}

impl Pool {
    /// The place of the database and the rows of a statement, of one snapshot.
    async fn ask(&self, statement: &Statement) -> Result<(AsOf, Vec<TextRow>), StoreError> {
        macro_rules! ask {
            ($pool:expr, $begin:literal, $source:path) => {{
                let mut transaction = $pool.begin_with(AssertSqlSafe($begin.to_owned())).await?;
                let mut source = $source(&mut transaction);
                let as_of = as_of(&mut source).await?;
                let rows = source.rows(&statement.sql, &statement.args).await?;
                transaction.rollback().await?;
                Ok((as_of, rows))
            }};
        }
        match self {
            Self::Postgres(pool) => ask!(
                pool,
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                Source::Postgres
            ),
            Self::Sqlite(pool) => ask!(pool, "BEGIN", Source::Sqlite),
        }
    }
}

async fn as_of(source: &mut Source<'_>) -> Result<AsOf, StoreError> {
    let texts = source.dialect().texts(&["seq", "recv_ns"]);
    let rows = source
        .rows(&format!("SELECT {texts} FROM store_place"), &[])
        .await?;
    Ok(match rows.first() {
        Some(row) => AsOf {
            seq: row.int::<i64>(0)? as u64,
            recv_ns: row.int::<i64>(1)? as u64,
        },
        None => AsOf { seq: 0, recv_ns: 0 },
    })
}

impl History for StoreHistory {
    fn as_of(&self) -> Answer<'_, AsOf> {
        Box::pin(async move { Ok(self.ask(Ok(Statement::nothing())).await?.0) })
    }

    fn orders(&self, filter: OrderFilter, page: PageRequest) -> Answer<'_, Page<OrderRow>> {
        let (dialect, limit) = (self.dialect(), page.limit);
        let statement = move |window: Option<u32>| build::orders(dialect, &filter, &page, window);
        self.page(statement, limit, rows::order, rows::order_mark)
    }

    fn trades(&self, filter: TradeFilter, page: PageRequest) -> Answer<'_, Page<TradeRow>> {
        let (dialect, limit) = (self.dialect(), page.limit);
        let statement = move |window: Option<u32>| build::trades(dialect, &filter, &page, window);
        self.page(statement, limit, rows::trade, rows::mark)
    }

    fn ledger_entries(&self, filter: LedgerFilter, page: PageRequest) -> Answer<'_, Page<LedgerEntryRow>> {
        let (dialect, limit) = (self.dialect(), page.limit);
        let statement = move |window: Option<u32>| build::ledger_entries(dialect, &filter, &page, window);
        self.page(statement, limit, rows::ledger_entry, rows::mark)
    }

    fn limit_events(&self, filter: LimitFilter, page: PageRequest) -> Answer<'_, Page<LimitEventRow>> {
        let (dialect, limit) = (self.dialect(), page.limit);
        let statement = move |_: Option<u32>| build::limit_events(dialect, &filter, &page);
        self.page(statement, limit, rows::limit_event, rows::mark)
    }

    fn refusals(&self, filter: RefusalFilter, page: PageRequest) -> Answer<'_, Page<RefusalRow>> {
        let (dialect, limit) = (self.dialect(), page.limit);
        let statement = move |_: Option<u32>| build::refusals(dialect, &filter, &page);
        self.page(statement, limit, rows::refusal, rows::mark)
    }

    fn audit(&self, filter: AuditFilter, page: PageRequest) -> Answer<'_, Page<AuditRow>> {
        let (dialect, limit) = (self.dialect(), page.limit);
        let statement = move |_: Option<u32>| build::audit(dialect, &filter, &page);
        self.page(statement, limit, rows::audit, rows::mark)
    }

    fn bars(&self, filter: BarFilter, page: PageRequest) -> Answer<'_, Page<BarRow>> {
        let (dialect, limit) = (self.dialect(), page.limit);
        let statement = move |_: Option<u32>| build::bars(dialect, &filter, &page);
        self.page(statement, limit, rows::bar, rows::bar_mark)
    }

    fn pnl(&self, filter: PnlFilter) -> Answer<'_, Pnl> {
        let (dialect, statement) = (self.dialect(), pnl::statement(self.dialect(), &filter));
        Box::pin(async move {
            let (as_of, rows) = self.ask(Ok(statement)).await?;
            Ok(Pnl {
                rows: pnl::sums(dialect, &rows).map_err(unavailable)?,
                as_of_seq: as_of.seq,
            })
        })
    }
}
