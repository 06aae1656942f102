//! The state store on SQLite in WAL mode: see the crate `statestore` for how it is opened.
//!
//! | file | what it is |
//! |---|---|
//! | `config` | what can be chosen |
//! | `engine` | how a store is found, made and opened |
//! | `schema` | the tables, and the bytes of a new database |
//! | `connection` | one connection with its settings read back |
//! | `backend` | the open store: readers, the writer, syncs |
//! | `locks` | who holds SQLite's locks |
//! | `snapshot`, `transaction` | the statements |
//! | `wal` | the write-ahead log: size, checkpoints, syncs, what a failed sync leaves |
//! | `error` | what SQLite says, and what it means |
//! | `foreign` | tables of other programs, for import |
//! | `target` | what the suite of real processes has to know of it; with the feature `conformance` |

mod backend;
mod config;
mod connection;
mod engine;
mod error;
pub mod foreign;
mod locks;
mod schema;
mod snapshot;
#[cfg(feature = "conformance")]
pub mod target;
mod transaction;
mod wal;

pub use backend::SqliteBackend;
pub use config::SqliteConfig;
pub use engine::Sqlite;
