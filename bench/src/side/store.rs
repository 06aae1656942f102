//! The state store, as everybody opens it.

use std::sync::Arc;
use std::time::Duration;

use statestore::{Batch, ErrorKind, Json, StateStore};

use super::{Failure, Side};
use crate::Result;
use crate::load::{LOG, Load, NAMESPACE};
use crate::meter::{Meter, Tally};
use crate::plan::{Case, Crowd, Operation, Safety};

/// The threads of the runtime that the tasks run on, as on a small machine.
const RUNTIME_THREADS: usize = 2;

/// The state store on SQLite.
#[derive(Debug)]
pub(crate) struct StoreSide {
    store: Arc<dyn StateStore>,
    case: Case,
    seed: u64,
    load: Load<Json>,
}

impl StoreSide {
    pub(crate) fn open(case: Case, seed: u64) -> Result<Self> {
        let url = match case.safety {
            Safety::Process => "sqlite:store.db?durability=process",
            Safety::Power => "sqlite:store.db?durability=power",
        };
        let store = pollster::block_on(statestore::open(url))?;
        Ok(Self { store, case, seed, load: load(seed)? })
    }

    fn work_in_tasks(&self, tasks: usize, time: Duration) -> Result<Vec<Tally>> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(RUNTIME_THREADS).build()?;
        let started: Vec<_> = (0..tasks)
            .map(|task| {
                let (store, case, seed) = (Arc::clone(&self.store), self.case, self.seed + task as u64);
                runtime.spawn(async move { repeat(&*store, case.operation, load(seed)?, time).await })
            })
            .collect();
        started.into_iter().map(|task| runtime.block_on(task)?).collect()
    }
}

impl Side for StoreSide {
    fn prepare(&mut self) -> Result<()> {
        let mut batch = Batch::new();
        for key in self.load.keys().to_owned() {
            batch = batch.put(NAMESPACE, key, self.load.draw().1.clone());
        }
        pollster::block_on(self.store.commit(batch))?;
        Ok(())
    }

    fn warm_up(&mut self) -> Result<()> {
        let (key, value) = self.load.draw();
        match pollster::block_on(perform(&*self.store, self.case.operation, key, value)) {
            Ok(()) | Err(Failure::TimedOut) => Ok(()),
            Err(Failure::Broken(error)) => Err(error),
        }
    }

    fn work(&mut self, time: Duration, start: &mut dyn FnMut() -> Result<()>) -> Result<Vec<Tally>> {
        start()?;
        match self.case.crowd {
            Crowd::Tasks(tasks) => self.work_in_tasks(tasks, time),
            Crowd::Processes(_) => {
                let worked = repeat(&*self.store, self.case.operation, load(self.seed)?, time);
                Ok(vec![pollster::block_on(worked)?])
            }
        }
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(pollster::block_on(self.store.close())?)
    }
}

fn load(seed: u64) -> Result<Load<Json>> {
    Ok(Load::new(seed, |text| text.parse())?)
}

async fn repeat(
    store: &dyn StateStore,
    operation: Operation,
    mut load: Load<Json>,
    time: Duration,
) -> Result<Tally> {
    let mut meter = Meter::start(time)?;
    loop {
        let (key, value) = load.draw();
        let outcome = perform(store, operation, key, value).await;
        if !meter.note(outcome)? {
            return Ok(meter.finish());
        }
    }
}

async fn perform(
    store: &dyn StateStore,
    operation: Operation,
    key: &str,
    value: &Json,
) -> std::result::Result<(), Failure> {
    let done = match operation {
        Operation::Get => store.get(NAMESPACE, key).await.map(|entry| {
            std::hint::black_box(entry);
        }),
        Operation::Put => store.put(NAMESPACE, key, value.clone()).await.map(drop),
        Operation::Append => store.append(NAMESPACE, LOG, value.clone()).await.map(drop),
    };
    done.map_err(|error| match error.kind() {
        ErrorKind::Busy | ErrorKind::Indeterminate => Failure::TimedOut,
        _ => Failure::Broken(error.into()),
    })
}
