//! The subjects of a case.

use super::{Case, Crowd, Engine, Operation, Part, Subject};

impl Case {
    /// Returns the subjects in the order in which they take turns.
    pub(crate) fn subjects(self) -> Vec<Subject> {
        let mut subjects = vec![Subject::Store, Subject::Bare];
        match (self.part, self.engine) {
            // A tail of a file that is read whole says nothing that its size does not.
            (Part::Size, Engine::Json) if self.operation == Operation::Tail => {
                subjects.retain(|subject| *subject == Subject::Store);
            }
            (Part::Size, _) => {}
            (Part::Throughput, Engine::Sqlite) => {
                if self.operation == Operation::Put && self.crowd == Crowd::Processes(1) {
                    subjects.push(Subject::BareRevision);
                }
            }
            (Part::Throughput, Engine::Redb) => {
                if matches!(self.crowd, Crowd::Processes(1) | Crowd::Tasks(_)) {
                    subjects.push(Subject::Exclusive);
                }
            }
            (Part::Throughput, Engine::Json) => {
                if self.operation == Operation::Put {
                    subjects.push(Subject::Unsynced);
                }
            }
        }
        subjects
    }
}

impl Operation {
    /// Tells whether it changes nothing.
    pub(crate) fn reads(self) -> bool {
        matches!(self, Self::Get | Self::Object | Self::Tail)
    }

    /// Tells whether a case's size counts entries of the log, not keys.
    pub(crate) fn on_log(self) -> bool {
        matches!(self, Self::Append | Self::Tail)
    }
}
