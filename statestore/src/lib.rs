//! State that services, agents, cron jobs and command lines of one machine share, under several users, in
//! one store that loses nothing and never lies.
//!
//! Name the store in one line, then call it from as many processes as there are:
//!
//! ```
//! # async fn run() -> statestore::Result<()> {
//! # if !cfg!(feature = "sqlite") { return Ok(()); }
//! use statestore::{StateStoreExt, Update};
//!
//! # let folder = std::env::temp_dir().join(format!("statestore-doc-{}", std::process::id()));
//! # let url = format!("sqlite:{}/state.db", folder.display());
//! let store = statestore::open(&url).await?; // "sqlite:state.db"
//! store.put_as("jobs", "42", "running").await?;
//! store.append_as("jobs", "events", "started").await?;
//! store.update_as("stats", "runs", |runs: Option<u64>| Ok(Update::Put(runs.unwrap_or(0) + 1))).await?;
//! # store.close().await?;
//! # std::fs::remove_dir_all(folder).unwrap();
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
//! ```
//!
//! Everything of the contract is in this crate: [`StateStore`], [`StateStoreExt`], [`Batch`], [`Json`],
//! [`Error`]. Programs without async use [`open_blocking`]. To be told by the environment or a file which
//! store to open, use [`StoreConfig::find`].
//!
//! | feature | engine | URL |
//! |---|---|---|
//! | `sqlite` | SQLite in WAL mode: the one to choose | `sqlite:state.db` |
//! | `redb` | redb: pure Rust | `redb:state.redb` |
//! | `jsonfile` | a folder of JSON files for people's eyes and hands | `json:state` |
//!
//! All are there by default; one is enough.

mod adopt;
mod backup;
mod config;
pub mod doctor;
mod drill;
mod find;
pub mod import;
mod migrate;
mod registry;
mod table;
#[cfg(test)]
mod tests;
mod url;

use std::sync::Arc;

pub use adopt::Adopted;
pub use backup::{Backup, BackupOptions, backup, compression_of};
pub use config::StoreConfig;
pub use drill::Drill;
pub use find::{FILE_NAME, FILE_VARIABLE, URL_VARIABLE};
pub use store_core::*;

/// Opens the store that a URL names, such as `sqlite:state.db?durability=process`.
///
/// A missing store is created, with the folders above it, unless `create=false` says no.
///
/// # Errors
/// - `ConfigInvalid` for a URL that cannot be; it lists what there is.
/// - Those of [`Embedded::open`].
pub async fn open(url: &str) -> Result<Arc<dyn StateStore>> {
    StoreConfig::from_url(url)?.open().await
}

/// Opens the store that a URL names, for programs without async.
///
/// # Errors
/// Those of [`open`].
///
/// # Examples
/// ```
/// # if !cfg!(feature = "sqlite") { return Ok(()); }
/// # let folder = std::env::temp_dir().join(format!("statestore-doc-blocking-{}", std::process::id()));
/// # let url = format!("sqlite:{}/state.db", folder.display());
/// let store = statestore::open_blocking(&url)?; // "sqlite:state.db"
/// store.put_as("jobs", "42", "running")?;
/// assert_eq!(store.get_as::<String>("jobs", "42")?.as_deref(), Some("running"));
/// # store.close()?;
/// # std::fs::remove_dir_all(folder).unwrap();
/// # Ok::<(), statestore::Error>(())
/// ```
pub fn open_blocking(url: &str) -> Result<Blocking> {
    StoreConfig::from_url(url)?.open_blocking()
}
