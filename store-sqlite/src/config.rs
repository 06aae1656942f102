//! What can be chosen of a store on SQLite.

use store_core::{Error, ErrorKind, Options, Result};

/// What can be chosen beside the settings that every engine has.
///
/// # Examples
/// ```
/// use store_sqlite::SqliteConfig;
/// let config = SqliteConfig::default().with_wal_limit(64 << 20);
/// assert_eq!(config.wal_limit, 64 << 20);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteConfig {
    /// The size in bytes beyond which the write-ahead log never grows, 1 GiB by default: while a reader holds
    /// an old snapshot it cannot shrink, and then writes fail with `Busy`.
    pub wal_limit: u64,
    /// The size in bytes of each connection's page cache; 8 MiB by default.
    pub cache: u64,
}

impl Default for SqliteConfig {
    fn default() -> Self {
        Self { wal_limit: 1 << 30, cache: 8 << 20 }
    }
}

impl SqliteConfig {
    const SMALLEST_WAL: u64 = 16 << 20;

    /// Bounds the write-ahead log, in bytes.
    pub fn with_wal_limit(mut self, bytes: u64) -> Self {
        self.wal_limit = bytes;
        self
    }

    /// Sizes the page cache of each connection, in bytes.
    pub fn with_cache(mut self, bytes: u64) -> Self {
        self.cache = bytes;
        self
    }

    /// Takes what concerns SQLite out of the options of a configuration.
    ///
    /// # Errors
    /// `ConfigInvalid` for a value that cannot be.
    pub fn from_options(options: &mut Options) -> Result<Self> {
        let default = Self::default();
        let config = Self {
            wal_limit: options.take_size("wal_limit")?.unwrap_or(default.wal_limit),
            cache: options.take_size("cache")?.unwrap_or(default.cache),
        };
        config.validate().map_err(|e| options.locate("wal_limit", e))?;
        Ok(config)
    }

    pub(crate) fn validate(&self) -> Result<()> {
        if self.wal_limit < Self::SMALLEST_WAL {
            let why = format!("wal_limit={}: give at least 16MiB", self.wal_limit);
            return Err(Error::new(ErrorKind::ConfigInvalid, why));
        }
        Ok(())
    }
}
