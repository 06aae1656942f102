//! What is mended by the store itself: what a failed sync left in doubt, a write that nobody finished,
//! companions that are missing, files that were changed by hand.

use std::path::PathBuf;

use store_core::backend::Presence;
use store_core::shared::artefact::Kind;
use store_core::{Batch, Blocking, ErrorKind, Result, Revision};

use super::leftovers::{obstacle, version};
use super::patient::Patient;
use super::report::Finding;
use super::words::FIX;

/// What a treatment is to mend, as it was before.
struct Symptoms {
    is_marked: bool,
    missing: Vec<PathBuf>,
    unfinished: Vec<PathBuf>,
}

impl Symptoms {
    fn of(patient: &Patient<'_>) -> Self {
        let is_there = |path: &PathBuf| version(path).is_some();
        let paths = |choose: &dyn Fn(Kind, bool) -> bool| -> Vec<PathBuf> {
            let chosen = patient.artefacts.iter().filter(|found| choose(found.kind, found.required));
            chosen.map(|artefact| artefact.path.clone()).collect()
        };
        let mut missing = paths(&|_, required| required);
        missing.retain(|path| !is_there(path));
        let mut unfinished = paths(&|kind, _| kind == Kind::Passing);
        unfinished.retain(is_there);
        Self { is_marked: patient.gate().inspect().1, missing, unfinished }
    }
}

/// Passes the gate once with a batch that writes nothing: before any write the store mends what it finds.
pub(super) fn pass_once(patient: &Patient<'_>) -> Vec<Finding> {
    let before = Symptoms::of(patient);
    let is_well = !before.is_marked && before.missing.is_empty() && before.unfinished.is_empty();
    if is_well || patient.presence.is_err() || obstacle(patient).is_some() {
        return Vec::new();
    }
    let path = patient.place.path();
    if let Err(error) = pass(patient) {
        let why = format!("was not mended: {}: {}", error.kind(), error.message());
        let finding = Finding::warning("sync", error.path().unwrap_or(path), why);
        return vec![finding.with_mend(FIX)];
    }
    let after = Symptoms::of(patient);
    let mut mended = Vec::new();
    if before.is_marked && !after.is_marked {
        let why = "what a failed sync had left in doubt was written anew and synced";
        mended.push(Finding::mended("sync", patient.place.gate(), why));
    }
    let made = before.missing.iter().filter(|path| !after.missing.contains(path));
    mended.extend(made.map(|path| Finding::mended("rights", path, "was missing, was made anew")));
    let finished = before.unfinished.iter().filter(|path| !after.unfinished.contains(path));
    let why = "a write that nobody had finished was brought to its end";
    mended.extend(finished.map(|path| Finding::mended("leftover", path, why)));
    mended
}

fn pass(patient: &Patient<'_>) -> Result<()> {
    let settings = patient.settings().clone().with_create(false);
    let path = patient.place.path().to_owned();
    let store = Blocking::open(patient.config.engine().open(path, settings))?;
    // Whether the check holds does not matter.
    let passed = match store.commit(Batch::new().check_object("doctor", Revision::NEVER)) {
        Err(error) if error.kind() != ErrorKind::Conflict => Err(error),
        _ => Ok(()),
    };
    store.close()?;
    passed
}

/// Takes over the files that people changed by hand.
pub(super) fn adopt(patient: &Patient<'_>) -> Vec<Finding> {
    const CHECK: &str = "adopt";
    let path = patient.place.path();
    if !matches!(patient.presence, Ok(Presence::Ready | Presence::Incomplete)) {
        return Vec::new();
    }
    match patient.config.adopt(None) {
        Ok(adopted) if adopted.is_empty() => {
            vec![Finding::ok(CHECK, path, "no file was changed by hand")]
        }
        Ok(adopted) => {
            let taken = adopted.into_iter().map(|adopted| {
                let why = match &adopted.log {
                    Some(_) => format!("was changed by hand and taken over: {} entries", adopted.entries),
                    None => format!(
                        "was changed by hand and taken over: {} keys, revision {}",
                        adopted.entries, adopted.revision
                    ),
                };
                Finding::mended(CHECK, adopted.file, why)
            });
            taken.collect()
        }
        Err(error) if error.kind() == ErrorKind::Unsupported => {
            vec![Finding::ok(CHECK, path, "this engine has no files that people change by hand")]
        }
        Err(error) => {
            let why = format!("{}: {}", error.kind(), error.message());
            vec![Finding::fault(CHECK, error.path().unwrap_or(path), why)]
        }
    }
}
