//! The mirror: JSON files beside a store for people and dashboards, whole at every instant and never going back.
//!
//! ```text
//! mirror/
//!   .mirror.json     the index: what each file shows
//!   .mirror.gate     the lock of whoever writes here
//!   jobs.json        the object of namespace "jobs", plain
//!   jobs/
//!     events.jsonl   its log "events", one entry a line, if logs are asked for
//! ```
//!
//! Whoever writes takes the lock, then reads the newest of the store, syncs the store, writes the index, and
//! then the files. So of all processes the last one to write has read last, and nothing is shown that the
//! loss of power could take back.
//!
//! | file | what it is |
//! |---|---|
//! | `config` | what is mirrored, where to, and how soon |
//! | `folder` | where a mirror may lie; its lock and its rights |
//! | `item`, `index` | the files, and what is known of them |
//! | `pass`, `round` | one pass: read, sync, index, files |
//! | `check` | how the files stand |
//! | `worker` | the thread that gathers changes and passes |
//! | `mirrored` | a store with a mirror |
//! | `alone` | one JSON file without a store |
//! | `status` | what there is to tell |

mod alone;
mod check;
mod config;
mod folder;
mod index;
mod item;
mod mirrored;
mod pass;
mod round;
mod status;
mod worker;

pub use alone::write_mirror;
#[doc(hidden)]
pub use config::list_item;
pub use config::{MirrorConfig, MirrorLogs};
pub use mirrored::Mirrored;
pub use pass::Mirror;
pub use status::{
    MirrorAction, MirrorChange, MirrorCheck, MirrorFailure, MirrorPass, MirrorState, MirrorStatus,
};
