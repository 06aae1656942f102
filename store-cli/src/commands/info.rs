//! `info`: what store this is and how it stands.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use statestore::{Access, Blocking, Error, ErrorKind, Json, MirrorConfig, StoreInfo};

use super::place;
use crate::args::StoreArgs;
use crate::exit::Failure;
use crate::output;

#[derive(Serialize)]
struct Report<'a> {
    version: &'a str,
    engine: &'a str,
    engine_version: &'a str,
    path: String,
    durability: &'a str,
    access: Option<&'a str>,
    timeout_ms: u128,
    epoch: u32,
    files: Vec<FileReport>,
    total_bytes: u64,
    gate: String,
    gate_holder: Option<&'a str>,
    in_doubt: bool,
    /// None if they could not be read in time.
    namespaces: Option<Vec<NamespaceReport>>,
    /// None if no mirror is configured, or it could not be looked at.
    mirror: Option<MirrorReport>,
}

#[derive(Serialize)]
struct MirrorReport {
    dir: String,
    /// How many files stand how.
    #[serde(flatten)]
    states: BTreeMap<&'static str, usize>,
}

#[derive(Serialize)]
struct FileReport {
    path: String,
    bytes: u64,
}

#[derive(Serialize)]
struct NamespaceReport {
    name: String,
    revision: u64,
}

/// Prints the description of a store.
pub(super) fn run(args: &StoreArgs) -> Result<(), Failure> {
    let store = place::reading(args)?;
    let info: StoreInfo = store.info()?;
    let report = Report {
        version: env!("CARGO_PKG_VERSION"),
        engine: &info.engine,
        engine_version: &info.engine_version,
        path: shown(&info.path),
        durability: info.durability.as_str(),
        access: info.access.map(Access::as_str),
        timeout_ms: store.store().timeout().as_millis(),
        epoch: info.epoch,
        files: info
            .files
            .iter()
            .map(|(path, bytes)| FileReport { path: shown(path), bytes: *bytes })
            .collect(),
        total_bytes: info.files.iter().map(|(_, bytes)| bytes).sum(),
        gate: shown(&info.gate),
        gate_holder: info.gate_holder.as_deref(),
        in_doubt: info.in_doubt,
        namespaces: namespaces(&store)?,
        mirror: place::config(args)?.mirror().and_then(|config| mirror(&store, config)),
    };
    output::print(&Json::encode(&report)?)
}

/// Reads the namespaces. An engine that reads them in the gate may not get it while somebody else is stopped
/// in it, which is when the rest is wanted most.
fn namespaces(store: &Blocking) -> Result<Option<Vec<NamespaceReport>>, Failure> {
    match store.namespaces() {
        Ok(found) => {
            let report = |namespace: statestore::NamespaceInfo| NamespaceReport {
                name: namespace.name,
                revision: namespace.revision.get(),
            };
            Ok(Some(found.into_iter().map(report).collect()))
        }
        Err(error) if error.kind() == ErrorKind::Busy => {
            output::say(format_args!("the namespaces are not known: {error}"));
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Tells how the files of the mirror stand.
fn mirror(store: &Blocking, config: &MirrorConfig) -> Option<MirrorReport> {
    let look = || {
        let mirror = store.mirror(config.clone())?;
        let all = ["fresh", "stale", "superfluous", "missing", "drifted"].map(|state| (state, 0));
        let mut states = BTreeMap::from(all);
        for found in mirror.check(None)? {
            *states.entry(found.state.as_str()).or_default() += 1;
        }
        Ok(MirrorReport { dir: shown(mirror.dir()), states })
    };
    look().inspect_err(|error: &Error| output::say(format_args!("the mirror is not known: {error}"))).ok()
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
