//! The state store, as everybody opens it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use statestore::{Batch, ErrorKind, Json, LogRange, StateStore};

use super::{Failure, Performed, Side, TAIL};
use crate::Result;
use crate::load::{LOG, Load, NAMESPACE};
use crate::meter::{Meter, Tally};
use crate::plan::{Case, Crowd, Engine, Operation, Safety};

/// The threads of the runtime that the tasks run on, as on a small machine.
const RUNTIME_THREADS: usize = 2;
/// After how many operations a task lets the others of its thread work: a call that is answered at once never
/// gives its thread away.
const TURN: u32 = 64;
/// How much is written in one batch when a store is made.
const CHUNK: usize = 20_000;

/// The state store on the engine of its case.
#[derive(Debug)]
pub(crate) struct StoreSide {
    store: Arc<dyn StateStore>,
    case: Case,
    seed: u64,
    load: Load<Json>,
}

impl StoreSide {
    pub(crate) fn open(case: Case, seed: u64) -> Result<Self> {
        let place = match case.engine {
            Engine::Sqlite => "sqlite:store.db",
            Engine::Redb => "redb:store.redb",
            Engine::Json => "json:store",
        };
        let durability = match case.safety {
            Safety::Process => "process",
            Safety::Power => "power",
        };
        let store = pollster::block_on(statestore::open(&format!("{place}?durability={durability}")))?;
        Ok(Self { store, case, seed, load: load(case, seed)? })
    }

    fn work_in_tasks(&self, tasks: usize, time: Duration) -> Result<Vec<Tally>> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(RUNTIME_THREADS).build()?;
        let began = Instant::now();
        let started: Vec<_> = (0..tasks)
            .map(|task| {
                let (store, case, seed) = (Arc::clone(&self.store), self.case, self.seed + task as u64);
                runtime.spawn(async move {
                    let load = load(case, seed)?;
                    repeat(&*store, case.operation, load, Meter::start(began, time)?, true).await
                })
            })
            .collect();
        started.into_iter().map(|task| runtime.block_on(task)?).collect()
    }
}

impl Side for StoreSide {
    fn prepare(&mut self) -> Result<()> {
        for first in (0..self.case.size).step_by(CHUNK) {
            let mut batch = Batch::new().deadline(Duration::from_mins(5));
            for n in first..self.case.size.min(first + CHUNK) {
                let (key, value) = self.load.pair(n);
                batch = if self.case.operation.on_log() {
                    batch.append(NAMESPACE, LOG, value.clone())
                } else {
                    batch.put(NAMESPACE, key, value.clone())
                };
            }
            pollster::block_on(self.store.commit(batch))?;
        }
        Ok(())
    }

    fn warm_up(&mut self) -> Result<()> {
        match pollster::block_on(perform(&*self.store, self.case.operation, &mut self.load)) {
            Ok(()) | Err(Failure::TimedOut) => Ok(()),
            Err(Failure::Broken(error)) => Err(error),
        }
    }

    fn work(&mut self, time: Duration, start: &mut dyn FnMut() -> Result<()>) -> Result<Vec<Tally>> {
        start()?;
        match self.case.crowd {
            Crowd::Tasks(tasks) => self.work_in_tasks(tasks, time),
            Crowd::Processes(_) => {
                let load = load(self.case, self.seed)?;
                let meter = Meter::start(Instant::now(), time)?;
                let worked = repeat(&*self.store, self.case.operation, load, meter, false);
                Ok(vec![pollster::block_on(worked)?])
            }
        }
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(pollster::block_on(self.store.close())?)
    }
}

fn load(case: Case, seed: u64) -> Result<Load<Json>> {
    Ok(Load::new(case.size, seed, |text| text.parse())?)
}

async fn repeat(
    store: &dyn StateStore,
    operation: Operation,
    mut load: Load<Json>,
    mut meter: Meter,
    takes_turns: bool,
) -> Result<Tally> {
    let mut done: u32 = 0;
    while meter.note(perform(store, operation, &mut load).await)? {
        done = done.wrapping_add(1);
        if takes_turns && done.is_multiple_of(TURN) {
            tokio::task::yield_now().await;
        }
    }
    Ok(meter.finish())
}

async fn perform(store: &dyn StateStore, operation: Operation, load: &mut Load<Json>) -> Performed {
    let done = match operation {
        Operation::Get => store.get(NAMESPACE, load.draw().0).await.map(forget),
        Operation::Object => store.object(NAMESPACE).await.map(forget),
        Operation::Tail => store.read_log(NAMESPACE, LOG, LogRange::tail(u64::from(TAIL))).await.map(forget),
        Operation::Put => {
            let (key, value) = load.draw();
            store.put(NAMESPACE, key, value.clone()).await.map(drop)
        }
        Operation::Append => store.append(NAMESPACE, LOG, load.draw().1.clone()).await.map(drop),
        Operation::Replace => store.replace_object(NAMESPACE, whole(load)).await.map(drop),
    };
    done.map_err(|error| match error.kind() {
        ErrorKind::Busy | ErrorKind::Indeterminate => Failure::TimedOut,
        _ => Failure::Broken(error.into()),
    })
}

/// Drops what was read, so that the compiler cannot tell.
fn forget<T>(read: T) {
    std::hint::black_box(read);
}

/// Returns all keys, each with a value that is drawn.
fn whole(load: &mut Load<Json>) -> BTreeMap<String, Json> {
    let pairs = (0..load.size()).map(|n| {
        let (key, value) = load.pair(n);
        (key.to_owned(), value.clone())
    });
    pairs.collect()
}
