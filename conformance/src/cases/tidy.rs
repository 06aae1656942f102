//! Promise 8: what a killed process leaves behind is cleaned by the next, and only what is certainly dead.

use std::time::Duration;

use store_core::Json;

use super::{Case, cases};
use crate::arena::Arena;
use crate::failure::Outcome;
use crate::job::{Job, Work};
use crate::values::is_tidy;

pub(super) const CASES: &[Case] =
    cases![nothing_lies_about_after_ordinary_work, nothing_lies_about_after_kills,];

pub(super) const WORKS: &[Work] = super::works![open_and_write];

fn nothing_lies_about_after_ordinary_work(arena: &Arena) -> Outcome {
    for n in 0..5_u64 {
        let store = arena.open()?;
        store.put("n", &format!("key {n}"), Json::from("x".repeat(100_000)))?;
        store.append("n", "log", Json::from(n))?;
        is_tidy(arena.target, &arena.path()?)?;
        store.close()?;
        is_tidy(arena.target, &arena.path()?)?;
    }
    arena.open()?.delete_namespace("n")?;
    is_tidy(arena.target, &arena.path()?)
}

fn open_and_write(job: &Job) -> Outcome {
    job.say("begun")?;
    let store = job.open()?;
    for n in 0_u64.. {
        store.put("n", "k", Json::from(n))?;
        if n == 0 {
            job.say("writing")?;
        }
    }
    Ok(())
}

fn nothing_lies_about_after_kills(arena: &Arena) -> Outcome {
    let mut chance = arena.chance();
    for round in 0..40 {
        let mut worker = arena.worker("open_and_write")?.settings("durability=process").start()?;
        worker.hear::<String>()?;
        // Every other one is killed amid its writes, however long it takes to come to them.
        if round % 2 == 0 {
            worker.hear::<String>()?;
        }
        std::thread::sleep(Duration::from_micros(chance.u64(..6000)));
        worker.kill::<String>()?;
    }
    // The next one to come cleans.
    let store = arena.open()?;
    store.put("n", "k", Json::from(1u64))?;
    store.close()?;
    is_tidy(arena.target, &arena.path()?)
}
