//! Addresses of databases.

use crate::error::StoreError;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use std::path::Path;

/// Where a store's database is.
#[derive(Clone, Debug)]
pub enum Target {
    /// A Postgres server.
    Postgres(Box<PgConnectOptions>),
    /// A SQLite file.
    Sqlite(Box<SqliteConnectOptions>),
}

impl Target {
    /// Reads `postgres://USER:PASSWORD@HOST/DATABASE` or `sqlite:FILE`. A file's path is relative to the data folder.
    pub fn parse(url: &str, data_dir: &Path) -> Result<Self, StoreError> {
        if let Some(file) = url.strip_prefix("sqlite:") {
            let file = file.strip_prefix("//").unwrap_or(file);
            if file.is_empty() {
                return Err(StoreError::Url);
            }
            let options = SqliteConnectOptions::new().filename(data_dir.join(file));
            return Ok(Self::Sqlite(Box::new(options)));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let options: PgConnectOptions = url.parse().map_err(|_| StoreError::Url)?;
            return Ok(Self::Postgres(Box::new(options)));
        }
        Err(StoreError::Url)
    }

    /// True for a file that is not there: looking at it would make it.
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Postgres(_) => false,
            Self::Sqlite(options) => !options.get_filename().exists(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_its_database() {
        let data = Path::new("data");
        assert!(matches!(
            Target::parse("sqlite:store.db", data),
            Ok(Target::Sqlite(_))
        ));
        assert!(matches!(
            Target::parse("postgres://me@host/db", data),
            Ok(Target::Postgres(_))
        ));
        for wrong in ["", "store.db", "mysql://host/db", "sqlite:", "http://host"] {
            assert!(
                matches!(Target::parse(wrong, data), Err(StoreError::Url)),
                "{wrong}"
            );
        }
    }
}
