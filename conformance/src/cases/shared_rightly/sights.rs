//! What others see while a store comes into being: its rights are right, and its files whole, from the
//! first instant.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use store_core::{Blocking, ErrorKind, Options, Settings};

use crate::arena::Arena;
use crate::cases::works;
use crate::failure::{Context, Failure, Outcome, ensure};
use crate::job::{Job, Work};
use crate::members::{ALL, FIRST, HANDS_DOWN, OPEN, PLAIN, SECOND, as_user, give_to_group, shared_place};
use crate::rights::Rights;
use crate::target::{Artefact, Role, Shape};
use crate::watcher::{Sight, View, Watcher, watch};

pub(super) const WORKS: &[Work] = works![watch, create_again_and_again, open_what_may_be_there];

const ROUNDS: u64 = 12;

/// Creates a store at every path that it is told.
fn create_again_and_again(job: &Job) -> Outcome {
    while let Some(path) = job.hear::<Option<PathBuf>>()? {
        let mut options = Options::from_query(&job.orders.settings)?;
        let store = Blocking::new(job.target.open(&path, Settings::from_options(&mut options)?)?);
        store.close()?;
        job.say("created")?;
    }
    Ok(())
}

/// Three configurations: settings, mode of the folder, the rights they promise.
const CONFIGURATIONS: [(&str, u32, Rights); 3] = [
    ("group=65532", PLAIN, Rights::OF_GROUP),
    ("", HANDS_DOWN, Rights::OF_GROUP),
    ("access=shared&group=65532", OPEN, Rights::SHARED),
];

/// A process polls the folder while every user creates stores there, under umasks that shut out and let in.
pub(super) fn nobody_sees_an_artefact_with_other_rights_or_half_made(arena: &Arena) -> Outcome {
    let mut watcher = Watcher::start(arena)?;
    let mut round = 0;
    for (settings, mode, rights) in CONFIGURATIONS {
        for user in ALL {
            for umask in [0o077, 0o000] {
                let hire = arena.worker("create_again_and_again")?.settings(settings).umask(umask);
                let hire = as_user(hire, user);
                let mut creator = hire.start()?;
                for _ in 0..arena.commits(ROUNDS) {
                    round += 1;
                    // In every other round the store makes its own folders too.
                    let place = Place::new(arena, round, mode, round % 2 == 0)?;
                    let seen = watcher.during(&place.view(), || {
                        creator.say(Some(&place.path))?;
                        creator.hear::<String>().map(drop)
                    });
                    let what = format!("settings {settings:?}, umask {umask:03o}, user {user:?}");
                    place.check(&seen.context(&what)?, rights).context(what)?;
                }
                creator.say(None::<PathBuf>)?;
                creator.finish::<()>()?;
            }
        }
    }
    Ok(())
}

/// Where a store is made, and what is looked at meanwhile.
struct Place {
    path: PathBuf,
    artefacts: Vec<Artefact>,
    /// The folder that is there before.
    folder: PathBuf,
    /// The folders that the store makes.
    made: Vec<PathBuf>,
}

impl Place {
    fn new(arena: &Arena, round: usize, mode: u32, makes_folder: bool) -> Outcome<Self> {
        let folder = arena.folder().join(format!("round {round}"));
        std::fs::create_dir(&folder)?;
        give_to_group(&folder, mode)?;
        let mut made: Vec<PathBuf> = makes_folder.then(|| folder.join("made")).into_iter().collect();
        let path = arena.target.place(made.first().unwrap_or(&folder));
        if arena.target.shape() == Shape::Folder {
            made.push(path.clone());
        }
        Ok(Self { artefacts: arena.target.artefacts(&path), path, folder, made })
    }

    fn view(&self) -> View {
        let files = self.artefacts.iter().map(|artefact| artefact.path.clone());
        let folders = std::iter::once(&self.folder).chain(&self.made).cloned();
        View { files: files.chain(self.made.iter().cloned()).collect(), folders: folders.collect() }
    }

    fn check(&self, seen: &BTreeSet<Sight>, rights: Rights) -> Outcome {
        for sight in seen {
            let Sight { path, found, size } = sight;
            let artefact = self.artefacts.iter().find(|artefact| artefact.path == *path);
            let fits = match artefact {
                Some(artefact) => rights.fit(artefact.role, *found),
                None if self.made.contains(path) => rights.fit(Role::Data, *found),
                // A file on its way, where the filesystem has none without a name, is its maker's alone.
                None => found.is_its_makers_alone() || rights.fit(Role::Data, *found),
            };
            ensure!(fits, "seen: {}, mode {:04o}, {found:?}", path.display(), found.mode);
            if artefact.is_some_and(|artefact| artefact.role == Role::Data) && !found.is_folder {
                let whole = path.metadata()?.len();
                ensure!(*size == whole, "{} was seen with {size} of {whole} bytes", path.display());
            }
        }
        for artefact in &self.artefacts {
            let came = seen.iter().any(|sight| sight.path == artefact.path);
            ensure!(came || !artefact.path.exists(), "{} was never seen", artefact.path.display());
        }
        Ok(())
    }
}

const CREATIONS: usize = 40;

/// Opens again and again what another process is about to create; the plan is whether only to read.
fn open_what_may_be_there(job: &Job) -> Outcome {
    let read_only: bool = job.plan()?;
    job.say("opening")?;
    let until = std::time::Instant::now() + crate::wire::PATIENCE;
    let settings = || Settings::default().with_create(false).with_read_only(read_only);
    while std::time::Instant::now() < until {
        match job.target.open(&job.orders.path, settings()) {
            Ok(store) => {
                let store = Blocking::new(store);
                ensure!(store.namespaces()?.is_empty(), "the new store holds something");
                if !read_only {
                    store.put("n", "k", store_core::Json::from(1u64))?;
                }
                return Ok(store.close()?);
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(Failure::from(error)),
        }
    }
    Err(Failure::new("nobody created the store"))
}

/// Whoever looks for a store while another user creates it finds none, or one that works.
pub(super) fn whoever_opens_meanwhile_finds_no_store_or_a_whole_one(arena: &Arena) -> Outcome {
    let mut creator =
        arena.worker("create_again_and_again")?.settings("group=65532").umask(0o077).user(FIRST).start()?;
    for round in 0..CREATIONS {
        let path: &Path = &shared_place(arena, &format!("round {round}"), PLAIN)?;
        let opener = arena.worker_on(path, "open_what_may_be_there")?.plan(round % 2 == 0)?.user(SECOND);
        let mut opener = opener.start()?;
        opener.hear::<String>()?;
        creator.say(Some(path))?;
        creator.hear::<String>()?;
        opener.finish::<()>().context(format_args!("round {round}"))?;
    }
    creator.say(None::<PathBuf>)?;
    creator.finish::<()>().map(drop)
}
