//! Histories of random calls of several processes, each checked as a whole.

use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};
use store_core::{
    Batch, Blocking, Conflict, Error, ErrorKind, Expect, Json, LogRange, Outcome as Done, Receipt, Revision,
};

use crate::arena::Arena;
use crate::cases::works;
use crate::counts::Count;
use crate::failure::{Context, Failure, Outcome, ensure};
use crate::history::workload::Workload;
use crate::history::{self, Call, Check, Did, Entry, Recorder, Start, Verdict, Write};
use crate::job::{Job, Work};
use crate::worker::{Worker, finish_all, release};

pub(super) const WORKS: &[Work] = works![call_at_random];

/// What the clients of a process do.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Plan {
    /// The folder for the records, one file a client.
    records: PathBuf,
    /// The numbers of its clients; nobody else has them.
    clients: Vec<u32>,
    /// How many calls each makes.
    calls: u64,
    seed: u64,
    /// How many namespaces, keys in each and logs in each there are.
    shape: (usize, usize, usize),
}

/// Processes that call at random, and their records.
#[derive(Debug)]
struct Crowd<'a> {
    arena: &'a Arena,
    /// The store of the round, which is new.
    path: PathBuf,
    records: PathBuf,
    chance: fastrand::Rng,
    hired: u32,
    threads: u32,
    calls: u64,
    shape: (usize, usize, usize),
}

impl<'a> Crowd<'a> {
    fn new(arena: &'a Arena, round: u64, threads: u32, calls: u64) -> Outcome<Self> {
        let records = arena.folder().join(format!("records {round}"));
        std::fs::create_dir(&records)?;
        let (path, shape) = (arena.place(&format!("round {round}"))?, SHAPE);
        Ok(Self { arena, path, records, chance: arena.chance(), hired: 0, threads, calls, shape })
    }

    /// Starts one more process.
    fn hire(&mut self) -> Outcome<Worker> {
        let clients = (self.hired * self.threads..(self.hired + 1) * self.threads).collect();
        self.hired += 1;
        let plan = Plan {
            records: self.records.clone(),
            clients,
            calls: self.calls,
            seed: self.chance.u64(..),
            shape: self.shape,
        };
        self.arena.worker_on(&self.path, "call_at_random")?.settings("durability=process").plan(plan)?.start()
    }

    /// Checks all that was recorded; at least so many calls must have returned.
    fn check(&self, least: u64) -> Outcome {
        let mut paths = Vec::new();
        for found in std::fs::read_dir(&self.records)? {
            paths.push(found?.path());
        }
        let history = history::read(&paths)?;
        let returned = history.operations.iter().filter(|operation| operation.returned.is_some()).count();
        ensure!(returned as u64 >= least, "only {returned} calls returned");
        match history::check(&history) {
            Verdict::Linearizable { operations, .. } => {
                self.arena.count(Count::Operations, operations);
                Ok(())
            }
            Verdict::Violation(violation) => Err(Failure::new(&violation).with_exhibit(violation.exhibit())),
            undecided @ Verdict::Undecided { .. } => Err(Failure::new(undecided)),
        }
    }
}

const SHAPE: (usize, usize, usize) = (3, 4, 2);
/// How many histories a full run makes of each kind.
const ROUNDS: u64 = 20;

/// Makes histories of so many processes, each with some threads that make some calls, and checks them.
fn undisturbed(arena: &Arena, processes: u64, threads: u32, calls: u64) -> Outcome {
    for round in arena.rounds(1, ROUNDS).go() {
        let mut crowd = Crowd::new(arena, round, threads, calls)?;
        let mut workers = (0..processes).map(|_| crowd.hire()).collect::<Outcome<Vec<_>>>()?;
        release(&mut workers)?;
        finish_all::<()>(workers)?;
        crowd.check(processes * u64::from(threads) * calls)?;
    }
    Ok(())
}

pub(super) fn a_history_of_several_processes_is_linearizable(arena: &Arena) -> Outcome {
    undisturbed(arena, 4, 2, arena.commits(arena.profile.pick(300, 2_000)))
}

pub(super) fn a_history_of_sixteen_processes_is_linearizable(arena: &Arena) -> Outcome {
    undisturbed(arena, 16, 1, arena.commits(arena.profile.pick(120, 800)))
}

/// Workers are killed at random moments and replaced by new ones.
pub(super) fn a_history_with_kills_is_linearizable(arena: &Arena) -> Outcome {
    arena.rounds(1, ROUNDS).go().try_for_each(|round| with_kills(arena, round))
}

