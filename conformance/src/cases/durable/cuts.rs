//! Power cuts: at a random instant all that the disk holds is looked at as after a boot, while the writers
//! go on.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use fastrand::Rng;
use serde::{Deserialize, Serialize};
use store_core::Durability;

use super::survivors::{Ack, Ending, Says, Survived, Writer};
use crate::arena::{Arena, Hire};
use crate::cases::works;
use crate::counts::Count;
use crate::drill::{Cut, Disk, Filesystem, Ground, apart};
use crate::failure::{Context, Outcome, ensure};
use crate::job::{Job, Work};
use crate::rounds::Rounds;
use crate::worker::Worker;

pub(super) const WORKS: &[Work] = works![cut_the_power];

const WRITERS: u64 = 3;
/// How many cuts one disk goes through, which is filled meanwhile.
const CUTS_OF_A_DISK: usize = 20;
/// How many cuts the control may take to lose something.
const CUTS_OF_THE_CONTROL: u64 = 40;

/// What a drill is to do.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Plan {
    filesystem: Filesystem,
    cuts: Rounds,
    says: Says,
    seed: u64,
}

/// What a drill came to.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Report {
    cuts: u64,
    /// Cuts after which something was missing that had been acknowledged, in words.
    lost: Vec<String>,
    /// Cuts after which a file was whole that nobody had synced.
    unsynced_survived: u64,
    /// The highest number of a write that was there after a cut.
    found: u64,
}

/// Whatever is acknowledged under `power` is there after a power cut at any instant, batches are whole, logs
/// dense, revisions are not given again, the engine finds nothing wrong and the store takes writes.
pub(super) fn a_power_cut_on_ext4_loses_nothing_acknowledged(arena: &Arena) -> Outcome {
    survives_power_cuts(arena, Filesystem::Ext4)
}

/// The same on XFS.
pub(super) fn a_power_cut_on_xfs_loses_nothing_acknowledged(arena: &Arena) -> Outcome {
    survives_power_cuts(arena, Filesystem::Xfs)
}

fn survives_power_cuts(arena: &Arena, filesystem: Filesystem) -> Outcome {
    let plan =
        Plan { filesystem, cuts: arena.rounds(5, 300), says: Says::WhenSynced, seed: arena.chance().u64(..) };
    let report = drill(arena, "drill", plan)?;
    ensure!(report.lost.is_empty(), "after {} cuts: {}", report.cuts, report.lost.join("\n"));
    ensure!(report.cuts > 0 && report.found > 0, "nothing was written before any cut: {report:?}");
    let all = report.unsynced_survived < report.cuts;
    ensure!(all, "these cuts lose nothing at all, not even what nobody synced");
    // A drill that cannot fail proves nothing.
    let says = match arena.target.durability() {
        Durability::Process => Says::Unsynced,
        Durability::Power => Says::BeforeItWrites,
    };
    let control = drill(arena, "control", Plan { cuts: Rounds::exactly(CUTS_OF_THE_CONTROL), says, ..plan })?;
    let seen = !control.lost.is_empty();
    ensure!(seen, "{} cuts lost nothing of writers that acknowledge too early", control.cuts);
    Ok(())
}

fn drill(arena: &Arena, folder: &str, plan: Plan) -> Outcome<Report> {
    let drill = apart(arena, folder, "cut_the_power")?.plan(plan)?.start()?;
    // It says something after every cut, so that it never seems to hang.
    let said: Vec<Report> = drill.finish().context(format_args!("{plan:?}"))?;
    let report = said.into_iter().next_back().context("the drill came to nothing")?;
    arena.count(Count::Cuts, report.cuts);
    Ok(report)
}

