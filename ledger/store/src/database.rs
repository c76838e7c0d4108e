//! One of the two databases, behind one face: connect, migrate, say where it stands, write a batch.

use crate::batch::Batch;
use crate::error::StoreError;
use crate::position::Saved;
use crate::postgres::Postgres;
use crate::project::Projection;
use crate::read::{self, Source, TextRow};
use crate::schema::{self, Dialect, MIGRATIONS, Migration};
use crate::sqlite::Sqlite;
use crate::target::Target;
use sqlx::{AssertSqlSafe, Connection, Executor};

/// A connection that writes.
pub(crate) enum Database {
    /// Postgres.
    Postgres(Postgres),
    /// SQLite.
    Sqlite(Sqlite),
}

/// Guards the steps of a migration against another process that does the same.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(8317987319222330741)";
const MIGRATIONS_TABLE: &str = "CREATE TABLE IF NOT EXISTS store_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL)";

impl Database {
    /// Connects.
    pub(crate) async fn connect(target: &Target) -> Result<Self, StoreError> {
        Ok(match target {
            Target::Postgres(options) => Self::Postgres(Postgres::connect(options).await?),
            Target::Sqlite(options) => Self::Sqlite(Sqlite::connect(options).await?),
        })
    }

    /// The connection, for questions.
    pub(crate) fn source(&mut self) -> Source<'_> {
        match self {
            Self::Postgres(postgres) => Source::Postgres(postgres.connection()),
            Self::Sqlite(sqlite) => Source::Sqlite(sqlite.connection()),
        }
    }

    /// Where it stands.
    pub(crate) async fn saved(&mut self) -> Result<Saved, StoreError> {
        read::saved(&mut self.source(), false).await
    }

    /// What the projection has to know of the records before the place.
    pub(crate) async fn projection(&mut self) -> Result<Projection, StoreError> {
        let names = read::names(&mut self.source()).await?;
        let breaks = read::breaks(&mut self.source()).await?;
        Ok(Projection::new(names, breaks))
    }

    /// Writes a batch that begins where the database stands.
    pub(crate) async fn write(
        &mut self,
        batch: &Batch,
        before: &Saved,
        after: &Saved,
    ) -> Result<(), StoreError> {
        match self {
            Self::Postgres(postgres) => postgres.write(batch, before, after).await,
            Self::Sqlite(sqlite) => sqlite.write(batch, before, after).await,
        }
    }

    /// The version of its schema; 0 where it is empty. Refuses one that is not of this build, or of an older one.
    pub(crate) async fn version(&mut self) -> Result<i32, StoreError> {
        let mut source = self.source();
        let dialect = source.dialect();
        let there = match dialect {
            Dialect::Postgres => "SELECT to_regclass('store_migrations')::text",
            Dialect::Sqlite => "SELECT name FROM sqlite_master WHERE name = 'store_migrations'",
        };
        if source
            .rows(there, &[])
            .await?
            .first()
            .and_then(|row| row.opt(0))
            .is_none()
        {
            return Ok(0);
        }
        let columns = dialect.texts(&["version", "checksum"]);
        let sql = format!("SELECT {columns} FROM store_migrations ORDER BY version");
        let rows = source.rows(&sql, &[]).await?;
        check_migrations(&rows, dialect)
    }

    /// Brings the schema to version `to`, and says what was done.
    pub(crate) async fn migrate_to(&mut self, to: i32) -> Result<Vec<String>, StoreError> {
        let version = self.version().await?;
        let mut done = Vec::new();
        for migration in MIGRATIONS
            .iter()
            .filter(|migration| migration.version > version && migration.version <= to)
        {
            if self.apply(migration).await? {
                done.push(format!("{}: {}", migration.version, migration.name));
            }
        }
        Ok(done)
    }

    /// Brings the schema to the newest version.
    pub(crate) async fn migrate(&mut self) -> Result<Vec<String>, StoreError> {
        self.migrate_to(i32::MAX).await
    }

    /// One migration in one transaction. False where another process has done it meanwhile.
    async fn apply(&mut self, migration: &Migration) -> Result<bool, StoreError> {
        macro_rules! apply {
            ($transaction:ident, $source:path, $dialect:expr) => {{
                $transaction.execute(MIGRATIONS_TABLE).await?;
                let texts = $dialect.texts(&["version"]);
                let sql = format!(
                    "SELECT {texts} FROM store_migrations WHERE version = {}",
                    migration.version
                );
                if !$source(&mut $transaction).rows(&sql, &[]).await?.is_empty() {
                    return Ok(false);
                }
                for statement in migration.statements($dialect) {
                    $transaction.execute(AssertSqlSafe(statement)).await?;
                }
                let (version, name) = (migration.version, migration.name);
                let checksum = migration.checksum($dialect);
                let sql = format!("INSERT INTO store_migrations VALUES ({version}, '{name}', '{checksum}')");
                $transaction.execute(AssertSqlSafe(sql)).await?;
                $transaction.commit().await?;
                Ok(true)
            }};
        }
        match self {
            Self::Postgres(postgres) => {
                let mut transaction = postgres.connection().begin().await?;
                transaction.execute(MIGRATION_LOCK).await?;
                apply!(transaction, Source::Postgres, Dialect::Postgres)
            }
            Self::Sqlite(sqlite) => {
                let mut transaction = sqlite.connection().begin_with("BEGIN IMMEDIATE").await?;
                apply!(transaction, Source::Sqlite, Dialect::Sqlite)
            }
        }
    }

    /// Takes everything away that a store made, whatever its version.
    pub(crate) async fn drop_all(&mut self) -> Result<(), StoreError> {
        let names: Vec<String> = schema::names().map(|name| format!("'{name}'")).collect();
        let names = names.join(", ");
        let mut source = self.source();
        // Views first: what they are made of cannot be dropped under them.
        let there = match source.dialect() {
            Dialect::Postgres => format!(
                "SELECT relname::text, CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END FROM pg_class \
                 WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v') AND relname IN ({names}) \
                 ORDER BY relkind = 'v' DESC"
            ),
            Dialect::Sqlite => format!(
                "SELECT name, upper(type) FROM sqlite_master WHERE type IN ('table', 'view') AND name IN ({names}) \
                 ORDER BY type = 'view' DESC"
            ),
        };
        for row in source.rows(&there, &[]).await? {
            let statement = format!("DROP {} {}", row.text(1)?, row.text(0)?);
            self.run(statement).await?;
        }
        Ok(())
    }

    async fn run(&mut self, statement: String) -> Result<(), StoreError> {
        let statement = AssertSqlSafe(statement);
        match self {
            Self::Postgres(postgres) => {
                postgres.connection().execute(statement).await?;
            }
            Self::Sqlite(sqlite) => {
                sqlite.connection().execute(statement).await?;
            }
        }
        Ok(())
    }
}

fn check_migrations(rows: &[TextRow], dialect: Dialect) -> Result<i32, StoreError> {
    let mut version = 0;
    for row in rows {
        let found: i32 = row.int(0)?;
        let Some(known) = MIGRATIONS.iter().find(|migration| migration.version == found) else {
            return Err(StoreError::NewerSchema {
                found,
                known: MIGRATIONS.last().map_or(0, |migration| migration.version),
            });
        };
        if row.text(1)? != known.checksum(dialect) {
            return Err(StoreError::OtherSchema { version: found });
        }
        version = found;
    }
    Ok(version)
}
