//! The engines that this build has, by the scheme of their URLs.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use store_core::backend::Engine;
use store_core::{Embedded, Error, ErrorKind, Options, Result, Settings, StateStore};

use crate::adopt::Adopted;
use crate::doctor::Examine;

/// A store that is being opened.
pub(crate) type Opening = Pin<Box<dyn Future<Output = Result<Arc<dyn StateStore>>> + Send>>;

/// An engine with its own part of a configuration, ready to open.
pub(crate) trait Open: std::fmt::Debug + Send + Sync {
    /// Opens a store.
    fn open(&self, path: PathBuf, settings: Settings) -> Opening;

    /// Takes over files that people changed by hand; blocks.
    fn adopt(&self, path: &Path, settings: &Settings, namespace: Option<&str>) -> Result<Vec<Adopted>>;

    /// Returns the engine as one who looks after its stores sees it.
    fn examine(&self) -> &dyn Examine;
}

type Configure = fn(&mut Options) -> Result<Arc<dyn Open>>;

/// One line an engine.
const ENGINES: &[(&str, Configure)] = &[
    #[cfg(feature = "sqlite")]
    ("sqlite", |options| {
        plain(store_sqlite::Sqlite::new(store_sqlite::SqliteConfig::from_options(options)?)?)
    }),
    #[cfg(feature = "redb")]
    ("redb", |options| plain(store_redb::Redb::new(store_redb::RedbConfig::from_options(options)?))),
    #[cfg(feature = "jsonfile")]
    ("json", crate::adopt::json_files),
];

#[cfg(not(any(feature = "sqlite", feature = "redb", feature = "jsonfile")))]
compile_error!("there is no engine: choose at least one of the features sqlite, redb and jsonfile");

/// Returns the schemes that there are.
pub(crate) fn schemes() -> impl Iterator<Item = &'static str> {
    ENGINES.iter().map(|(scheme, _)| *scheme)
}

/// Returns a scheme that there is, for tests that any engine does for.
#[cfg(test)]
pub(crate) fn any() -> &'static str {
    schemes().next().unwrap()
}

/// Returns the schemes that there are, in words.
pub(crate) fn known() -> String {
    schemes().collect::<Vec<_>>().join(", ")
}

/// Takes an engine's part out of the options; none for a scheme that this build does not have.
pub(crate) fn configure(scheme: &str, options: &mut Options) -> Option<Result<Arc<dyn Open>>> {
    let (_, configure) = ENGINES.iter().find(|(known, _)| *known == scheme)?;
    Some(configure(options))
}

/// An engine without files for people's hands.
#[derive(Debug)]
struct Plain<E>(E);

#[allow(dead_code, clippy::unnecessary_wraps, reason = "not every build has such an engine; one line each")]
fn plain<E: Engine + Clone>(engine: E) -> Result<Arc<dyn Open>> {
    Ok(Arc::new(Plain(engine)))
}

impl<E: Engine + Clone> Open for Plain<E> {
    fn open(&self, path: PathBuf, settings: Settings) -> Opening {
        embedded(&self.0, path, settings)
    }

    fn adopt(&self, path: &Path, _: &Settings, _: Option<&str>) -> Result<Vec<Adopted>> {
        let why = format!(
            "a store on {} has no files to adopt, only one of JSON files (json:FOLDER) has; change this one with \
             `statestore edit` or `statestore put`",
            self.0.name()
        );
        Err(Error::new(ErrorKind::Unsupported, why).with_operation("adopt").with_path(path))
    }

    fn examine(&self) -> &dyn Examine {
        &self.0
    }
}

/// Opens a store on an engine.
pub(crate) fn embedded<E: Engine + Clone>(engine: &E, path: PathBuf, settings: Settings) -> Opening {
    let engine = engine.clone();
    Box::pin(async move {
        let store = Embedded::open(engine, &path, settings).await?;
        Ok(Arc::new(store) as Arc<dyn StateStore>)
    })
}
