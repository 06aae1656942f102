//! The state store on JSON files that a person can read, diff and mend: see the crate `statestore` for how it
//! is opened.
//!
//! | file | what it is |
//! |---|---|
//! | `config` | what can be chosen |
//! | `engine` | how a store is found, made and opened |
//! | `layout` | where the files lie, and how names become file names |
//! | `object`, `record`, `log` | the formats: a namespace's object, a log's lines, a log's end found |
//! | `journal` | a change of several files, told whole before the first has it |
//! | `changes` | the number by which readers of several files know that they saw one instant |
//! | `folder`, `listing`, `objects` | the files as they are, what was parsed of them kept |
//! | `snapshot`, `transaction` | one instant, and what is to be changed of it |
//! | `rebuild` | a whole store that is written anew beside the old one, and takes its place |
//! | `commit`, `append` | changing files: replacement, journal, recovery; the ends of logs |
//! | `backend` | the open store |
//! | `adopt` | taking over files that were changed by hand |
//! | `target` | what the conformance suite has to know of it, under the feature `conformance` |
//! | `error` | what can be wrong with a file, and what it means |

mod adopt;
mod append;
mod artefacts;
mod backend;
mod changes;
mod commit;
mod config;
mod engine;
mod error;
mod folder;
mod journal;
mod layout;
mod listing;
mod log;
mod object;
mod objects;
mod rebuild;
mod record;
mod snapshot;
mod tail;
#[cfg(feature = "conformance")]
pub mod target;
mod transaction;

pub use adopt::Adopted;
pub use backend::JsonFilesBackend;
pub use config::JsonFilesConfig;
pub use engine::JsonFiles;