/// Cuts power as often as the plan says, or until something is lost.
fn cut_the_power(job: &Job) -> Outcome {
    let plan: Plan = job.plan()?;
    let folder = job.orders.path.parent().context("no folder")?;
    let mut chance = Rng::with_seed(plan.seed);
    let mut report = Report::default();
    let ground = Ground::make(folder)?;
    let mut cuts = plan.cuts.go().peekable();
    while report.lost.is_empty() && cuts.peek().is_some() {
        let disk = ground.disk(plan.filesystem, "disk")?;
        let mut crew = Crew::start(job, disk.at(), plan.says)?;
        for _ in cuts.by_ref().take(CUTS_OF_A_DISK) {
            std::thread::sleep(Duration::from_micros(chance.u64(1_000..60_000)));
            crew.cut(job, &disk, &mut report)?;
            job.say(&report)?;
            if !report.lost.is_empty() {
                break;
            }
        }
        crew.end(job)?;
        disk.discard()?;
    }
    ground.discard()
}

/// The writers on one disk, and what they have acknowledged so far.
struct Crew {
    path: std::path::PathBuf,
    writers: BTreeMap<u64, (Worker, Ack)>,
    /// What was found of each after a cut.
    found: BTreeMap<u64, u64>,
}

impl Crew {
    fn start(job: &Job, disk: &Path, says: Says) -> Outcome<Self> {
        let folder = disk.join("store");
        std::fs::create_dir(&folder)?;
        let path = job.target.place(&folder);
        let mut writers = BTreeMap::new();
        let settings = format!("durability={}", says.durability().as_str());
        for number in 0..WRITERS {
            let hire = Hire::new(job.target, &path, "write_on")?.settings(&settings);
            writers.insert(number, (hire.plan(Writer { number, says })?.start()?, Ack::default()));
        }
        for (worker, _) in writers.values_mut() {
            worker.hear::<Ack>()?;
        }
        Ok(Self { path, writers, found: BTreeMap::new() })
    }

    /// Notes what is acknowledged, and only then cuts the power.
    fn cut(&mut self, job: &Job, disk: &Disk, report: &mut Report) -> Outcome {
        let unsynced = format!("nobody syncs {}", report.cuts);
        std::fs::File::create_new(disk.at().join(&unsynced))?.write_all(&[b'x'; 4096])?;
        for (worker, last) in self.writers.values_mut() {
            if let Some(ack) = worker.heard_by_now()?.pop() {
                *last = ack;
            }
        }
        let cut = Cut::of(disk)?;
        let after = cut.mount(disk)?;
        let path = after.at().join(self.path.strip_prefix(disk.at())?);
        let heard = self.writers.iter().map(|(number, (_, ack))| (*number, *ack)).collect();
        let hire = Hire::new(job.target, &path, "check_what_survived")?;
        let ending = Ending { heard, boot: format!("boot after cut {}", report.cuts) };
        let said: Vec<Survived> = hire.plan(ending)?.start()?.finish().context("after a power cut")?;
        let survived = said.into_iter().next().context("the check came to nothing")?;
        let bytes = std::fs::read(after.at().join(&unsynced)).unwrap_or_default();
        after.unmount()?;
        report.cuts += 1;
        report.unsynced_survived += u64::from(bytes == [b'x'; 4096]);
        report.lost.extend(survived.lost);
        for (writer, stands) in survived.stands {
            report.found = report.found.max(stands);
            let found = self.found.entry(writer).or_default();
            *found = stands.max(*found);
        }
        Ok(())
    }

    /// Ends the writers; no cut may have shown more than was ever written.
    fn end(self, job: &Job) -> Outcome {
        for (worker, _) in self.writers.into_values() {
            worker.kill::<Ack>()?;
        }
        let ending = Ending { heard: BTreeMap::new(), boot: "the last boot".to_owned() };
        let check = Hire::new(job.target, &self.path, "check_what_survived")?.plan(ending)?;
        let said: Vec<Survived> = check.start()?.finish().context("without a power cut")?;
        let survived = said.into_iter().next().context("the check came to nothing")?;
        for (writer, found) in self.found {
            let stands = survived.stands.get(&writer).copied().unwrap_or_default();
            ensure!(found <= stands, "a cut showed write {found} of writer {writer}, it made {stands}");
        }
        Ok(())
    }
}
