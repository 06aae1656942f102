//! The configuration of one store: engine, path and settings, checked before anything is opened.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use store_core::{
    Access, Blocking, Durability, Error, ErrorKind, Limits, MirrorConfig, Mirrored, Result, Settings,
    StateStore,
};

use crate::adopt::Adopted;
use crate::registry::{self, Open};
use crate::table;
use crate::url::{self, Parts};

/// Which store to open, and how.
///
/// Two configurations are equal if they say the same of the store, however they were written; `Display`
/// writes one as a URL.
///
/// # Examples
/// ```
/// # if !cfg!(feature = "sqlite") { return Ok(()); }
/// use std::time::Duration;
/// use statestore::{Durability, StoreConfig};
///
/// let config = StoreConfig::from_url("sqlite:state.db?durability=process&timeout=2s")?;
/// assert_eq!(config.settings().durability, Durability::Process);
/// let patient = config.with_timeout(Duration::from_secs(30));
/// assert_eq!(patient.to_string(), "sqlite:state.db?durability=process&timeout=30s");
/// # Ok::<(), statestore::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct StoreConfig {
    scheme: String,
    path: PathBuf,
    settings: Settings,
    mirror: Option<MirrorConfig>,
    engine: Arc<dyn Open>,
    /// The engine's own options as they were given, each in its one form.
    own: Vec<(String, String)>,
}

impl PartialEq for StoreConfig {
    fn eq(&self, other: &Self) -> bool {
        let common = |c: &Self| (c.scheme.clone(), c.path.clone(), c.settings.clone(), c.mirror.clone());
        common(self) == common(other) && self.own == other.own
    }
}

impl fmt::Display for StoreConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mirror = self.mirror.iter().flat_map(MirrorConfig::to_options);
        let common = self.settings.to_options().into_iter().chain(mirror);
        let common = common.map(|(key, value)| (key.to_owned(), value));
        let options: Vec<_> = common.chain(self.own.iter().cloned()).collect();
        f.write_str(&url::write(&self.scheme, &self.path, &options))
    }
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
    /// | `max_value` | a size such as `16MiB`, up to 256 MiB | `16MiB` |
    /// | `max_batch` | a size, of all values and names of a batch | `64MiB` |
    /// | `cache` | sqlite: a size, of each connection's page cache | `8MiB` |
    /// | | redb: of each process's page cache | `16MiB` |
    /// | | json: of the parsed files that each process keeps | `64MiB` |
    /// | `wal_limit` | sqlite: a size such as `64MiB` | `1GiB` |
    /// | `mirror` | the folder of a [mirror](MirrorConfig) for people's eyes | none |
    /// | `mirror_namespaces` | names separated by commas | all |
    /// | `mirror_debounce` | a time such as `1s`, or `0` | `200ms` |
    /// | `mirror_logs` | `none`, `all`, or how many of the last entries | `none` |
    ///
    /// A relative path is relative to the current folder.
    ///
    /// # Errors
    /// `ConfigInvalid` for a form, an engine, an option or a value that cannot be; it lists those that can.
    pub fn from_url(url: &str) -> Result<Self> {
        Self::from_parts(url::parse(url)?)
    }

    /// Reads the text of a configuration file: a table `[store]` with `engine`, `path` and the options of a
    /// URL; sizes and times are texts. A table `[mirror]` with `dir`, `namespaces` (also a list), `debounce` and
    /// `logs` says what the options of a mirror do. Relative paths are relative to the folder.
    ///
    /// # Errors
    /// `ConfigInvalid` for anything that cannot be; it lists what can, with line and column of the text.
    ///
    /// # Examples
    /// ```
    /// # if !cfg!(feature = "sqlite") { return Ok(()); }
    /// use statestore::StoreConfig;
    ///
    /// let text = r#"
    /// [store]
    /// engine = "sqlite"
    /// path = "state.db"
    /// timeout = "2s"
    /// create = false
    /// "#;
    /// let config = StoreConfig::from_toml(text, "/srv/bus")?;
    /// assert_eq!(config, StoreConfig::from_url("sqlite:/srv/bus/state.db?timeout=2s&create=false")?);
    /// # Ok::<(), statestore::Error>(())
    /// ```
    pub fn from_toml(text: &str, folder: impl AsRef<Path>) -> Result<Self> {
        Self::from_parts(table::parse(text, folder.as_ref())?)
    }

    fn from_parts(parts: Parts) -> Result<Self> {
        let Parts { scheme, path, mut options, folder } = parts;
        let settings = Settings::from_options(&mut options)?;
        let mirror = MirrorConfig::from_options(&mut options)?.map(|mirror| mirror.in_folder(&folder));
        let common: Vec<String> = options.taken().map(|(key, _)| key.to_owned()).collect();
        let unknown = || Error::new(ErrorKind::ConfigInvalid, format!("there is no engine {scheme:?}"));
        let engine = registry::configure(&scheme, &mut options).unwrap_or_else(|| Err(unknown()))?;
        let own = options.taken().filter(|(key, _)| !common.iter().any(|common| common == key));
        let own = own.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        options.finish()?;
        Ok(Self { scheme, path, settings, mirror, engine, own })
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

    /// Chooses another path, for this user alone: where something is tried out.
    pub(crate) fn scratch(self, path: &Path) -> Self {
        let mut scratch = self
            .at(path)
            .without_mirror()
            .with_access(Access::Private)
            .with_create(true)
            .with_read_only(false);
        scratch.settings.group = None;
        scratch
    }

    /// Chooses another path.
    pub(crate) fn at(mut self, path: &Path) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// Returns the engine.
    pub(crate) fn engine(&self) -> &dyn Open {
        &*self.engine
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

    /// Chooses how large values and batches may get.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.settings = self.settings.with_limits(limits);
        self
    }

    /// Returns the mirror that is kept, if one is.
    pub fn mirror(&self) -> Option<&MirrorConfig> {
        self.mirror.as_ref()
    }

    /// Keeps a mirror of JSON files, see [`Mirrored`].
    pub fn with_mirror(mut self, mirror: MirrorConfig) -> Self {
        self.mirror = Some(mirror);
        self
    }

    /// Keeps no mirror, for those who write nothing.
    pub fn without_mirror(mut self) -> Self {
        self.mirror = None;
        self
    }

    /// Opens the store, with its mirror if one is kept and the store may be written.
    ///
    /// # Errors
    /// Those of [`Embedded::open`](store_core::Embedded::open) and [`Mirrored::new`].
    pub async fn open(&self) -> Result<Arc<dyn StateStore>> {
        let mirror = self.mirror.as_ref().filter(|_| !self.settings.read_only);
        mirror.map_or(Ok(()), MirrorConfig::validate)?;
        let store = self.engine.open(self.path.clone(), self.settings.clone()).await?;
        match mirror {
            None => Ok(store),
            Some(mirror) => Ok(Arc::new(Mirrored::new(store, mirror.clone()).await?)),
        }
    }

    /// Opens the store for a program without async.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn open_blocking(&self) -> Result<Blocking> {
        Blocking::open(self.open())
    }

    /// Takes over the files of a store that people changed by hand, in one namespace or in all; returns them.
    ///
    /// What they hold is checked first, counts as a new revision, and gets the mode and group of the store.
    /// Blocks the thread.
    ///
    /// # Errors
    /// `Unsupported` for an engine whose files are not for people; `Corrupted` for a file that holds nothing
    /// that can be taken over; those of opening the store.
    pub fn adopt(&self, namespace: Option<&str>) -> Result<Vec<Adopted>> {
        self.engine.adopt(&self.path, &self.settings, namespace)
    }
}
