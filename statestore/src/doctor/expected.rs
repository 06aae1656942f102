//! Which rights a store has to have: those of its configuration, and where that is silent those that its own
//! files agree on.
//!
//! One file that an editor has replaced must not decide for all others, so data, gate, folder and the other
//! files are asked, and nothing gets more rights than two of them agree on.

use std::fs::Metadata;

use store_core::shared::access::Modes;
use store_core::shared::artefact::{Artefact, Kind};
use store_core::shared::os;
use store_core::shared::place::Place;
use store_core::{Access, Result, Settings};

use super::patient::look_at;

/// What the files of a store say of who shares it.
#[derive(Debug, Clone, Copy)]
struct Witness {
    mode: u32,
    owner: u32,
    group: u32,
}

impl Witness {
    fn of(found: &Metadata) -> Self {
        Self { mode: os::mode(found), owner: os::owner(found), group: os::group(found) }
    }
}

/// Settles the rights of a store with these artefacts.
///
/// # Errors
/// `ConfigInvalid` for a group that this machine does not have.
pub(super) fn modes(settings: &Settings, place: &Place, artefacts: &[Artefact]) -> Result<Modes> {
    let asked = Modes::settle(settings, place.folder())?;
    let witness = |path| Ok::<_, store_core::Error>(look_at(path)?.map(|found| Witness::of(&found)));
    let (data, gate, folder) = (witness(place.data())?, witness(&place.gate())?, witness(place.folder())?);
    let Some(data) = data else { return Ok(asked) };
    let found = || access(data, gate, folder, most_common(place, artefacts));
    let access = match (settings.access, &settings.group) {
        (Some(access), _) => access,
        (None, None) => found(),
        // A group that is named shares the store; whether all others may read it, the files tell.
        (None, Some(_)) if found() == Access::Shared => Access::Shared,
        (None, Some(_)) => Access::Group,
    };
    let group = match (&settings.group, access) {
        (Some(_), _) => asked.group,
        (None, Access::Private) => None,
        (None, _) => Some(group(data, gate, folder)),
    };
    let owner = (access == Access::Private).then(|| owner(data, gate, folder));
    Ok(Modes { owner, ..Modes::of(access, group) })
}

/// Returns whose a file is by its mode, if it is one that the store gives.
fn access_of(mode: u32) -> Option<Access> {
    let all = [Access::Private, Access::Group, Access::Shared];
    all.into_iter().find(|access| Modes::of(*access, None).file == mode)
}

/// Returns what most of the files say that are neither the data nor the gate.
fn most_common(place: &Place, artefacts: &[Artefact]) -> Option<Access> {
    let files = artefacts.iter().filter(|artefact| matches!(artefact.kind, Kind::File | Kind::Shared));
    let others = files.filter(|artefact| artefact.path != place.data());
    let found = others.filter_map(|artefact| artefact.path.symlink_metadata().ok());
    let said: Vec<Access> = found.filter_map(|found| access_of(os::mode(&found))).collect();
    let count = |access: &Access| said.iter().filter(|said| *said == access).count();
    said.iter().copied().max_by_key(count)
}

/// Who shares a store whose configuration does not say.
fn access(data: Witness, gate: Option<Witness>, folder: Option<Witness>, others: Option<Access>) -> Access {
    let gate_is_shared = gate.and_then(|gate| match gate.mode {
        0o600 => Some(false),
        0o660 => Some(true),
        _ => None,
    });
    let fits_gate =
        |access: &Access| gate_is_shared.is_none_or(|shared| shared == (*access != Access::Private));
    let said = access_of(data.mode);
    let hands_down = folder.is_some_and(|folder| folder.mode & 0o2000 != 0);
    said.filter(fits_gate)
        .or(others.filter(|others| fits_gate(others) || said == Some(*others)))
        .unwrap_or(if hands_down && gate_is_shared != Some(false) { Access::Group } else { Access::Private })
}

/// The group of a shared store whose configuration names none.
fn group(data: Witness, gate: Option<Witness>, folder: Option<Witness>) -> u32 {
    let handed_down = folder.filter(|folder| folder.mode & 0o2000 != 0).map(|folder| folder.group);
    match gate {
        Some(gate) if gate.group == data.group => data.group,
        _ => handed_down.unwrap_or(data.group),
    }
}

/// The owner of a private store: root is never made the owner of what is another's.
fn owner(data: Witness, gate: Option<Witness>, folder: Option<Witness>) -> u32 {
    let others = (gate.map(|gate| gate.owner), folder.map(|folder| folder.owner));
    match others {
        (Some(gate), Some(folder)) if gate == folder && gate != 0 => gate,
        _ => data.owner,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn of(mode: u32, group: u32) -> Witness {
        Witness { mode, owner: 7, group }
    }

    #[test]
    fn one_changed_file_does_not_decide_for_all() {
        let (plain, setgid) = (Some(of(0o755, 1)), Some(of(0o2770, 1)));
        for (data, gate, folder, expected) in [
            (0o600, 0o600, plain, Access::Private),
            (0o600, 0o600, setgid, Access::Private),
            (0o600, 0o660, setgid, Access::Group),
            (0o600, 0o660, plain, Access::Private),
            (0o644, 0o660, setgid, Access::Group),
            (0o644, 0o600, setgid, Access::Private),
            (0o644, 0o600, plain, Access::Private),
            (0o660, 0o644, plain, Access::Group),
            (0o664, 0o660, setgid, Access::Shared),
        ] {
            let found = access(of(data, 1), Some(of(gate, 1)), folder, None);
            assert_eq!(found, expected, "{data:o} {gate:o} {folder:?}");
        }
        for (data, gate, others) in [
            (0o600, 0o660, Access::Shared),
            (0o644, 0o660, Access::Shared),
            (0o664, 0o600, Access::Private),
            (0o600, 0o660, Access::Group),
            (0o660, 0o600, Access::Group),
        ] {
            let found = access(of(data, 1), Some(of(gate, 1)), plain, Some(others));
            assert_eq!(found, others, "{data:o} {gate:o}");
        }
    }

    #[test]
    fn two_of_three_name_the_group() {
        let setgid = Some(of(0o2770, 1));
        assert_eq!(group(of(0o660, 2), Some(of(0o660, 2)), setgid), 2);
        assert_eq!(group(of(0o660, 2), Some(of(0o660, 1)), setgid), 1);
        assert_eq!(group(of(0o660, 1), Some(of(0o660, 2)), setgid), 1);
        assert_eq!(group(of(0o660, 2), Some(of(0o660, 1)), Some(of(0o770, 3))), 2);
    }

    #[test]
    fn root_is_made_owner_of_nothing() {
        let by = |owner| Witness { owner, ..of(0o600, 1) };
        assert_eq!(owner(by(7), Some(by(0)), Some(by(0))), 7);
        assert_eq!(owner(by(0), Some(by(7)), Some(by(7))), 7);
        assert_eq!(owner(by(0), Some(by(7)), Some(by(0))), 0);
    }
}
