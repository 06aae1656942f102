//! What a failure shows beside its words: operations of processes, as a line of time.

use serde::{Deserialize, Serialize};

/// Operations of several processes, among them those that cannot be right, to be drawn by time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exhibit {
    /// What is shown, in one sentence.
    pub title: String,
    /// The operations, in the order of their calls.
    pub spans: Vec<Span>,
}

/// One operation of one process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Who called.
    pub process: String,
    /// When it was called, in nanoseconds since some instant that all spans share.
    pub from: u64,
    /// When it returned, on the same clock; none if it never did.
    pub to: Option<u64>,
    /// What was called with what, and what came of it.
    pub text: String,
    /// Whether it is one of those that cannot be right.
    pub offends: bool,
}
