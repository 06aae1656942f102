//! A disk without room for a dump, for what is restored, or for the store that another is migrated to.

use std::fmt::Debug;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use store_core::dump::{Compression, Existing, Old};
use store_core::{Blocking, ErrorKind, Result, Settings};

use super::dumps::{export, holds, migrate, outline, restore, verify};
use super::generations::Generations;
use super::kills::works_on;
use crate::arena::{Arena, patient};
use crate::cases::works;
use crate::drill::{Mounted, apart};
use crate::failure::{Context, Failure, Outcome, Refused, ensure, ensure_eq};
use crate::job::{Job, Work};
use crate::values::listing;

pub(super) const WORKS: &[Work] = works![dump_and_restore_without_room];

/// The disk, what a dump takes, and what is left of the room.
const DISK: u64 = 96 << 20;
const SIZE: usize = 60_000;
const LEFT: u64 = 1 << 20;

#[derive(Debug, Serialize, Deserialize)]
struct Plan {
    small: PathBuf,
    large: PathBuf,
}

/// It is told, the store is as it was, nothing half done lies about, and with room all of it can be done.
pub(super) fn a_full_disk_amid_a_dump_a_restore_or_a_migration_leaves_what_was_there(
    arena: &Arena,
) -> Outcome {
    let large = Generations::make(arena, 1, SIZE)?.dump(0)?.0.clone();
    let small = arena.folder().join("small.dump");
    let store = arena.open()?;
    super::generations::fill(&store, 1, 10)?;
    export(&store, &small, Compression::None)?;
    let drill = apart(arena, "disk", "dump_and_restore_without_room")?.plan(Plan { small, large })?;
    drill.start()?.finish::<()>().map(drop)
}

/// Expects to be told that there is no room.
#[track_caller]
fn no_room<T: Debug>(job: &Job, result: Result<T>) -> Outcome {
    match result {
        Err(error) if error.kind() == ErrorKind::StorageFull => {
            ensure!(error.surely_not_done(), "it does not say enough: {error:?}");
            Ok(())
        }
        // An engine that cannot tell a disk that is full from one that fails.
        Err(error) if error.kind() == ErrorKind::Io && !job.target.tells_why_a_call_failed() => Ok(()),
        other => other.refused(ErrorKind::StorageFull).map(drop),
    }
}

fn dump_and_restore_without_room(job: &Job) -> Outcome {
    let Plan { small, large } = job.plan()?;
    let (small_holds, large_holds) = (verify(&small)?, verify(&large)?);
    let disk = job.orders.path.with_file_name("full");
    let options = format!("size={DISK},mode=0755");
    let disk = Mounted::new(&["-t", "tmpfs", "-o", &options, "tmpfs"], &disk)?;
    let open = |name: &str| {
        let folder = disk.at().join(name);
        std::fs::create_dir_all(&folder)?;
        let settings = patient(job.target, Settings::default());
        Ok::<_, Failure>(Blocking::new(job.target.open(&job.target.place(&folder), settings)?))
    };
    // One that is small, one that is large, and one to migrate to.
    let (store, old, new) = (open("store")?, open("old")?, open("new")?);
    restore(&store, &small, Existing::Refuse)?;
    restore(&old, &large, Existing::Refuse)?;
    let backups = disk.at().join("backups");
    std::fs::create_dir(&backups)?;
    let backup = backups.join("the.dump");
    export(&store, &backup, Compression::None)?;
    let ballast = disk.at().join("ballast");
    fill_up(&disk, &ballast)?;

    no_room(job, export(&old, &backup, Compression::None)).context("a dump")?;
    no_room(job, export(&old, &backups.join("another.dump"), Compression::None)).context("a new dump")?;
    ensure_eq!(listing(&backups)?, ["the.dump"]);
    holds(&verify(&backup).context("the dump of before")?, &small_holds)?;
    no_room(job, restore(&store, &large, Existing::Replace)).context("a restore")?;
    holds(&outline(&store)?, &small_holds).context("after a restore without room")?;
    no_room(job, migrate(&old, &new, "elsewhere", Old::Bury)).context("a migration")?;
    holds(&outline(&old)?, &large_holds).context("the old store after a migration without room")?;
    ensure!(outline(&new)?.namespaces.is_empty(), "a part was migrated");

    std::fs::remove_file(&ballast)?;
    [&store, &old, &new].into_iter().try_for_each(works_on).context("with room again")?;
    let told = export(&old, &backup, Compression::None)?;
    holds(&verify(&backup)?, &told)?;
    restore(&store, &large, Existing::Replace)?;
    holds(&outline(&store)?, &large_holds)?;
    migrate(&old, &new, "elsewhere", Old::Bury)?;
    holds(&outline(&new)?, &large_holds)?;
    store.close()?;
    new.close()?;
    old.close()?;
    drop((store, old, new));
    disk.unmount()
}

/// Leaves little room on a disk.
fn fill_up(disk: &Mounted, ballast: &std::path::Path) -> Outcome {
    let found = rustix::fs::statvfs(disk.at())?;
    let room = (found.f_bavail * found.f_frsize).saturating_sub(LEFT);
    let mut file = File::create_new(ballast)?;
    let block = vec![b'x'; 1 << 16];
    for _ in 0..room / (1 << 16) {
        file.write_all(&block)?;
    }
    Ok(file.sync_all()?)
}
