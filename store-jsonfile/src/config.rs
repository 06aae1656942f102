//! What can be chosen of a store on JSON files.

use store_core::{Error, ErrorKind, Options, Result};

/// What can be chosen beside the settings that every engine has.
///
/// # Examples
/// ```
/// use store_jsonfile::JsonFilesConfig;
/// let config = JsonFilesConfig::default().with_cache(16 << 20);
/// assert_eq!(config.cache, 16 << 20);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonFilesConfig {
    /// How many bytes of files are kept parsed for later reads; 64 MiB by default. The memory is some three
    /// times that.
    pub cache: u64,
}

impl Default for JsonFilesConfig {
    fn default() -> Self {
        Self { cache: 64 << 20 }
    }
}

impl JsonFilesConfig {
    const LARGEST_CACHE: u64 = 1 << 40;

    /// Sizes what is kept parsed, in bytes of files.
    pub fn with_cache(mut self, bytes: u64) -> Self {
        self.cache = bytes;
        self
    }

    /// Takes what concerns JSON files out of the options of a configuration.
    ///
    /// # Errors
    /// `ConfigInvalid` for a value that cannot be.
    pub fn from_options(options: &mut Options) -> Result<Self> {
        let config = Self { cache: options.take_size("cache")?.unwrap_or(Self::default().cache) };
        config.validate()?;
        Ok(config)
    }

    pub(crate) fn validate(&self) -> Result<()> {
        if self.cache > Self::LARGEST_CACHE {
            let why = format!("cache={}: give at most 1TiB", self.cache);
            return Err(Error::new(ErrorKind::ConfigInvalid, why));
        }
        Ok(())
    }
}
