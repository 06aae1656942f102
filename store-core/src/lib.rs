//! The contract of a state store that several processes and users of one machine share, and the life of
//! every write, written once for all storage engines.
//!
//! - [`StateStore`] is the contract; [`StateStoreExt`] adds typed calls, [`Blocking`] a face without async.
//! - [`Embedded`] makes a store of any [`Engine`](backend::Engine): queue, gate, deadlines, checks,
//!   revisions, numbers, group commit, syncs.
//! - [`Mirrored`] keeps JSON files for people beside any store, [`write_mirror`] writes one.
//! - [`backend`] is what an engine has to give: storage and nothing else.
//! - [`shared`] holds what processes share on disk: the gate, rights, files, places.
//!
//! This crate names no engine. Depend on `statestore` to open stores by a line of configuration.

pub mod backend;
mod batch;
mod blocking;
mod config;
pub mod dump;
mod embedded;
mod error;
mod ext;
mod json;
mod limits;
mod mirror;
mod numbers;
mod options;
pub mod shared;
mod store;
mod types;
mod wait;

pub use batch::{Batch, Check, Outcome, Receipt, Write};
pub use blocking::Blocking;
#[doc(hidden)]
pub use config::Seams;
pub use config::{Access, Durability, Settings};
pub use embedded::Embedded;
pub use error::{Conflict, Error, ErrorKind, Result};
pub use ext::{StateStoreExt, Update};
pub use json::Json;
pub use limits::{Limits, MAX_KEY, MAX_NAME, check_key, check_log, check_namespace};
#[doc(hidden)]
pub use mirror::list_item;
pub use mirror::{
    Mirror, MirrorAction, MirrorChange, MirrorCheck, MirrorConfig, MirrorFailure, MirrorLogs, MirrorPass,
    MirrorState, MirrorStatus, Mirrored, write_mirror,
};
pub use numbers::{Expect, Revision, Seq, Timestamp};
pub use options::{Options, parse_duration};
pub use store::{RebuildWork, SnapshotWork, StateStore, StoreInfo};
pub use types::{Entry, KeyRange, LogEntry, LogInfo, LogRange, LogStart, NamespaceInfo, Object};
