//! What the suite and its workers say to each other: one JSON text a line.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::failure::{Failure, Outcome};
use crate::users::User;

/// How long anybody waits for anybody before it counts as hanging; no case measures with it.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// The environment variable that makes a process of this program a worker, with its orders as JSON.
pub(crate) const ORDERS: &str = "CONFORMANCE_WORKER";

/// What a worker is told when it starts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Orders {
    /// The name of the target.
    pub(crate) target: String,
    /// The name of the worker's function.
    pub(crate) work: String,
    /// The path of the store.
    pub(crate) path: PathBuf,
    /// The settings of the store, as the query of a URL.
    pub(crate) settings: String,
    /// What the function is to do.
    pub(crate) plan: Value,
    /// The user to become before anything else.
    pub(crate) user: Option<User>,
    /// The umask to work under.
    pub(crate) umask: Option<u32>,
}

/// What a worker says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Line {
    /// Something that its function has to say.
    Said(Value),
    /// Its function came to its end.
    Done,
    /// Its function failed.
    Failed(String),
    /// Its function failed, because the store refused as `Unsupported` what a backend may lack.
    Unsupported(String),
}

impl Line {
    /// Returns what its function has to say; none at its end.
    #[track_caller]
    pub(crate) fn said(self) -> Outcome<Option<Value>> {
        match self {
            Self::Said(value) => Ok(Some(value)),
            Self::Done => Ok(None),
            Self::Failed(why) => Err(Failure::new(why)),
            Self::Unsupported(why) => Err(Failure::unsupported(why)),
        }
    }
}
