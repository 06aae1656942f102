//! Places that cannot hold a store, and odd ones that can.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::sys::stat::Mode;
use store_core::{Blocking, ErrorKind, Json, Seams, Settings};

use crate::arena::{Arena, patient};
use crate::cases::works;
use crate::failure::{Context, Outcome, Refused, ensure, ensure_eq};
use crate::job::{Job, Work};
use crate::prints::{Prints, prints};
use crate::target::{Role, Shape, artefact, folder_of};
use crate::values::{entry, listing};

pub(super) const WORKS: &[Work] = works![fill];

/// Makes a folder that no check looks at after the case, for what is refused.
pub(super) fn folder(arena: &Arena, name: &str) -> Outcome<PathBuf> {
    let folder = arena.folder().join(name);
    std::fs::create_dir(&folder)?;
    Ok(folder)
}

/// Makes the folder of a store that is one, for something to be put there.
pub(super) fn make_room(arena: &Arena, path: &Path) -> Outcome {
    let folder = folder_of(arena.target, path)?;
    if !folder.is_dir() {
        std::fs::create_dir(folder)?;
    }
    Ok(())
}

fn fill(job: &Job) -> Outcome {
    let store = job.open()?;
    for n in 0..20_u64 {
        store.put("n", &format!("key {n}"), Json::from("x".repeat(500)))?;
        store.append("n", "log", Json::from(n))?;
    }
    Ok(store.close()?)
}

/// Makes a store with something in it, in a process of its own, so that nobody has anything of it open.
pub(super) fn filled(arena: &Arena, name: &str) -> Outcome<PathBuf> {
    let path = arena.target.place(&folder(arena, name)?);
    arena.worker_on(&path, "fill")?.start()?.finish::<()>()?;
    Ok(path)
}

/// Opens in every way, and expects the same refusal of each and that nothing in the folder is changed.
#[track_caller]
pub(super) fn refuses(arena: &Arena, path: &Path, settings: &Settings, kind: ErrorKind) -> Outcome {
    let before = prints(arena.target, path)?;
    let ways = [
        settings.clone(),
        settings.clone().with_create(false),
        settings.clone().with_read_only(true),
        settings.clone().with_group("0"),
    ];
    for settings in ways {
        let error = arena.target.open(path, settings.clone()).refused(kind).context(path.display())?;
        ensure!(error.path().is_some() || settings.seams != Seams::default(), "no path in: {error}");
        ensure!(error.message().len() > 10, "the words do not help: {error}");
        ensure_eq!(prints(arena.target, path)?, before, "the files after: {error}");
    }
    Ok(())
}

pub(super) fn a_network_filesystem_is_refused(arena: &Arena) -> Outcome {
    let seams = Seams { filesystem: Some("nfs".into()), ..Seams::default() };
    let settings = Settings::default().with_seams(seams);
    for path in [filled(arena, "filled")?, arena.target.place(&folder(arena, "empty")?)] {
        refuses(arena, &path, &settings, ErrorKind::ConfigInvalid)?;
        let error = arena.target.open(&path, settings.clone()).refused(ErrorKind::ConfigInvalid)?;
        ensure!(error.to_string().contains("nfs"), "it does not name the filesystem: {error}");
    }
    Ok(())
}

pub(super) fn an_unfit_engine_is_refused(arena: &Arena) -> Outcome {
    let Some(version) = arena.target.unfit_version() else { return Ok(()) };
    for version in [version, 0] {
        let seams = Seams { engine_version: Some(version), ..Seams::default() };
        let settings = Settings::default().with_seams(seams);
        for name in ["filled", "empty"] {
            let name = format!("{name} {version}");
            let path = if name.starts_with('f') {
                filled(arena, &name)?
            } else {
                arena.target.place(&folder(arena, &name)?)
            };
            refuses(arena, &path, &settings, ErrorKind::IncompatibleFormat)?;
        }
    }
    Ok(())
}

pub(super) fn a_sticky_folder_is_refused(arena: &Arena) -> Outcome {
    let set = |folder: &Path, mode: u32| -> Outcome {
        Ok(std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode))?)
    };
    for path in [filled(arena, "filled")?, arena.target.place(&folder(arena, "empty")?)] {
        make_room(arena, &path)?;
        for mode in [0o1777, 0o1755, 0o3770] {
            set(&folder_of(arena.target, &path)?, mode)?;
            refuses(arena, &path, &Settings::default(), ErrorKind::ConfigInvalid)?;
        }
    }
    // What lies above the folder of a store concerns nobody, as little as /tmp does.
    let above = folder(arena, "above")?;
    set(&above, 0o1777)?;
    let path = match arena.target.shape() {
        Shape::File => arena.target.place(&above.join("below")),
        Shape::Folder => arena.target.place(&above),
    };
    let store = Blocking::new(arena.target.open(&path, Settings::default())?);
    store.put("n", "k", Json::from(1u64))?;
    ensure_eq!(entry(&store, "n", "k")?.value, Json::from(1u64));
    Ok(())
}