fn with_kills(arena: &Arena, round: u64) -> Outcome {
    let kills = arena.commits(12);
    let mut crowd = Crowd::new(arena, round, 2, u64::MAX)?;
    let mut chance = arena.chance();
    let mut workers = (0..4).map(|_| crowd.hire()).collect::<Outcome<Vec<_>>>()?;
    release(&mut workers)?;
    for _ in 0..kills {
        std::thread::sleep(Duration::from_micros(chance.u64(1_000..40_000)));
        let victim = workers.swap_remove(chance.usize(..workers.len()));
        victim.kill::<String>()?;
        let mut heir = [crowd.hire()?];
        release(&mut heir)?;
        workers.extend(heir);
    }
    for worker in workers {
        worker.kill::<String>()?;
    }
    crowd.check(kills)
}

/// Workers are stopped at random moments and go on after the others have worked for a while.
pub(super) fn a_history_with_stops_is_linearizable(arena: &Arena) -> Outcome {
    arena.rounds(1, ROUNDS).go().try_for_each(|round| with_stops(arena, round))
}

fn with_stops(arena: &Arena, round: u64) -> Outcome {
    let stops = arena.commits(25);
    let mut crowd = Crowd::new(arena, round, 2, u64::MAX)?;
    let mut chance = arena.chance();
    let mut workers = (0..4).map(|_| crowd.hire()).collect::<Outcome<Vec<_>>>()?;
    release(&mut workers)?;
    for _ in 0..stops {
        std::thread::sleep(Duration::from_micros(chance.u64(1_000..15_000)));
        let worker = workers.get(chance.usize(..workers.len())).context("nobody works")?;
        worker.signal(Signal::SIGSTOP)?;
        std::thread::sleep(Duration::from_micros(chance.u64(1_000..20_000)));
        worker.signal(Signal::SIGCONT)?;
    }
    workers.iter_mut().try_for_each(|worker| worker.say("enough"))?;
    finish_all::<()>(workers)?;
    crowd.check(stops)
}

fn call_at_random(job: &Job) -> Outcome {
    let plan: Plan = job.plan()?;
    let store = job.open()?;
    job.meet()?;
    let over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let client = |&number: &u32| {
            let (plan, store, over) = (&plan, store.clone(), &over);
            scope.spawn(move || client(plan, number, &store, over))
        };
        let clients: Vec<_> = plan.clients.iter().map(client).collect();
        while plan.calls == u64::MAX && clients.iter().all(|client| !client.is_finished()) {
            if job.was_told()? {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        over.store(plan.calls == u64::MAX, std::sync::atomic::Ordering::Relaxed);
        clients.into_iter().try_for_each(|client| client.join().ok().context("a client panicked")?)
    })
}

/// Makes the calls of one client, one after the other.
fn client(plan: &Plan, number: u32, store: &Blocking, over: &std::sync::atomic::AtomicBool) -> Outcome {
    let mut recorder = Recorder::create(&plan.records.join(number.to_string()), number)?;
    let chance = fastrand::Rng::with_seed(plan.seed.wrapping_add(u64::from(number)));
    let mut workload = Workload::new(chance, number, plan.shape);
    for _ in 0..plan.calls {
        if over.load(std::sync::atomic::Ordering::Relaxed) {
            break;
        }
        let call = workload.next();
        let outcome = recorder.record(&call, |call| made(store, call))?;
        workload.learn(&call, &outcome);
    }
    Ok(())
}

/// Makes a call.
fn made(store: &Blocking, call: &Call) -> history::Outcome {
    answer(store, call).unwrap_or_else(|error| refusal(&error))
}

fn answer(store: &Blocking, call: &Call) -> store_core::Result<history::Outcome> {
    use history::Outcome as Answer;
    let entry = |entry: store_core::Entry| Entry {
        value: entry.value.as_str().to_owned(),
        revision: entry.revision.get(),
    };
    Ok(match call {
        Call::Get { namespace, key } => Answer::Got(store.get(namespace, key)?.map(entry)),
        Call::Object { namespace } => {
            let object = store.object(namespace)?;
            let entries = object.entries.into_iter().map(|(key, held)| (key, entry(held)));
            Answer::Object { revision: object.revision.get(), entries: entries.collect() }
        }
        Call::ReadLog { namespace, log, start, limit } => {
            let range = match start {
                Start::From(number) => LogRange::from(*number),
                Start::Tail(count) => LogRange::tail(*count),
            };
            let range = limit.map_or(range, |limit| range.with_limit(limit));
            let page = store.read_log(namespace, log, range)?;
            Answer::Page(page.into_iter().map(|e| (e.seq, e.entry.as_str().to_owned())).collect())
        }
        Call::Logs { namespace } => {
            let logs = store.logs(namespace)?.into_iter();
            Answer::Logs(logs.map(|log| (log.name, (log.first, log.last))).collect())
        }
        Call::Write(write) => Answer::Done(written(store, write)?),
        Call::Commit { checks, writes } => {
            let batch = checks.iter().fold(Batch::new(), checking);
            let batch = writes.iter().try_fold(batch, writing)?;
            Answer::Done(receipt(writes, &store.commit(batch)?))
        }
    })
}

