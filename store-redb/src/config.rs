//! What can be chosen of a store on redb.

use store_core::{Options, Result};

/// What can be chosen beside the settings that every engine has.
///
/// # Examples
/// ```
/// use store_redb::RedbConfig;
/// let config = RedbConfig::default().with_cache(64 << 20);
/// assert_eq!(config.cache, 64 << 20);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedbConfig {
    /// The most bytes of pages that a process keeps, 16 MiB by default: half of them for its reads, half, from
    /// its first write on, for its writes.
    pub cache: u64,
}

impl Default for RedbConfig {
    fn default() -> Self {
        Self { cache: 16 << 20 }
    }
}

impl RedbConfig {
    /// Sizes the page cache of a process, in bytes.
    pub fn with_cache(mut self, bytes: u64) -> Self {
        self.cache = bytes;
        self
    }

    /// Takes what concerns redb out of the options of a configuration.
    ///
    /// # Errors
    /// `ConfigInvalid` for a value that cannot be.
    pub fn from_options(options: &mut Options) -> Result<Self> {
        let default = Self::default();
        Ok(Self { cache: options.take_size("cache")?.unwrap_or(default.cache) })
    }

    /// Returns the share of the cache of one of the two handles of a process.
    pub(crate) fn share(&self) -> usize {
        usize::try_from(self.cache / 2).unwrap_or(usize::MAX)
    }
}
