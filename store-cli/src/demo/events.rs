//! The events that are sent: made of a seed, or real ones from a file.

use std::io::{BufRead, BufReader};
use std::path::Path;

use fastrand::Rng;
use statestore::{Json, Limits, Result};

use crate::args::DemoArgs;
use crate::exit::{Code, Failure};
use crate::input;

/// How many events each process sends unless told otherwise.
const EVENTS: u32 = 1000;

/// All events by the process that sends them, each text different from all others.
#[derive(Debug)]
pub(super) struct Sent(Vec<Vec<String>>);

impl Sent {
    /// Settles who sends what.
    ///
    /// Events of a file are dealt out to the processes in turn; if more are asked for than there are, it
    /// starts again.
    pub(super) fn settle(args: &DemoArgs, seed: u64) -> Result<Self, Failure> {
        let processes = u64::from(args.processes);
        let given = args.events.as_deref().map(read).transpose()?;
        let total = match (args.events_per_process, &given) {
            (Some(each), _) => processes * u64::from(each),
            (None, Some(given)) => given.len() as u64,
            (None, None) => processes * u64::from(EVENTS),
        };
        let mut sent = vec![Vec::new(); usize::try_from(processes).unwrap_or(usize::MAX)];
        let mut rng = Rng::with_seed(seed);
        let mut source = given.iter().flatten().cycle();
        for number in 0..total {
            let event = source.next().cloned().unwrap_or_else(|| invent(&mut rng));
            let process = number % processes;
            if let Some(events) = usize::try_from(process).ok().and_then(|process| sent.get_mut(process)) {
                // Process and number make each text different, whatever the event.
                events.push(format!(r#"{{"process":{process},"n":{},"event":{event}}}"#, events.len()));
            }
        }
        Ok(Self(sent))
    }

    /// Returns the events of each process, in the order they are sent.
    pub(super) fn processes(&self) -> &[Vec<String>] {
        &self.0
    }

    /// Returns how many events there are.
    pub(super) fn count(&self) -> u64 {
        self.0.iter().map(|events| events.len() as u64).sum()
    }
}

/// Reads JSON lines.
fn read(path: &Path) -> Result<Vec<Json>, Failure> {
    let file = BufReader::new(input::open(path)?);
    let mut events = Vec::new();
    for (number, line) in (1..).zip(file.split(b'\n')) {
        let line = line.map_err(|e| input::unreadable(path, e))?;
        let event = input::line(&line, number, Limits::default().value).map_err(|e| e.with_path(path))?;
        events.push(event);
    }
    if events.is_empty() {
        let why = format!("{}: there are no events in it; give one JSON value a line", path.display());
        return Err(Failure::told(Code::Usage, why));
    }
    Ok(events)
}

/// Makes an event up, with what careless code mangles: long numbers, escapes, letters of several bytes.
fn invent(rng: &mut Rng) -> Json {
    const KINDS: [&str; 4] = ["job.started", "job.finished", "payment.received", "dead.letter"];
    let kind = rng.choice(KINDS).unwrap_or_default();
    let (id, cents) = (rng.u128(..), rng.u32(..10_000_000));
    let note: String = (0..rng.usize(..120))
        .map(|_| rng.choice(['a', 'ñ', ' ', 'ß', '€', '\u{1f980}', '"', '\\', '\n']).unwrap_or(' '))
        .collect();
    let note = Json::from(note);
    Json::from_trusted(format!(r#"{{"type":"{kind}","id":{id},"amount":{cents}e-2,"note":{note}}}"#).into())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::io::Write;

    use super::*;

    fn args(processes: u32, each: Option<u32>) -> DemoArgs {
        DemoArgs { processes, events_per_process: each, seed: None, events: None, at: None }
    }

    #[test]
    fn a_seed_makes_the_same_events_again_all_different() {
        let sent = Sent::settle(&args(3, Some(50)), 7).unwrap();
        assert_eq!(sent.0, Sent::settle(&args(3, Some(50)), 7).unwrap().0);
        assert_ne!(sent.0, Sent::settle(&args(3, Some(50)), 8).unwrap().0);
        let all: HashSet<_> = sent.processes().iter().flatten().collect();
        assert_eq!((all.len(), sent.count()), (150, 150));
        for text in all {
            assert_eq!(text.parse::<Json>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn events_of_a_file_are_dealt_out_and_repeated() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"1\n 2 \n1e400").unwrap();
        let from_file = |each| DemoArgs { events: Some(file.path().to_owned()), ..args(2, each) };
        let sent = Sent::settle(&from_file(None), 0).unwrap();
        assert_eq!(sent.0[0], [r#"{"process":0,"n":0,"event":1}"#, r#"{"process":0,"n":1,"event":1e400}"#]);
        assert_eq!(sent.0[1], [r#"{"process":1,"n":0,"event":2}"#]);
        assert_eq!(Sent::settle(&from_file(Some(4)), 0).unwrap().count(), 8);
    }
}
