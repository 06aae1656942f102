//! How the document is replaced, with faults.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use store_core::shared::access::{Modes, explain_denial};
use store_core::shared::os::set_rights;
use store_core::{Error, Result};

use super::table::Mutant;
use crate::file::path_in;

/// Replaces the document; an error says whether anybody can see the new one.
pub(super) fn save(mutant: Mutant, folder: &Path, bytes: &[u8], modes: &Modes) -> Result<(), (Error, bool)> {
    let path = path_in(folder);
    let explain = |error| explain_denial("cannot replace", &path, error);
    if mutant == Mutant::TruncateInPlace {
        let written = File::options().write(true).truncate(true).open(&path).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        return written.map_err(|error| (explain(error), true));
    }
    let renamed =
        write_temporary(mutant, folder, bytes, modes).and_then(|temporary| rename(&temporary, &path));
    renamed.map_err(|error| (explain(error), false))?;
    if matches!(mutant, Mutant::RenameWithoutFolderSync | Mutant::AcknowledgedBeforeSync)
        || super::backend::syncs_later(mutant)
    {
        return Ok(());
    }
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(_) if mutant == Mutant::SyncFailureSwallowed => Ok(()),
        synced => synced.map_err(|error| (Error::from_sync("cannot sync the folder", folder, error), true)),
    }
}

/// Writes a file that is on its way, and returns its path.
fn write_temporary(mutant: Mutant, folder: &Path, bytes: &[u8], modes: &Modes) -> io::Result<PathBuf> {
    let path = folder.join(match mutant {
        Mutant::FixedTemporaryName => "state.json.tmp".to_owned(),
        Mutant::PerProcessTemporaryName => format!("state.json.{}.tmp", std::process::id()),
        _ => format!(".statestore-{:016x}.new", fastrand::u64(..)),
    });
    let mut options = File::options();
    options.write(true);
    match mutant {
        Mutant::FixedTemporaryName | Mutant::PerProcessTemporaryName => options.create(true).truncate(true),
        _ => options.create_new(true),
    };
    let trusts_the_umask = mutant == Mutant::UmaskTrusted;
    let mut file = options.mode(if trusts_the_umask { 0o666 } else { 0o600 }).open(&path)?;
    let filled = fill(mutant, &mut file, bytes, modes);
    filled.map(|()| path.clone()).inspect_err(|_| drop(std::fs::remove_file(&path)))
}

fn fill(mutant: Mutant, file: &mut File, bytes: &[u8], modes: &Modes) -> io::Result<()> {
    file.write_all(bytes)?;
    if !matches!(mutant, Mutant::UmaskTrusted | Mutant::CompanionForgotten) {
        set_rights(file, modes.file, modes.owner, modes.group)?;
    }
    match mutant {
        Mutant::RenameWithoutFileSync | Mutant::AcknowledgedBeforeSync => Ok(()),
        _ if super::backend::syncs_later(mutant) => Ok(()),
        Mutant::SyncFailureSwallowed => {
            let _ = file.sync_all();
            Ok(())
        }
        _ => file.sync_all(),
    }
}

#[expect(clippy::disallowed_methods, reason = "an engine that does everything by itself")]
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to).inspect_err(|_| drop(std::fs::remove_file(from)))
}

/// Makes what was saved survive the loss of power, where a commit does not.
pub(super) fn sync_later(folder: &Path) -> Result<()> {
    let path = path_in(folder);
    let synced = File::open(&path).and_then(|file| file.sync_data());
    synced.map_err(|error| Error::from_sync("cannot sync", &path, error))?;
    let named = File::open(folder).and_then(|folder| folder.sync_all());
    named.map_err(|error| Error::from_sync("cannot sync the folder", folder, error))
}
