//! The state store on redb, shared by processes: see the crate `statestore` for how it is opened.
//!
//! A commit is two syncs and survives the loss of power by itself. A process has the file open twice: as a
//! reader, which writes nothing and holds a lock for microseconds, and, from its first write on, as a writer.
//! Neither ever waits without a deadline, and neither writes when it is closed.
//!
//! | file | what it is |
//! |---|---|
//! | `config` | what can be chosen |
//! | `engine` | how a store is found, made and opened |
//! | `schema` | the table, its keys and records, and the bytes of a new database |
//! | `stamp`, `header` | who may open the database: format and lock protocol; what its first bytes say |
//! | `backend` | the open store |
//! | `reader`, `writer` | redb as a process reads and as it writes |
//! | `storage` | the file under redb, every lock of it bounded |
//! | `locks` | who holds redb's locks |
//! | `snapshot`, `transaction` | what is read and written |
//! | `error` | what redb says, and what it means |
//! | `target` | what the suite of real processes has to know of it; with the feature `conformance` |

mod backend;
mod config;
mod engine;
mod error;
mod header;
mod locks;
mod reader;
mod schema;
mod snapshot;
mod stamp;
mod storage;
#[cfg(feature = "conformance")]
pub mod target;
mod transaction;
mod writer;

pub use backend::RedbBackend;
pub use config::RedbConfig;
pub use engine::Redb;
