//! What the check of a history comes to.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Operation;
use super::text;
use crate::exhibit::{Exhibit, Span};

/// What the check of a history comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[must_use = "a violation has to be told"]
pub enum Verdict {
    /// There is an order that gives all the answers.
    Linearizable {
        /// How many operations were ordered, those that surely did not happen left out.
        operations: u64,
        /// How many groups of namespaces there were that no operation joins; each is ordered by itself.
        partitions: u64,
        /// How many configurations were looked at.
        configurations: u64,
    },
    /// There is no such order.
    Violation(Box<Violation>),
    /// The search met its bound before it knew.
    Undecided {
        /// How many operations the group has in which it met it.
        operations: u64,
        /// How many configurations were looked at.
        configurations: u64,
        /// Where it stood.
        why: String,
    },
}

/// Operations that no order explains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The shortest part of the history that was found to have no order, by the time of the calls; what came
    /// before it, and is not observed in it, is left out, and logs begin where the part needs them.
    pub operations: Vec<Operation>,
    /// Which of these cannot be ordered: by its return it cannot have taken effect.
    pub offending: usize,
    /// What the store must have held instead, in the states that can have come about, each in words.
    pub held: Vec<String>,
    /// One sentence that sets what the store must have held against what was returned.
    pub reason: String,
}

impl Violation {
    /// Returns what can be drawn of it.
    pub fn exhibit(&self) -> Exhibit {
        let begin = self.operations.iter().map(|operation| operation.called).min().unwrap_or_default();
        let span = |(at, operation): (usize, &Operation)| Span {
            process: format!("process {}", operation.process),
            from: operation.called.saturating_sub(begin),
            to: operation.returned.map(|returned| returned.saturating_sub(begin)),
            text: text::words(operation),
            offends: at == self.offending,
        };
        let spans = self.operations.iter().enumerate().map(span).collect();
        Exhibit { title: self.reason.clone(), spans }
    }

    /// Returns the operation that cannot be ordered.
    pub fn offender(&self) -> Option<&Operation> {
        self.operations.get(self.offending)
    }
}

impl fmt::Display for Violation {
    /// Prints the reason and the operations, a line each, the one that cannot be ordered marked with `>`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::write_violation(self, f)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Linearizable { operations, partitions, configurations } => write!(
                f,
                "linearizable: {operations} operations in {partitions} partitions, {configurations} configurations"
            ),
            Self::Violation(violation) => violation.fmt(f),
            Self::Undecided { operations, configurations, why } => {
                write!(f, "undecided after {configurations} configurations of {operations} operations: {why}")
            }
        }
    }
}
