//! The engine over a single file, broken in one way at a time.
//!
//! | file | where it is broken |
//! |---|---|
//! | `target` | around the opening, and in the gate's file |
//! | `handle` | above the engine, at the contract |
//! | `engine`, `backend` | in how a store is made and written |
//! | `altered` | in a snapshot or a transaction |
//! | `saving`, `loading` | in how the document is replaced and read |
//! | `beside` | in a log that lies beside the document |
//! | `ungated` | without a gate between processes |

mod altered;
mod backend;
mod beside;
mod engine;
mod handle;
mod loading;
mod saving;
mod table;
mod target;
mod ungated;

pub(crate) use table::{CAUGHT, Mutant, ONLY};
pub(crate) use target::{Broken, targets};
