//! A peer of the store at work: alone in its process, or in many threads of it.

use std::sync::{Barrier, OnceLock};
use std::time::{Duration, Instant};

use super::{Failure, Performed, Side};
use crate::Result;
use crate::load::Load;
use crate::meter::{Meter, Tally};
use crate::plan::{Case, Crowd, Operation};

/// What the store is compared with, as one thread has it open.
pub(crate) trait Peer: Sized + Send {
    /// A value in the form that it takes.
    type Value: Send;

    /// Brings a JSON text into that form.
    fn form(text: String) -> Result<Self::Value>;

    /// Writes all keys.
    fn fill(&mut self, load: &mut Load<Self::Value>) -> Result<()>;

    /// Appends so many entries to the log.
    fn fill_log(&mut self, load: &mut Load<Self::Value>) -> Result<()>;

    /// Does an operation once.
    fn perform(&mut self, operation: Operation, load: &mut Load<Self::Value>) -> Performed;

    /// Opens the same for another thread.
    fn another(&self) -> Result<Self>;

    /// Closes it.
    fn close(self) -> Result<()>;
}

/// A peer with what it is to do.
#[derive(Debug)]
pub(crate) struct PeerSide<P: Peer> {
    peer: P,
    case: Case,
    seed: u64,
    load: Load<P::Value>,
}

impl<P: Peer> PeerSide<P> {
    pub(crate) fn new(peer: P, case: Case, seed: u64) -> Result<Self> {
        let load = Load::new(case.size, seed, P::form)?;
        Ok(Self { peer, case, seed, load })
    }

    fn repeat(&mut self, began: Instant, time: Duration) -> Result<Tally> {
        let mut meter = Meter::start(began, time)?;
        while meter.note(self.peer.perform(self.case.operation, &mut self.load))? {}
        Ok(meter.finish())
    }

    fn warm(&mut self) -> Result<()> {
        match self.peer.perform(self.case.operation, &mut self.load) {
            Ok(()) | Err(Failure::TimedOut) => Ok(()),
            Err(Failure::Broken(error)) => Err(error),
        }
    }

    fn work_in_threads(
        &self,
        threads: usize,
        time: Duration,
        start: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Vec<Tally>> {
        let sides = (0..threads).map(|n| Self::new(self.peer.another()?, self.case, self.seed + n as u64));
        let sides = sides.collect::<Result<Vec<_>>>()?;
        let released = Barrier::new(threads + 1);
        let began = OnceLock::new();
        std::thread::scope(|scope| {
            let threads = sides.into_iter().map(|mut side| {
                let (released, began) = (&released, &began);
                scope.spawn(move || {
                    let warmed = side.warm();
                    released.wait();
                    released.wait();
                    let tally = warmed.and_then(|()| side.repeat(*began.get_or_init(Instant::now), time));
                    side.peer.close().and(tally)
                })
            });
            let threads: Vec<_> = threads.collect();
            released.wait();
            let started = start();
            began.get_or_init(Instant::now);
            released.wait();
            let tallies = threads.into_iter().map(|thread| match thread.join() {
                Ok(tally) => tally,
                Err(_) => Err("a thread panicked".into()),
            });
            let tallies = tallies.collect();
            started.and(tallies)
        })
    }
}

impl<P: Peer> Side for PeerSide<P> {
    fn prepare(&mut self) -> Result<()> {
        if self.case.operation.on_log() {
            self.peer.fill_log(&mut self.load)
        } else {
            self.peer.fill(&mut self.load)
        }
    }

    fn warm_up(&mut self) -> Result<()> {
        self.warm()
    }

    fn work(&mut self, time: Duration, start: &mut dyn FnMut() -> Result<()>) -> Result<Vec<Tally>> {
        match self.case.crowd {
            Crowd::Tasks(threads) => self.work_in_threads(threads, time, start),
            Crowd::Processes(_) => {
                start()?;
                Ok(vec![self.repeat(Instant::now(), time)?])
            }
        }
    }

    fn close(self: Box<Self>) -> Result<()> {
        self.peer.close()
    }
}
