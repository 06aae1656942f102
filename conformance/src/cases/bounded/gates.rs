//! One store has one gate, whatever becomes of its file.

use std::time::Duration;

use store_core::{Blocking, ErrorKind, Json, Settings};

use crate::arena::Arena;
use crate::failure::{Outcome, Refused, ensure};
use crate::target::{Role, artefact};

/// Somebody removes the gate of an open store, and another process makes it anew and holds it: the handle
/// that had the old one open waits for the new one like everybody else.
pub(super) fn a_gate_that_was_made_anew_is_everybodys_gate(arena: &Arena) -> Outcome {
    let path = arena.path()?;
    let settings = Settings::default().with_timeout(Duration::from_millis(300));
    let store = Blocking::new(arena.target.open(&path, settings)?);
    store.put("n", "k", Json::from(1u64))?;
    for _ in 0..3 {
        std::fs::remove_file(artefact(arena.target, &path, Role::Gate)?)?;
        arena.worker("create_and_write")?.start()?.finish::<()>()?;
        let mut holder = arena.worker("hold_gate")?.start()?;
        holder.hear::<String>()?;
        let error = store.put("n", "k", Json::from(2u64)).refused(ErrorKind::Busy)?;
        let named = error.to_string().contains(&format!("pid {}", holder.pid()));
        ensure!(named, "the holder is process {}: {error}", holder.pid());
        drop(holder);
        store.put("n", "k", Json::from(3u64))?;
    }
    Ok(())
}
