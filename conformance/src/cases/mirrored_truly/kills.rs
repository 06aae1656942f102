//! Writers of a mirror that are killed at random moments.

use std::time::Duration;

use store_core::{MirrorState, Settings};

use super::readers::{Life, WRITERS, ask, reader};
use super::{config_of, mirrored, shows_all, until_caught_up};
use crate::arena::Arena;
use crate::failure::{Context, Outcome, ensure};

/// While a process reads, others that write through the mirror are killed at random moments, all at once or
/// while they start. No file is then other than it was written, and the next process that opens the store
/// with its mirror writes what they left, and clears away the rest.
pub(super) fn after_a_kill_every_file_is_whole_and_the_next_process_catches_up(arena: &Arena) -> Outcome {
    let mut chance = arena.chance();
    let config = config_of(&arena.path()?)?;
    let reader = reader(arena)?;
    let mut first_ones = true;
    for round in arena.rounds(8, 200).go() {
        let mut crew = Vec::new();
        for writer in 0..WRITERS {
            let life = Life { writer, writes: u64::from(u32::MAX) };
            let mut worker = arena.worker("write_with_a_mirror")?.plan(life)?.start()?;
            // One in five is killed while it starts, once all files were there.
            if first_ones || chance.u8(..5) > 0 {
                worker.hear::<u64>()?;
            }
            crew.push(worker);
        }
        std::thread::sleep(Duration::from_micros(chance.u64(..20_000)));
        for worker in crew {
            worker.kill::<u64>()?;
        }
        let store = arena.open_with(Settings::default())?;
        if !first_ones {
            for check in store.mirror(config.clone())?.check(None)? {
                let kept = matches!(check.state, MirrorState::Fresh | MirrorState::Stale);
                ensure!(kept, "after the kills of round {round}: {check:?}");
            }
        }
        first_ones = false;
        let next = mirrored(arena.target, &store, config.clone())?;
        until_caught_up(&next)?;
        shows_all(&store, &config).context(format_args!("after the kills of round {round}"))?;
        next.close()?;
    }
    let news = ask(reader)?;
    ensure!(news >= WRITERS, "the reader saw something newer {news} times only");
    Ok(())
}
