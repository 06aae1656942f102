//! A store where nothing can be written: on a filesystem that is mounted to read only.

use std::process::Command;

use store_core::{Blocking, ErrorKind, LogRange, Settings};

use super::handles::refuses_writes;
use super::places::filled;
use crate::arena::{Arena, Hire, patient};
use crate::cases::works;
use crate::drill::{Mounted, run};
use crate::failure::{Context, Outcome, ensure_eq};
use crate::job::{Job, Work};
use crate::prints::prints;

pub(super) const WORKS: &[Work] = works![read_from_a_read_only_mount];

/// All of it can be read there, and is left as it is; every write is `ReadOnly`, whether the handle was asked
/// for writing or not.
pub(super) fn a_read_only_mount_is_read_and_takes_no_write(arena: &Arena) -> Outcome {
    let path = filled(arena, "filled")?;
    let before = prints(arena.target, &path)?;
    Hire::new(arena.target, &path, "read_from_a_read_only_mount")?.apart().start()?.finish::<()>()?;
    ensure_eq!(prints(arena.target, &path)?, before, "what lies there afterwards");
    Ok(())
}

fn read_from_a_read_only_mount(job: &Job) -> Outcome {
    let path = &job.orders.path;
    let folder = path.parent().context("no folder")?;
    let mounted = Mounted::new(&["--bind", &folder.to_string_lossy()], folder)?;
    run(Command::new("mount").args(["-o", "remount,bind,ro"]).arg(folder))?;
    let before = prints(job.target, path)?;
    for read_only in [true, false] {
        let what = format!("read_only={read_only}");
        let settings =
            patient(job.target, Settings::default().with_create(!read_only).with_read_only(read_only));
        let store = Blocking::new(job.target.open(path, settings).context(&what)?);
        for written in [false, true] {
            ensure_eq!(store.object("n")?.entries.len(), 20, "{what}, {written}");
            ensure_eq!(store.read_log("n", "log", LogRange::all())?.len(), 20, "{what}, {written}");
            if !written {
                refuses_writes(&store, ErrorKind::ReadOnly).context(&what)?;
            }
        }
        store.close()?;
        drop(store);
        ensure_eq!(prints(job.target, path)?, before, "{what}: the files");
    }
    mounted.unmount()
}
