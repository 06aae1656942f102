//! What is in the store: whether it is of a format that this program handles, opens, and can be read whole.

use store_core::backend::Presence;
use store_core::{Blocking, Error, ErrorKind, KeyRange, LogRange, Result, Timestamp};

use super::leftovers;
use super::patient::{Patient, look_at};
use super::report::Finding;
use super::words::FIX;

const FORMAT: &str = "format";
const INTEGRITY: &str = "integrity";
/// How many entries are read at once.
const PAGE: usize = 256;

/// What reading everything came to.
#[derive(Debug, Default)]
struct Contents {
    problems: Vec<Error>,
    entries: u64,
    /// When the last entry was written.
    last: Option<Timestamp>,
}

/// Looks at all of it; returns also when the last entry was written, as far as it was read.
pub(super) fn look(patient: &Patient<'_>) -> (Vec<Finding>, Option<Timestamp>) {
    let path = patient.place.path();
    match &patient.presence {
        Err(error) => return (vec![refused(patient, FORMAT, error)], None),
        Ok(Presence::Ready) => {}
        Ok(_) => {
            let why = "something is missing that the engine can make anew; nothing is lost";
            return (vec![Finding::warning(FORMAT, path, why).with_mend(FIX)], None);
        }
    }
    let format = Finding::ok(FORMAT, path, patient.engine.title());
    if let Some(obstacle) = leftovers::obstacle(patient) {
        let why =
            format!("was not looked at: opening it would change it, for {} is there", obstacle.display());
        return (vec![format, Finding::warning(INTEGRITY, path, why)], None);
    }
    match read(patient) {
        Err(error) => (vec![format, refused(patient, INTEGRITY, &error)], None),
        Ok(contents) => {
            let mut findings = vec![format];
            findings.extend(contents.problems.iter().map(|error| refused(patient, INTEGRITY, error)));
            if contents.problems.is_empty() {
                let why = format!("all {} entries can be read", contents.entries);
                findings.push(Finding::ok(INTEGRITY, path, why));
            }
            (findings, contents.last)
        }
    }
}

/// Makes a finding of what the store says.
fn refused(patient: &Patient<'_>, check: &'static str, error: &Error) -> Finding {
    let subject = error.path().unwrap_or(patient.place.path());
    let why = format!("{}: {}", error.kind(), error.message());
    match error.kind() {
        ErrorKind::Busy => Finding::warning(check, subject, why).with_mend("statestore doctor"),
        _ if error.message().contains("statestore adopt") => {
            Finding::fault(check, subject, why).with_mend(format!("{FIX} --adopt"))
        }
        _ => Finding::fault(check, subject, why),
    }
}

/// Opens the store so that nothing is made, and reads it.
fn read(patient: &Patient<'_>) -> Result<Contents> {
    let settings = patient.settings().clone().with_create(false);
    // Whoever sees damage looks again in the gate before telling it; a gate that is missing is not made for that.
    let has_gate = look_at(&patient.place.gate())?.is_some();
    let read_only = settings.read_only || !has_gate;
    let store = Blocking::open(
        patient.config.engine().open(patient.place.path().to_owned(), settings.with_read_only(read_only)),
    )?;
    let contents = read_all(&store).and_then(|mut contents| {
        let damage = store.check_integrity()?.into_iter();
        contents.problems.extend(damage.map(|words| Error::new(ErrorKind::Corrupted, damaged(&words))));
        Ok(contents)
    });
    store.close()?;
    contents
}

/// Says what is to be done about structures that the engine finds damaged.
fn damaged(words: &str) -> String {
    format!("the engine finds {words}; stop all users, keep a copy of all files, and restore a backup")
}

/// Reads every entry, which the engine checks on the way; what cannot be read is told, and the rest is read.
fn read_all(store: &Blocking) -> Result<Contents> {
    let mut contents = Contents::default();
    let namespaces = match store.namespaces() {
        Err(error) if error.kind() == ErrorKind::Corrupted => {
            contents.problems.push(error);
            return Ok(contents);
        }
        namespaces => namespaces?,
    };
    for namespace in namespaces {
        let read = read_object(store, &namespace.name, &mut contents);
        contents.note(read)?;
        let logs = store.logs(&namespace.name);
        for log in contents.note(logs)?.unwrap_or_default() {
            let read = read_log(store, &namespace.name, &log.name, &mut contents);
            contents.note(read)?;
        }
    }
    Ok(contents)
}

impl Contents {
    /// Keeps what is damaged; any other error ends the reading.
    fn note<T>(&mut self, read: Result<T>) -> Result<Option<T>> {
        match read {
            Err(error) if error.kind() == ErrorKind::Corrupted => {
                self.problems.push(error);
                Ok(None)
            }
            read => read.map(Some),
        }
    }

    fn count(&mut self, at: Timestamp) {
        self.entries += 1;
        self.last = self.last.max(Some(at));
    }
}

fn read_object(store: &Blocking, namespace: &str, contents: &mut Contents) -> Result<()> {
    let mut range = KeyRange::all().with_limit(PAGE);
    loop {
        let page = store.list(namespace, range.clone())?;
        for (_, entry) in &page {
            contents.count(entry.at);
        }
        match page.last() {
            Some((key, _)) if page.len() == PAGE => range = range.after(key),
            _ => return Ok(()),
        }
    }
}

fn read_log(store: &Blocking, namespace: &str, log: &str, contents: &mut Contents) -> Result<()> {
    let mut range = LogRange::all().with_limit(PAGE as u64);
    loop {
        let page = store.read_log(namespace, log, range)?;
        for entry in &page {
            contents.count(entry.at);
        }
        match page.last() {
            Some(entry) if page.len() == PAGE => {
                range = LogRange::from(entry.seq + 1).with_limit(PAGE as u64);
            }
            _ => return Ok(()),
        }
    }
}
