//! Taking over files that people changed by hand, for the engines whose files are for people.

use std::path::PathBuf;

use store_core::Revision;

/// A file that was changed by hand and now counts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Adopted {
    /// The file.
    pub file: PathBuf,
    /// The namespace that it belongs to.
    pub namespace: String,
    /// The log that it holds; none if it holds an object.
    pub log: Option<String>,
    /// The new revision of the namespace's object; [`Revision::NEVER`] for a log.
    pub revision: Revision,
    /// How many keys, or entries of the log, it holds.
    pub entries: usize,
}

#[cfg(feature = "jsonfile")]
pub(crate) use json::configure as json_files;

#[cfg(feature = "jsonfile")]
mod json {
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    use store_core::{Options, Result, Settings};
    use store_jsonfile::{JsonFiles, JsonFilesConfig};

    use super::Adopted;
    use crate::doctor::Examine;
    use crate::registry::{Open, Opening, embedded};

    pub(crate) fn configure(options: &mut Options) -> Result<Arc<dyn Open>> {
        Ok(Arc::new(JsonFiles::new(JsonFilesConfig::from_options(options)?)?))
    }

    impl Open for JsonFiles {
        fn open(&self, path: PathBuf, settings: Settings) -> Opening {
            embedded(self, path, settings)
        }

        fn adopt(&self, path: &Path, settings: &Settings, namespace: Option<&str>) -> Result<Vec<Adopted>> {
            let adopted = JsonFiles::adopt(self, path, settings, namespace)?;
            Ok(adopted
                .into_iter()
                .map(|a| Adopted {
                    file: a.file,
                    namespace: a.namespace,
                    log: a.log,
                    revision: a.revision,
                    entries: a.entries,
                })
                .collect())
        }

        fn examine(&self) -> &dyn Examine {
            self
        }
    }
}
