//! Whether a backend refuses what it says that it lacks, and does everything else.

use store_core::backend::Transaction;
use store_core::{Access, Batch, Blocking, Durability, Error, ErrorKind, Json, LogRange, Result, Settings};

use crate::ability::Ability;
use crate::arena::Arena;
use crate::cases::works;
use crate::counts::Ledger;
use crate::failure::{Context, Failure, Outcome, Refused, ensure};
use crate::job::{Job, Work};
use crate::target::Target;
use crate::users::own_group;
use crate::wire::Orders;
use crate::worker::Worker;

pub(super) const WORKS: &[Work] = works![write_for_another];

/// What a backend lacks it refuses as `Unsupported`, which changes nothing; what it does not lack works.
pub(super) fn what_a_backend_lacks_is_unsupported_and_all_else_works(arena: &Arena) -> Outcome {
    for ability in Ability::ALL {
        let attempt = try_out(arena, ability).context(ability.as_str())?;
        if arena.target.lacks().contains(&ability) {
            let what = format!("the backend says that it lacks {}", ability.as_str());
            attempt.refused(ErrorKind::Unsupported).context(what)?;
        } else {
            let what = format!("the backend does not say that it lacks {}", ability.as_str());
            // Not what other cases take for a thing that need not work.
            attempt.map_err(|error| Failure::new(format_args!("{what}, but: {error}")))?;
        }
    }
    Ok(())
}

/// Asks a store of its own for something that takes an ability, and returns what it answered.
fn try_out(arena: &Arena, ability: Ability) -> Outcome<Result<()>> {
    let path = arena.place(&format!("{ability:?}"))?;
    let lacks = arena.target.lacks();
    let durability = if lacks.contains(&Ability::Power) { Durability::Process } else { Durability::Power };
    let basic = Settings::default().with_durability(durability);
    let open = |settings| arena.target.open(&path, settings).map(Blocking::new);
    let batch = Batch::new().put("n", "k", 1u64);
    let attempt = match ability {
        Ability::Power => open(basic.with_durability(Durability::Process))
            .and_then(|store| store.commit(batch.durability(Durability::Power)).and(store.sync())),
        Ability::Groups => {
            let shared = basic.with_access(Access::Group).with_group(own_group());
            open(shared).and_then(|store| store.commit(batch).map(drop))
        }
        Ability::ReadOnly => {
            open(basic.clone())?.commit(batch)?;
            open(basic.with_read_only(true)).and_then(|store| store.get("n", "k").map(drop))
        }
        Ability::Logs => open(basic).and_then(|store| {
            store.append("n", "log", Json::from(1u64))?;
            store.read_log("n", "log", LogRange::all()).map(drop)
        }),
        Ability::Spanning => open(basic).and_then(|store| store.commit(batch.put("m", "k", 1u64)).map(drop)),
        Ability::Snapshots => open(basic).and_then(|store| {
            pollster::block_on(store.store().snapshot(Box::new(|snapshot| snapshot.epoch().map(drop))))
        }),
        Ability::Rebuilding => {
            open(basic).and_then(|store| rebuild(&store, |transaction| transaction.clear("n")))
        }
        Ability::Moving => {
            arena.forget(&path);
            open(basic).and_then(|store| rebuild(&store, |transaction| transaction.entomb("nowhere:/")))
        }
        Ability::Processes => {
            let store = open(basic)?;
            store.commit(batch)?;
            in_a_process(arena.target, &path, durability)?
        }
        Ability::Persistence => {
            in_a_process(arena.target, &path, durability)??;
            open(basic.with_create(false)).and_then(|store| {
                let found = store.get("n", "other")?;
                found
                    .map(drop)
                    .ok_or_else(|| Error::new(ErrorKind::Corrupted, "it opened and has lost its data"))
            })
        }
    };
    ensure!(path.parent().is_some_and(std::path::Path::is_dir), "the folder of the store is gone");
    Ok(attempt)
}

/// Changes a store in a transaction of everything.
fn rebuild(
    store: &Blocking,
    mut work: impl FnMut(&mut dyn Transaction) -> Result<()> + Send + 'static,
) -> Result<()> {
    pollster::block_on(store.store().rebuild("try", Box::new(move |transaction| work(transaction))))
}

/// Opens the store in another process, which writes and ends; whatever the backend says that it lacks.
fn in_a_process(target: &dyn Target, path: &std::path::Path, durability: Durability) -> Outcome<Result<()>> {
    let orders = Orders {
        target: target.name().to_owned(),
        work: "write_for_another".to_owned(),
        path: path.to_owned(),
        settings: format!("timeout=30s&durability={}", durability.as_str()),
        plan: serde_json::Value::Null,
        user: None,
        umask: None,
    };
    let mut worker = Worker::start(&orders, &[], None, Ledger::default())?;
    let unsupported: Option<String> = worker.hear()?;
    worker.finish::<()>()?;
    Ok(unsupported.map_or(Ok(()), |why| Err(Error::new(ErrorKind::Unsupported, why))))
}

/// Writes something, and says why it is not supported if that is so.
fn write_for_another(job: &Job) -> Outcome {
    let written = job.open().and_then(|store| {
        store.put("n", "other", Json::from(1u64))?;
        store.close()
    });
    match written {
        Err(error) if error.kind() == ErrorKind::Unsupported => job.say(Some(error.to_string())),
        written => {
            written?;
            job.say(None::<String>)
        }
    }
}
