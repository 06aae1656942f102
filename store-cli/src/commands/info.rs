//! `info`: what store this is and how it stands.

use std::path::Path;

use serde::Serialize;
use statestore::{Blocking, Json, StoreInfo};

use crate::exit::Failure;
use crate::output;

#[derive(Serialize)]
struct Report<'a> {
    engine: &'a str,
    engine_version: &'a str,
    path: String,
    durability: &'a str,
    timeout_ms: u128,
    epoch: u32,
    files: Vec<FileReport>,
    gate_holder: Option<&'a str>,
    in_doubt: bool,
}

#[derive(Serialize)]
struct FileReport {
    path: String,
    bytes: u64,
}

/// Prints the description of a store.
pub(super) fn run(store: &Blocking) -> Result<(), Failure> {
    let info: StoreInfo = store.info()?;
    let report = Report {
        engine: &info.engine,
        engine_version: &info.engine_version,
        path: shown(&info.path),
        durability: info.durability.as_str(),
        timeout_ms: store.store().timeout().as_millis(),
        epoch: info.epoch,
        files: info
            .files
            .iter()
            .map(|(path, bytes)| FileReport { path: shown(path), bytes: *bytes })
            .collect(),
        gate_holder: info.gate_holder.as_deref(),
        in_doubt: info.in_doubt,
    };
    output::print(&Json::encode(&report)?)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
