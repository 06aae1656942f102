//! Disks without room: writers are told, nothing is lost, reading goes on, and with room service resumes.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::filling::{Check, Tale};
use crate::arena::{Arena, Hire};
use crate::cases::works;
use crate::drill::{Disk, Filesystem, Mounted, apart, run};
use crate::failure::{Context, Outcome, ensure};
use crate::job::{Job, Work};
use crate::members::{FIRST, as_user};
use crate::users::User;

pub(super) const WORKS: &[Work] = works![run_out_of_room];

const BALLAST: usize = 5 << 20;

/// Where there is no room, and how many write there at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Room {
    Memory,
    Disk,
    Quota,
}

pub(super) fn a_full_disk_in_memory_is_told_of_and_room_lets_work_go_on(arena: &Arena) -> Outcome {
    runs_out(arena, Room::Memory, 1)
}

pub(super) fn a_full_disk_is_told_of_and_room_lets_work_go_on(arena: &Arena) -> Outcome {
    runs_out(arena, Room::Disk, 1)
}

/// Processes that share a full disk are each told, and each goes on.
pub(super) fn processes_that_fill_a_disk_together_lose_nothing(arena: &Arena) -> Outcome {
    runs_out(arena, Room::Disk, 3)
}

/// A user whose quota is used up is told just so. It is one of btrfs, which limits a folder: the kernels of
/// many machines know no quota of users.
pub(super) fn a_quota_used_up_is_told_of_and_a_higher_one_lets_work_go_on(arena: &Arena) -> Outcome {
    if arena.target.writes_through_maps() {
        return Ok(());
    }
    runs_out(arena, Room::Quota, 1)
}

fn runs_out(arena: &Arena, room: Room, writers: u64) -> Outcome {
    let drill = apart(arena, "disk", "run_out_of_room")?.plan((room, writers))?.start()?;
    drill.finish::<()>().map(drop)
}

/// A place with little room; unmounted when this is dropped.
enum Place {
    Memory(Mounted),
    Disk(Disk),
}

impl Place {
    fn make(room: Room, folder: &Path) -> Outcome<Self> {
        let place = match room {
            Room::Memory => {
                let options = ["-t", "tmpfs", "-o", "size=11m,mode=0755", "tmpfs"];
                Self::Memory(Mounted::new(&options, &folder.join("full"))?)
            }
            Room::Disk => Self::Disk(Disk::make(Filesystem::Ext4, 16 << 20, folder, "full", &["-m", "0"])?),
            Room::Quota => Self::Disk(Disk::make(Filesystem::Btrfs, 256 << 20, folder, "full", &[])?),
        };
        if room == Room::Quota {
            btrfs(&["quota", "enable"], place.at())?;
            btrfs(&["subvolume", "create"], &place.folder())?;
            place.allow("7M")?;
        } else {
            std::fs::create_dir(place.folder())?;
            let mut ballast = File::create_new(place.at().join("ballast"))?;
            ballast.write_all(&vec![b'x'; BALLAST])?;
            ballast.sync_all()?;
        }
        Ok(place)
    }

    fn at(&self) -> &Path {
        match self {
            Self::Memory(mounted) => mounted.at(),
            Self::Disk(disk) => disk.at(),
        }
    }

    /// Returns the folder of the store.
    fn folder(&self) -> PathBuf {
        self.at().join("store")
    }

    /// Limits the room of the folder.
    fn allow(&self, room: &str) -> Outcome {
        btrfs(&["qgroup", "limit", room], &self.folder())
    }

    fn make_room(&self, room: Room) -> Outcome {
        match room {
            Room::Quota => self.allow("24M"),
            Room::Memory | Room::Disk => Ok(std::fs::remove_file(self.at().join("ballast"))?),
        }
    }

    fn discard(self) -> Outcome {
        match self {
            Self::Memory(mounted) => mounted.unmount(),
            Self::Disk(disk) => disk.discard(),
        }
    }
}

fn btrfs(words: &[&str], at: &Path) -> Outcome {
    run(Command::new("btrfs").args(words).arg(at))
}

/// Fills a disk by several processes, and one that comes late; looks at it full, makes room and looks again.
fn run_out_of_room(job: &Job) -> Outcome {
    let (room, writers): (Room, u64) = job.plan()?;
    let place = Place::make(room, job.orders.path.parent().context("no folder")?)?;
    let user = (room == Room::Quota).then_some(FIRST);
    let folder = place.folder();
    if let Some(User { uid, gid, .. }) = user {
        chown(&folder, Some(uid), Some(gid))?;
    }
    let path = job.target.place(&folder);
    let hire = |work| Ok::<_, crate::failure::Failure>(as_user(Hire::new(job.target, &path, work)?, user));
    let fill = |writer: u64| hire("fill_up_and_go_on")?.plan(writer)?.start();
    let mut crew = (0..writers).map(fill).collect::<Outcome<Vec<_>>>()?;
    let mut tales = crew.iter_mut().map(|writer| writer.hear::<Tale>()).collect::<Outcome<Vec<_>>>()?;
    let done = tales.iter().any(|tale| !tale.done.is_empty());
    ensure!(done, "nothing was ever written on {room:?}");
    let mut late = fill(writers).context("one who comes to a full disk")?;
    tales.push(late.hear().context("one who comes to a full disk")?);
    crew.push(late);
    let check = |tales: &[Tale], read_only| {
        let check = hire("check_tales")?.plan(Check { tales: tales.to_owned(), read_only })?;
        check.start()?.finish::<()>().map(drop)
    };
    check(&tales, true).context("while the disk is full")?;
    place.make_room(room)?;
    tales.clear();
    for mut writer in crew {
        writer.say("there is room")?;
        tales.extend(writer.finish::<Tale>().context("with room again, on the same handle")?);
    }
    check(&tales, false).context("with room again, opened afresh")?;
    check(&tales, true).context("with room again, opened to read")?;
    place.discard()
}
