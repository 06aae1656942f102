//! Where a mirror may lie, its lock, and the rights of what is in it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::config::{Access, Settings};
use crate::error::{Error, ErrorKind, Result};
use crate::shared::access::{Modes, explain_denial};
use crate::shared::files;
use crate::shared::gate::{Gate, GateGuard};
use crate::shared::os;
use crate::shared::place::{Place, Shape};
use crate::store::StoreInfo;

/// How long to rest before asking for the lock again, at first and at most.
const FIRST_REST: Duration = Duration::from_millis(1);
const LONGEST_REST: Duration = Duration::from_millis(20);

/// The folder of a mirror.
#[derive(Debug)]
pub(super) struct Folder {
    place: Place,
    gate: Gate,
    pub(super) modes: Modes,
}

impl Folder {
    /// Settles where the mirror of a store lies; nothing is made yet.
    ///
    /// # Errors
    /// `ConfigInvalid` for a place that cannot hold the mirror of this store; `PermissionDenied` or `Io` if the
    /// path cannot be resolved.
    pub(super) fn settle(dir: &Path, store: &StoreInfo) -> Result<Self> {
        let absolute =
            std::path::absolute(dir).map_err(|e| Error::from_io("cannot resolve the path", dir, e))?;
        let place = Place::resolve(&absolute, Shape::Folder)?;
        check_apart(place.path(), &store.path)?;
        let modes = store.modes.unwrap_or(Modes::of(Access::Private, None));
        let folder = Self { gate: Gate::new(place.path().join(".mirror.gate"), modes), place, modes };
        folder.check()?;
        Ok(folder)
    }

    /// Returns the absolute path.
    pub(super) fn path(&self) -> &Path {
        self.place.path()
    }

    /// Returns the path of a file in it.
    pub(super) fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Refuses what cannot be the folder of a mirror; that it is not there yet is no reason.
    fn check(&self) -> Result<()> {
        self.place.check_filesystem(&Settings::default())?;
        let path = self.path();
        let found = match path.metadata() {
            Ok(found) => found,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(explain_denial("cannot look at the folder of the mirror", path, e)),
        };
        if !found.is_dir() {
            return refuse(path, "is not a folder, as the place of a mirror must be; name another path");
        }
        if os::mode(&found) & 0o1000 != 0 {
            let rights = os::describe_rights(&found);
            let why = format!(
                "is sticky ({rights}), so users cannot replace each other's files in it; make a folder \
                               of its own for the mirror"
            );
            return refuse(path, &why);
        }
        Ok(())
    }

    /// Makes the folder if it is missing, takes its lock, and clears away what killed writers left.
    ///
    /// # Errors
    /// `Busy` names who holds the lock; those of [`settle`](Self::settle) and of making files.
    pub(super) fn enter(&self, within: Duration) -> Result<GateGuard<'_>> {
        files::create_folder(self.path(), &self.modes)?;
        self.check()?;
        let held = self.lock(within)?;
        files::sweep_files(self.path());
        files::sweep(self.path());
        Ok(held)
    }

    /// Asks again and again instead of waiting in the kernel: so the wait has an end, and nobody leaves a
    /// ticket that is never served.
    fn lock(&self, within: Duration) -> Result<GateGuard<'_>> {
        let deadline = Instant::now() + within;
        let mut rest = FIRST_REST;
        loop {
            if let Some(held) = self.gate.try_acquire("mirror")? {
                return Ok(held);
            }
            if Instant::now() >= deadline {
                let why = format!(
                    "the lock of the mirror is held by {}; find out why it does not go on, the store itself is not \
                     held up",
                    self.gate.holder()
                );
                return Err(Error::new(ErrorKind::Busy, why).with_path(self.gate.path()));
            }
            std::thread::sleep(rest.mul_f64(0.5 + fastrand::f64()));
            rest = (rest * 2).min(LONGEST_REST);
        }
    }
}

/// Refuses a folder in which the files of the mirror and those of the store could meet.
fn check_apart(dir: &Path, store: &Path) -> Result<()> {
    if dir == store {
        return refuse(dir, "is the store itself; name another folder for its mirror");
    }
    if dir.starts_with(store) {
        return refuse(dir, "lies inside the store's own folder; name one outside for its mirror");
    }
    if store.parent() == Some(dir) {
        let why = format!(
            "holds the store, {}; a mirror has a folder of its own, name one such as {}",
            store.display(),
            dir.join("mirror").display()
        );
        return refuse(dir, &why);
    }
    Ok(())
}

fn refuse<T>(path: &Path, why: &str) -> Result<T> {
    Err(Error::new(ErrorKind::ConfigInvalid, why).with_path(path))
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn places_that_cannot_hold_a_mirror_are_refused() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        for folder in ["own", "own/in", "sticky", "free"] {
            std::fs::create_dir(root.join(folder)).unwrap();
        }
        std::fs::File::create_new(root.join("file")).unwrap();
        set_permissions(root.join("sticky"), Permissions::from_mode(0o1777)).unwrap();
        std::os::unix::fs::symlink(root.join("own"), root.join("link")).unwrap();
        let info = StoreInfo::new("memory", "1", root.join("own"));
        for (dir, part) in [
            ("own", "the store itself"),
            ("link", "the store itself"),
            ("own/in", "inside the store"),
            ("link/none/yet", "inside the store"),
            ("", "holds the store"),
            ("free/../link", "the store itself"),
            ("sticky", "is sticky"),
            ("file", "not a folder"),
        ] {
            let error = Folder::settle(&root.join(dir), &info).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{dir}: {error}");
            assert!(error.to_string().contains(part), "{dir}: {error}");
        }
        for dir in ["free", "not/yet/there"] {
            Folder::settle(&root.join(dir), &info).unwrap();
        }
    }

    #[test]
    fn who_waits_for_the_lock_is_told_who_holds_it() {
        let root = tempfile::tempdir().unwrap();
        let info = StoreInfo::new("memory", "1", root.path().join("s"));
        let settle = || Folder::settle(&root.path().join("m"), &info).unwrap();
        let (a, b) = (settle(), settle());
        let held = a.enter(Duration::ZERO).unwrap();
        let busy = b.enter(Duration::from_millis(5)).unwrap_err();
        assert_eq!(busy.kind(), ErrorKind::Busy);
        assert!(busy.to_string().contains(&format!("pid {}", std::process::id())), "{busy}");
        drop(held);
        drop(b.enter(Duration::ZERO).unwrap());
        assert_eq!(os::mode(&a.path().metadata().unwrap()), 0o700);
    }
}