/// Each name of a file with several would get companions and a gate of its own.
pub(super) fn a_file_with_two_names_is_refused(arena: &Arena) -> Outcome {
    let path = filled(arena, "filled")?;
    let data = artefact(arena.target, &path, Role::Data)?;
    let other = arena.target.place(&folder(arena, "other")?);
    make_room(arena, &other)?;
    std::fs::hard_link(&data, artefact(arena.target, &other, Role::Data)?)?;
    refuses(arena, &path, &Settings::default(), ErrorKind::ConfigInvalid)?;
    refuses(arena, &other, &Settings::default(), ErrorKind::ConfigInvalid)?;
    std::fs::remove_file(&data)?;
    std::fs::hard_link(artefact(arena.target, &other, Role::Data)?, &data)?;
    std::fs::remove_file(artefact(arena.target, &other, Role::Data)?)?;
    let store = Blocking::new(arena.target.open(&path, Settings::default())?);
    ensure_eq!(store.object("n")?.entries.len(), 20, "with one name again");
    Ok(())
}

/// A folder or a pipe where the data should be.
pub(super) fn what_is_no_file_is_refused(arena: &Arena) -> Outcome {
    type Make = fn(&Path) -> Outcome;
    let makes: [(&str, Make); 2] = [
        ("folder", |path| Ok(std::fs::create_dir(path)?)),
        ("pipe", |path| Ok(nix::unistd::mkfifo(path, Mode::S_IRWXU)?)),
    ];
    for (name, make) in makes {
        let path = arena.target.place(&folder(arena, name)?);
        make_room(arena, &path)?;
        make(&artefact(arena.target, &path, Role::Data)?)?;
        refuses(arena, &path, &Settings::default(), ErrorKind::ConfigInvalid).context(name)?;
    }
    if arena.target.shape() == Shape::Folder {
        let path = arena.target.place(&folder(arena, "a pipe for a folder")?);
        nix::unistd::mkfifo(&path, Mode::S_IRWXU)?;
        refuses(arena, &path, &Settings::default(), ErrorKind::ConfigInvalid)?;
    }
    Ok(())
}

/// Attempts that cannot succeed name the place and leave nothing.
pub(super) fn a_path_that_cannot_be_is_refused(arena: &Arena) -> Outcome {
    let folder = folder(arena, "folder")?;
    std::fs::File::create_new(folder.join("file"))?;
    let too_long = "n".repeat(255);
    let mut paths = vec![
        arena.target.place(&folder.join("file")),
        arena.target.place(&folder.join("file/below")),
        folder.join(format!("{too_long}{too_long}")),
        arena.target.place(&folder.join(format!("{too_long}{too_long}"))),
    ];
    if arena.target.shape() == Shape::File {
        // The file itself could be, but not what belongs to it.
        paths.push(folder.join(&too_long));
    }
    let before: Prints = prints(arena.target, &folder.join("file"))?;
    for path in paths {
        let Err(error) = arena.target.open(&path, patient(arena.target, Settings::default())) else {
            ensure!(false, "a store was opened at {}", path.display());
            continue;
        };
        let kinds = [ErrorKind::ConfigInvalid, ErrorKind::Io];
        ensure!(kinds.contains(&error.kind()) && error.path().is_some(), "{error}");
        ensure_eq!(prints(arena.target, &folder.join("file"))?, before, "what it left: {error}");
    }
    Ok(())
}

/// A link that leads nowhere is neither a store nor a place for one; whatever becomes of it is said, and
/// either all of a store is made or nothing.
pub(super) fn a_link_that_leads_nowhere_is_no_store(arena: &Arena) -> Outcome {
    let folder = folder(arena, "folder")?;
    let path = arena.target.place(&folder);
    std::os::unix::fs::symlink(folder.join("nowhere"), &path)?;
    let before = prints(arena.target, &path)?;
    match arena.target.open(&path, patient(arena.target, Settings::default())) {
        Ok(store) => {
            let store = Blocking::new(store);
            store.put("n", "k", Json::from(1u64))?;
            ensure_eq!(entry(&store, "n", "k")?.value, Json::from(1u64));
        }
        Err(error) => {
            ensure!(error.kind() == ErrorKind::ConfigInvalid, "a link that leads nowhere: {error}");
            ensure_eq!(prints(arena.target, &path)?, before, "what it left: {error}");
        }
    }
    Ok(())
}

/// Names that mean something in a URL, a shell or an engine are only names.
pub(super) fn odd_names_of_files_and_folders_work(arena: &Arena) -> Outcome {
    let odd: [&[u8]; 14] = [
        b"a?mode=ro",
        b"a#b",
        b"two words",
        "emoji \u{1f980}".as_bytes(),
        b"100%25",
        b":memory:",
        b"file:x",
        b"-wal",
        b"it's \"quoted\"",
        b"line\nbreak",
        b"a&b=c;d",
        b"back\\slash",
        b".hidden",
        b"not \xff UTF-8",
    ];
    for (name, number) in odd.map(OsStr::from_bytes).into_iter().zip(0..) {
        let made = folder(arena, &format!("name {number}"))?;
        for path in [made.join(name), arena.target.place(&made.join("folders").join(name))] {
            let what = format!("{}", path.display());
            let open = || arena.target.open(&path, Settings::default()).map(Blocking::new).context(&what);
            let store = open()?;
            store.put("n", "k", Json::from(7u64))?;
            store.close()?;
            ensure_eq!(entry(&open()?, "n", "k")?.value, Json::from(7u64), "{what}");
            ensure_eq!(open()?.info()?.path, path.canonicalize()?, "{what}");
            let parent = path.parent().context("no folder")?;
            let expected = match arena.target.shape() {
                Shape::File => arena.target.artefacts(&parent.join("plain")).len(),
                Shape::Folder => 1,
            };
            let found = listing(parent)?.into_iter().filter(|name| name != "folders").count();
            ensure_eq!(found, expected, "what lies beside {what}");
        }
    }
    Ok(())
}
