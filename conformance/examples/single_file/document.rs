//! The text of a store: one JSON document whose first line bears the digest of all below it.
//!
//! ```text
//! {"single_file":1,"digest":"…",
//! "state":{"epoch":1,"boot":"…","namespaces":{"jobs":{"revision":2,"entries":{…},"logs":{…}}}}}
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store_core::backend::Epoch;
use store_core::{Entry, Error, ErrorKind, Json, LogEntry, Result, Revision, Seq, Timestamp};

use crate::state::{Log, Namespace, State};

/// The number of this format; a larger one is of a newer program.
pub(crate) const FORMAT: u64 = 1;
/// How every file of such a store begins.
pub(crate) const BEGINNING: &str = "{\"single_file\":";

#[derive(Serialize, Deserialize)]
struct StateText {
    epoch: u32,
    boot: String,
    namespaces: BTreeMap<String, NamespaceText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    moved_to: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct NamespaceText {
    revision: u64,
    /// Value, revision, and time in milliseconds since 1970.
    entries: BTreeMap<String, (Box<RawValue>, u64, u64)>,
    logs: BTreeMap<String, LogText>,
}

/// Number of the first entry that is kept; value and time of each.
type LogText = (Seq, Vec<(Box<RawValue>, u64)>);

/// Writes a state.
///
/// # Errors
/// `Io` for a value that is no JSON, which the store above never gives.
pub(crate) fn encode(state: &State) -> Result<String> {
    let text = state_text(state).and_then(|text| serde_json::to_string(&text));
    let text =
        text.map_err(|e| Error::new(ErrorKind::Io, "cannot write the state as JSON").with_source(e))?;
    let rest = format!("\"state\":{text}}}\n");
    let digest = blake3::hash(rest.as_bytes()).to_hex();
    Ok(format!("{BEGINNING}{FORMAT},\"digest\":\"{digest}\",\n{rest}"))
}

/// Reads a state; no byte of it can have been changed.
///
/// # Errors
/// `IncompatibleFormat` for a newer program's; `Corrupted` for anything else that was not written here.
pub(crate) fn decode(bytes: &[u8]) -> Result<State> {
    let changed = |why: &str| {
        Error::new(
            ErrorKind::Corrupted,
            format!("{why}; restore a backup, and change it by this program only"),
        )
    };
    if bytes.is_empty() {
        return Err(changed("has zero bytes, which this program never leaves"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| changed("is not UTF-8"))?;
    check_format(text, ErrorKind::Corrupted)?;
    let (first, rest) = text.split_once('\n').ok_or_else(|| changed("was cut short"))?;
    let digest = blake3::hash(rest.as_bytes()).to_hex();
    if first != format!("{BEGINNING}{FORMAT},\"digest\":\"{digest}\",") {
        return Err(changed("does not match its digest"));
    }
    let inner = rest.strip_prefix("\"state\":").and_then(|rest| rest.strip_suffix("}\n"));
    let inner = inner.ok_or_else(|| changed("fits its digest but was not written by this program"))?;
    serde_json::from_str(inner)
        .map(state)
        .map_err(|e| changed("fits its digest but was not written by this program").with_source(e))
}

/// Refuses the file of a newer program, and as another kind that of somebody else.
///
/// # Errors
/// `IncompatibleFormat`, or the kind that was named.
pub(crate) fn check_format(text: &str, foreign: ErrorKind) -> Result<()> {
    let number = text.strip_prefix(BEGINNING).and_then(|rest| rest.split([',', '}']).next()?.parse().ok());
    match number {
        Some(FORMAT) => Ok(()),
        Some(newer) if newer > FORMAT => {
            let why = format!("has format {newer}, and this program knows {FORMAT}; use the newer program");
            Err(Error::new(ErrorKind::IncompatibleFormat, why))
        }
        _ => Err(Error::new(foreign, "is not what this program writes; put the store's own file back")),
    }
}

fn state_text(state: &State) -> serde_json::Result<StateText> {
    let namespaces = state.namespaces.iter().map(|(name, space)| Ok((name.clone(), namespace_text(space)?)));
    Ok(StateText {
        epoch: state.epoch.number,
        boot: state.epoch.boot.clone(),
        namespaces: namespaces.collect::<serde_json::Result<_>>()?,
        moved_to: state.moved_to.clone(),
    })
}

fn namespace_text(space: &Namespace) -> serde_json::Result<NamespaceText> {
    let raw = |value: &Json| RawValue::from_string(value.as_str().to_owned());
    let entries = space.entries.iter().map(|(key, entry)| {
        Ok((key.clone(), (raw(&entry.value)?, entry.revision.get(), entry.at.as_millis())))
    });
    let logs = space.logs.iter().map(|(name, log)| {
        let entries = log.entries.iter().map(|entry| Ok((raw(&entry.entry)?, entry.at.as_millis())));
        Ok((name.clone(), (log.first, entries.collect::<serde_json::Result<_>>()?)))
    });
    Ok(NamespaceText {
        revision: space.revision.get(),
        entries: entries.collect::<serde_json::Result<_>>()?,
        logs: logs.collect::<serde_json::Result<_>>()?,
    })
}

fn state(text: StateText) -> State {
    let namespaces = text.namespaces.into_iter().map(|(name, space)| (name, Arc::new(namespace(space))));
    State {
        epoch: Epoch { number: text.epoch, boot: text.boot },
        namespaces: namespaces.collect(),
        moved_to: text.moved_to,
    }
}

fn namespace(text: NamespaceText) -> Namespace {
    // The digest vouches for it.
    let json = |raw: Box<RawValue>| Json::from_trusted(Arc::from(raw.get()));
    let entries = text.entries.into_iter().map(|(key, (value, revision, at))| {
        let (revision, at) = (Revision::new(revision), Timestamp::from_millis(at));
        (key, Entry { value: json(value), revision, at })
    });
    let logs = text.logs.into_iter().map(|(name, (first, entries))| {
        let entries = (first..).zip(entries);
        let entries = entries.map(|(seq, (value, at))| LogEntry {
            seq,
            at: Timestamp::from_millis(at),
            entry: json(value),
        });
        (name, Arc::new(Log { first, entries: entries.collect() }))
    });
    Namespace { revision: Revision::new(text.revision), entries: entries.collect(), logs: logs.collect() }
}
