//! The configuration of one store: engine, path and settings, checked before anything is opened.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use store_core::{Access, Blocking, Durability, Error, ErrorKind, Result, Settings, StateStore};

use crate::registry::{self, Open};
use crate::url;

/// Which store to open, and how.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use statestore::{Durability, StoreConfig};
///
/// let config = StoreConfig::from_url("sqlite:state.db?durability=process&timeout=2s")?;
/// assert_eq!(config.settings().durability, Durability::Process);
/// let patient = config.with_timeout(Duration::from_secs(30));
/// assert_eq!(patient.settings().timeout, Duration::from_secs(30));
/// # Ok::<(), statestore::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct StoreConfig {
    scheme: String,
    path: PathBuf,
    settings: Settings,
    engine: Arc<dyn Open>,
}

impl StoreConfig {
    /// Reads a URL: `engine:path?option=value&…`.
    ///
    /// | option | values | default |
    /// |---|---|---|
    /// | `durability` | `process`, `power` | `power` |
    /// | `timeout` | a time such as `5s` | `5s` |
    /// | `access` | `private`, `group`, `shared` | `group` if a group is named or the folder is setgid |
    /// | `group` | a group's name or number | |
    /// | `create` | `true`, `false` | `true` |
    /// | `read_only` | `true`, `false` | `false` |
    /// | `wal_limit` | sqlite: a size such as `64MiB` | `1GiB` |
    /// | `cache` | sqlite: a size, of each connection's page cache | `8MiB` |
    ///
    /// # Errors
    /// `ConfigInvalid` for a form, an engine, an option or a value that cannot be; it lists those that can.
    pub fn from_url(url: &str) -> Result<Self> {
        let mut parts = url::parse(url)?;
        let read = || {
            let settings = Settings::from_options(&mut parts.options)?;
            let unknown =
                || Error::new(ErrorKind::ConfigInvalid, format!("there is no engine {:?}", parts.scheme));
            let engine =
                registry::configure(&parts.scheme, &mut parts.options).unwrap_or_else(|| Err(unknown()))?;
            parts.options.finish()?;
            Ok(Self { scheme: parts.scheme, path: parts.path, settings, engine })
        };
        read()
    }

    /// Returns the scheme of the engine.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Returns the path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Chooses what an acknowledged write survives.
    pub fn with_durability(mut self, durability: Durability) -> Self {
        self.settings = self.settings.with_durability(durability);
        self
    }

    /// Bounds the wait of every call.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.settings = self.settings.with_timeout(timeout);
        self
    }

    /// Chooses who may share the files.
    pub fn with_access(mut self, access: Access) -> Self {
        self.settings = self.settings.with_access(access);
        self
    }

    /// Names the owner group of every artefact.
    pub fn with_group(mut self, group: impl Into<String>) -> Self {
        self.settings = self.settings.with_group(group);
        self
    }

    /// Chooses whether a missing store is created.
    pub fn with_create(mut self, create: bool) -> Self {
        self.settings = self.settings.with_create(create);
        self
    }

    /// Chooses whether every write is refused.
    pub fn with_read_only(mut self, read_only: bool) -> Self {
        self.settings = self.settings.with_read_only(read_only);
        self
    }

    /// Opens the store.
    ///
    /// # Errors
    /// Those of [`Embedded::open`](store_core::Embedded::open).
    pub async fn open(&self) -> Result<Arc<dyn StateStore>> {
        self.engine.open(self.path.clone(), self.settings.clone()).await
    }

    /// Opens the store for a program without async.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn open_blocking(&self) -> Result<Blocking> {
        Blocking::open(self.open())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_lists_what_there_is() {
        for (url, part) in [
            ("sqlite:s.db?durability=maybe", "process or power"),
            ("sqlite:s.db?durabilty=power", "durability (process or power)"),
            ("sqlite:s.db?timeout=0s", "above zero"),
            ("sqlite:s.db?create=yes", "true or false"),
            ("sqlite:s.db?access=private&group=agents", "access=group"),
            ("sqlite:s.db?access=all", "private, group or shared"),
            ("sqlite:s.db?wal_limit=1", "at least 16MiB"),
            ("sqlite:s.db?group=", "group"),
            ("sqlite:s.db?create=true&create=false", "twice"),
        ] {
            let error = StoreConfig::from_url(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{url}");
            assert!(error.to_string().contains(part), "{url}: {error}");
        }
    }
}
