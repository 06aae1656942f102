//! What was kept, compared with what was sent.

use std::collections::HashMap;

use super::events::Sent;
use super::files::Files;
use super::place::Place;
use super::stored::Stored;
use super::way::Kind;
use crate::exit::Failure;

/// What became of the load.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// How many of the events are there, whole.
    pub(super) events: u64,
    /// How many processes' last state is not there.
    pub(super) states_lost: u64,
    /// What is there but should not be, or is not where it should be.
    pub(super) problems: Vec<String>,
}

/// Compares each event that was kept with what was sent: each once, in the order of its process.
pub(super) fn check(kind: Kind, place: &Place, sent: &Sent) -> Result<Kept, Failure> {
    let (texts, gap, states) = match kind {
        Kind::Files => {
            let files = Files::open(place.folder());
            let states = (0..sent.processes().len()).map(|process| files.state(process)).collect();
            (files.kept(), None, states)
        }
        Kind::Store(engine) => {
            let stored = Stored::open_existing(engine, place.folder())?;
            let states = (0..sent.processes().len()).map(|process| stored.state(process));
            let states = states.collect::<statestore::Result<Vec<_>>>()?;
            let (numbers, texts): (Vec<_>, Vec<_>) = stored.kept()?.into_iter().unzip();
            let gap = numbers.into_iter().zip(1..).find(|(number, wanted)| number != wanted);
            (texts, gap, states)
        }
    };
    let mut kept = compare(sent, &texts);
    kept.problems
        .extend(gap.map(|(number, wanted)| format!("the log has number {number} in place of {wanted}")));
    for (process, (state, events)) in states.into_iter().zip(sent.processes()).enumerate() {
        if !events.is_empty() && state != Some(events.len()) {
            kept.states_lost += 1;
            kept.problems.push(format!("the state of process {process} is {state:?}, not {}", events.len()));
        }
    }
    Ok(kept)
}

fn compare(sent: &Sent, texts: &[String]) -> Kept {
    // All texts differ, so the text alone tells which event it is; a mangled one is none.
    let mut places = HashMap::new();
    for (process, events) in sent.processes().iter().enumerate() {
        places.extend(events.iter().enumerate().map(|(n, text)| (text.as_str(), (process, n, false))));
    }
    let mut kept = Kept::default();
    let mut newest = vec![None; sent.processes().len()];
    for text in texts {
        match places.get_mut(text.as_str()) {
            None => kept.problems.push(format!("an entry that nobody sent: {text:.80}")),
            Some((process, n, true)) => kept.problems.push(format!("event {n} of process {process} twice")),
            Some((process, n, there)) => {
                *there = true;
                kept.events += 1;
                if let Some(newest) = newest.get_mut(*process) {
                    if *newest > Some(*n) {
                        kept.problems.push(format!("event {n} of process {process} out of order"));
                    }
                    *newest = (*newest).max(Some(*n));
                }
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::DemoArgs;

    #[test]
    fn lost_mangled_repeated_and_disordered_events_are_found() {
        let args = DemoArgs { processes: 2, events_per_process: Some(3), seed: None, events: None, at: None };
        let sent = Sent::settle(&args, 1).unwrap();
        let [a, b] = sent.processes() else { panic!() };
        let all: Vec<String> = a.iter().chain(b).cloned().collect();
        let kept = compare(&sent, &all);
        assert_eq!((kept.events, kept.problems.len()), (6, 0));

        let odd = [a[1].clone(), a[0].clone(), b[2].clone(), b[2].clone(), "{}".into()];
        let kept = compare(&sent, &odd);
        assert_eq!(kept.events, 3);
        for (problem, part) in kept.problems.iter().zip(["out of order", "twice", "nobody sent"]) {
            assert!(problem.contains(part), "{problem}");
        }
        assert_eq!(kept.problems.len(), 3);
    }
}
