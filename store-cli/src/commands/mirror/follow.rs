//! `mirror --follow`: what any process changes is shown, until a signal.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use statestore::{Blocking, Mirror, MirrorConfig};

use super::printed;
use super::watch::Watch;
use crate::exit::{Failure, words_of};
use crate::output;

/// The shortest time between two looks.
const SHORTEST: Duration = Duration::from_millis(50);
/// The longest rest after failures.
const LONGEST: Duration = Duration::from_secs(30);

/// Writes the mirror again and again, until a signal is heard; then once more.
pub(super) fn run(store: &Blocking, config: MirrorConfig, heard: &Receiver<u8>) -> Result<(), Failure> {
    let interval = config.debounce.max(SHORTEST);
    let mirror = store.mirror(config)?;
    let mut follower = Follower { store, mirror, watch: Watch::default(), left: BTreeSet::new() };
    // What cannot begin does not get better by itself, and whoever started it should know.
    follower.begin()?;
    let mut rest = interval;
    while let Err(RecvTimeoutError::Timeout) = heard.recv_timeout(rest) {
        rest = match follower.go_on() {
            Ok(()) => interval,
            Err(Failure::OutputClosed) => return Err(Failure::OutputClosed),
            Err(failure) => {
                output::say(words_of(failure).1);
                (rest * 2).min(LONGEST.max(interval))
            }
        };
    }
    follower.go_on()
}

/// The mirror, and what it has still to show.
#[derive(Debug)]
struct Follower<'a> {
    store: &'a Blocking,
    mirror: Mirror,
    watch: Watch,
    left: BTreeSet<String>,
}

impl Follower<'_> {
    fn begin(&mut self) -> Result<(), Failure> {
        // Before the pass, so that nothing that changes meanwhile is missed.
        self.watch.look(self.store, self.mirror.config())?;
        printed(self.mirror.write(None)?)
    }

    fn go_on(&mut self) -> Result<(), Failure> {
        self.left.extend(self.watch.look(self.store, self.mirror.config())?);
        if self.left.is_empty() {
            return Ok(());
        }
        let changed: Vec<String> = self.left.iter().cloned().collect();
        let pass = self.mirror.write(Some(&changed))?;
        self.left = pass.failed.iter().map(|(namespace, _)| namespace.clone()).collect();
        printed(pass)
    }
}
