//! The engines that this build has, by the scheme of their URLs.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use store_core::{Options, Result, Settings, StateStore};

/// A store that is being opened.
pub(crate) type Opening = Pin<Box<dyn Future<Output = Result<Arc<dyn StateStore>>> + Send>>;

/// An engine with its own part of a configuration, ready to open.
pub(crate) trait Open: std::fmt::Debug + Send + Sync {
    fn open(&self, path: PathBuf, settings: Settings) -> Opening;
}

type Configure = fn(&mut Options) -> Result<Arc<dyn Open>>;

/// One line an engine.
const ENGINES: &[(&str, Configure)] = &[
    #[cfg(feature = "sqlite")]
    ("sqlite", sqlite::configure),
];

/// Returns the schemes that there are.
pub(crate) fn schemes() -> impl Iterator<Item = &'static str> {
    ENGINES.iter().map(|(scheme, _)| *scheme)
}

/// Takes an engine's part out of the options; none for a scheme that this build does not have.
pub(crate) fn configure(scheme: &str, options: &mut Options) -> Option<Result<Arc<dyn Open>>> {
    let (_, configure) = ENGINES.iter().find(|(known, _)| *known == scheme)?;
    Some(configure(options))
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use std::path::PathBuf;
    use std::sync::Arc;

    use store_core::{Embedded, Options, Result, Settings, StateStore};
    use store_sqlite::{Sqlite, SqliteConfig};

    use super::{Open, Opening};

    pub(super) fn configure(options: &mut Options) -> Result<Arc<dyn Open>> {
        Ok(Arc::new(Sqlite::new(SqliteConfig::from_options(options)?)?))
    }

    impl Open for Sqlite {
        fn open(&self, path: PathBuf, settings: Settings) -> Opening {
            let engine = self.clone();
            Box::pin(async move {
                let store = Embedded::open(engine, &path, settings).await?;
                Ok(Arc::new(store) as Arc<dyn StateStore>)
            })
        }
    }
}
