//! What a backend may lack, and has to refuse then.

use serde::{Deserialize, Serialize};

/// Something that the contract promises and that a backend can do without, if it says so.
///
/// What a [`Target`](crate::Target) says that its backend lacks has to be refused as `Unsupported`, and the
/// suite makes sure that it is; cases that need it are shown as not declared. What it does not lack has to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Ability {
    /// Several processes have one store open at once.
    Processes,
    /// What was written is there when all processes have ended and the store is opened again.
    Persistence,
    /// An acknowledged write survives the loss of power, if that is asked for.
    Power,
    /// The users of a group share a store.
    Groups,
    /// A store can be opened for reading only.
    ReadOnly,
    /// Namespaces hold logs.
    Logs,
    /// One batch can change several namespaces.
    Spanning,
    /// All that a store holds can be read at one instant, and so be dumped.
    Snapshots,
    /// All that a store holds can be replaced at one instant, and so be restored.
    Rebuilding,
    /// A store that was migrated says where to.
    Moving,
}

impl Ability {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Processes,
        Self::Persistence,
        Self::Power,
        Self::Groups,
        Self::ReadOnly,
        Self::Logs,
        Self::Spanning,
        Self::Snapshots,
        Self::Rebuilding,
        Self::Moving,
    ];

    /// Returns what it is, in a few words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Processes => "several processes",
            Self::Persistence => "data that outlives the process",
            Self::Power => "durability under the loss of power",
            Self::Groups => "sharing with a group",
            Self::ReadOnly => "opening for reading only",
            Self::Logs => "logs",
            Self::Spanning => "batches over several namespaces",
            Self::Snapshots => "dumps of one instant",
            Self::Rebuilding => "restoring a dump",
            Self::Moving => "leaving word of a move",
        }
    }
}