fn refusal(error: &Error) -> history::Outcome {
    match error.conflict() {
        Some(Conflict::Key { namespace, key, found, .. }) => history::Outcome::Conflict(Check::Key {
            namespace: namespace.clone(),
            key: key.clone(),
            revision: found.map(Revision::get),
        }),
        Some(Conflict::Object { namespace, found, .. }) => {
            history::Outcome::Conflict(Check::Object { namespace: namespace.clone(), revision: found.get() })
        }
        Some(Conflict::Log { namespace, log, found, .. }) => history::Outcome::Conflict(Check::Log {
            namespace: namespace.clone(),
            log: log.clone(),
            last: *found,
        }),
        _ if error.kind() == ErrorKind::Indeterminate => history::Outcome::Unknown(error.to_string()),
        _ => history::Outcome::Refused(error.to_string()),
    }
}

/// Makes one write by the call that is made for it.
fn written(store: &Blocking, write: &Write) -> store_core::Result<history::Receipt> {
    let namespace = write.namespace();
    let given = |revision: u64| Some([(namespace.to_owned(), revision)].into());
    let (revisions, did) = match write {
        Write::Put { key, value, .. } => {
            let revision = store.put(namespace, key, value.parse()?)?.get();
            (given(revision), Did::Written(revision))
        }
        Write::ReplaceObject { object, .. } => {
            let object = object.iter().map(|(key, value)| Ok((key.clone(), value.parse::<Json>()?)));
            let object = object.collect::<store_core::Result<_>>()?;
            let revision = store.replace_object(namespace, object)?.get();
            (given(revision), Did::Written(revision))
        }
        Write::Delete { key, .. } => (None, Did::Deleted(store.delete(namespace, key)?)),
        Write::Append { log, entry, .. } => {
            (None, Did::Appended(store.append(namespace, log, entry.parse()?)?))
        }
        Write::TrimLog { log, before, .. } => {
            store.trim_log(namespace, log, *before)?;
            (None, Did::Trimmed)
        }
        Write::DeleteNamespace { .. } => (None, Did::Deleted(store.delete_namespace(namespace)?)),
    };
    Ok(history::Receipt { revisions, outcomes: vec![did] })
}

fn checking(batch: Batch, check: &Check) -> Batch {
    match check {
        Check::Key { namespace, key, revision } => {
            let expect = revision.map_or(Expect::Absent, |rev| Expect::Revision(Revision::new(rev)));
            batch.check(namespace, key, expect)
        }
        Check::Object { namespace, revision } => batch.check_object(namespace, Revision::new(*revision)),
        Check::Log { namespace, log, last } => batch.check_log(namespace, log, *last),
    }
}

fn writing(batch: Batch, write: &Write) -> store_core::Result<Batch> {
    let namespace = write.namespace();
    Ok(match write {
        Write::Put { key, value, .. } => batch.put(namespace, key, value.parse::<Json>()?),
        Write::Delete { key, .. } => batch.delete(namespace, key),
        Write::ReplaceObject { object, .. } => {
            let object = object.iter().map(|(key, value)| Ok((key.clone(), value.parse::<Json>()?)));
            batch.replace_object(namespace, object.collect::<store_core::Result<_>>()?)
        }
        Write::Append { log, entry, .. } => batch.append(namespace, log, entry.parse::<Json>()?),
        Write::TrimLog { log, before, .. } => batch.trim_log(namespace, log, *before),
        Write::DeleteNamespace { .. } => batch.delete_namespace(namespace),
    })
}

/// Says what a receipt says.
fn receipt(writes: &[Write], receipt: &Receipt) -> history::Receipt {
    let spaces = writes.iter().map(Write::namespace);
    let revisions =
        spaces.filter_map(|name| Some((name.to_owned(), receipt.revision(name)?.get()))).collect();
    let did = |done: &Done| match done {
        Done::Written(revision) => Did::Written(revision.get()),
        Done::Deleted(existed) => Did::Deleted(*existed),
        Done::Appended(number) => Did::Appended(*number),
        _ => Did::Trimmed,
    };
    history::Receipt { revisions: Some(revisions), outcomes: receipt.outcomes().iter().map(did).collect() }
}
