//! Random batches, against a model of the contract.

use std::time::Duration;

use store_core::{Batch, Durability, ErrorKind, Receipt, Settings};

use crate::arena::Arena;
use crate::audit;
use crate::failure::{Context, Failure, Outcome, Refused, ensure, ensure_eq};
use crate::model::Model;

fn settings() -> Settings {
    Settings::default().with_durability(Durability::Process).with_timeout(Duration::from_secs(30))
}

pub(super) fn random_batches_do_what_the_contract_says(arena: &Arena) -> Outcome {
    let mut chance = arena.chance();
    let mut model = Model::default();
    for _ in 0..6 {
        let store = arena.open_with(settings())?;
        model.compare(&audit::check(&store)?).context("after opening")?;
        for n in 0..100 {
            let batch = model.any_batch(&mut chance);
            if model.admits(&batch) {
                let receipt = store.commit(batch.clone()).context(format_args!("{batch:?}"))?;
                model.apply(&batch, &receipt)?;
            } else {
                store.commit(batch).refused(ErrorKind::Conflict)?;
            }
            if n % 5 == 0 {
                model.compare(&audit::check(&store)?)?;
            }
        }
        store.close()?;
    }
    Ok(())
}

const THREADS: usize = 24;

/// Batches gather behind a held gate and are then written in one go. Each also appends to a common log,
/// which tells their order; what they did, and what is left, has to be what they would have done one by one.
pub(super) fn batches_that_queue_together_do_what_they_would_alone(arena: &Arena) -> Outcome {
    let mut chance = arena.chance();
    let mut model = Model::default();
    let store = arena.open_with(settings())?;
    for round in 0..8 {
        let mut batches = Vec::new();
        for _ in 0..THREADS {
            batches.push(model.any_batch(&mut chance).append("order", "log", round));
        }
        let mut done = behind_the_gate(arena, &batches)?;
        done.sort_by_key(|(_, receipt)| receipt.appended().last());
        ensure!(done.len() > THREADS / 4, "only {} of {THREADS} batches went through", done.len());
        for (batch, receipt) in &done {
            ensure!(model.admits(batch), "it went through, and its checks do not hold: {batch:?}");
            model.apply(batch, receipt)?;
        }
        model.compare(&audit::check(&store)?)?;
    }
    Ok(())
}

/// Commits batches that meet behind the gate, and returns those that went through.
fn behind_the_gate<'b>(arena: &Arena, batches: &'b [Batch]) -> Outcome<Vec<(&'b Batch, Receipt)>> {
    let store = arena.open_with(settings())?;
    let mut holder = arena.worker("hold_gate")?.start()?;
    holder.hear::<String>()?;
    let results = std::thread::scope(|scope| -> Outcome<Vec<_>> {
        let commit = |batch: &Batch| {
            let (store, batch) = (store.clone(), batch.clone());
            scope.spawn(move || store.commit(batch))
        };
        let threads: Vec<_> = batches.iter().map(commit).collect();
        // Whether all are queued by then is no matter of right or wrong.
        std::thread::sleep(Duration::from_millis(50));
        holder.say("enough")?;
        threads.into_iter().map(|thread| thread.join().ok().context("a thread panicked")).collect()
    })?;
    ensure_eq!(results.len(), batches.len());
    let mut done = Vec::new();
    for (batch, result) in batches.iter().zip(results) {
        match result {
            Ok(receipt) => done.push((batch, receipt)),
            Err(error) if error.kind() == ErrorKind::Conflict => {}
            Err(error) => return Err(Failure::from(error)),
        }
    }
    Ok(done)
}
