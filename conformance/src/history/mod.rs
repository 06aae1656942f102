//! Histories of concurrent calls, and whether they are linearizable.
//!
//! A [`History`] holds what the clients of one store called, when, and what they were told. [`check`] decides
//! whether there is an order of all these operations, each at one instant between its call and its return,
//! in which a store that does what the contract says gives exactly these answers.
//!
//! - **The contract** is that of [`StateStore`](store_core::StateStore): batches with checks, revisions that
//!   grow and are never used twice, logs numbered without gap.
//! - **A call without an answer**, of a process that was killed or of a write in doubt, may have taken effect
//!   at any time after it was called, or never. The revision that it had then is unknown until somebody sees it.
//! - **An answer that says no** for certain leaves the call out; that it had no effect follows from the rest.
//! - **The store** is empty, and never written, at the beginning.
//! - **Nothing is passed in silence**: a search that outgrows its bound says [`Verdict::Undecided`].
//!
//! # Examples
//! ```
//! use conformance::history::{Call, Entry, History, Operation, Outcome, Verdict, check};
//!
//! let call = Call::Get { namespace: "n".into(), key: "k".into() };
//! let outcome = Outcome::Got(Some(Entry { value: "17".into(), revision: 5 }));
//! let read = Operation { process: 1, called: 10, returned: Some(20), call, outcome };
//! let verdict = check(&History { operations: vec![read] });
//! assert!(matches!(verdict, Verdict::Violation(_)), "nobody wrote it");
//! ```

mod admit;
mod apply;
mod check;
mod compile;
mod op;
mod part;
mod record;
mod revisions;
mod search;
mod shrink;
mod sights;
pub mod simulate;
mod state;
mod text;
mod trie;
mod verdict;
pub(crate) mod workload;

use serde::{Deserialize, Serialize};

pub use check::{check, check_within};
pub use op::{Call, Check, Did, Entry, Operation, Outcome, Receipt, Start, Write};
pub use record::{Recorder, now, read};
pub use verdict::{Verdict, Violation};

/// The operations of all clients of one store, from its beginning.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct History {
    /// The operations, in any order.
    pub operations: Vec<Operation>,
}
