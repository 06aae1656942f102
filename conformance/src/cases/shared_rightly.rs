//! Promise 7: every artefact has the configured rights from the first instant, whoever creates it.

mod interrupted;
mod members;
mod mended;
mod outsider;
mod readers;
mod sights;
mod unprivileged;
mod upkeep;

use std::os::unix::fs::MetadataExt;

use store_core::{ErrorKind, Json};

use super::{Case, cases};
use crate::arena::Arena;
use crate::failure::{Outcome, Refused, ensure, ensure_eq};
use crate::job::{Job, Work};
use crate::users::{User, why_not_root};

use interrupted::{a_kill_amid_creation_locks_nobody_out, a_kill_amid_the_making_of_folders_leaves_nothing};
use members::{
    a_folder_that_hands_its_group_down_shares_a_store_whoever_creates_it,
    a_named_group_shares_a_store_whoever_creates_it, a_private_store_is_its_creators_alone_wherever_it_lies,
    a_shared_store_is_written_by_its_group_whoever_creates_it, folders_are_made_with_the_rights_of_the_store,
    two_users_who_start_together_share_one_store,
};
use mended::{
    a_gate_that_was_removed_is_made_anew_with_the_same_rights, nothing_is_made_anew_for_reading_only,
    what_is_made_anew_has_the_same_rights_and_nothing_is_lost, what_root_makes_anew_its_owner_may_use,
    who_may_not_make_it_anew_is_denied_and_changes_nothing,
};
use outsider::{
    an_outsider_cannot_hold_the_gate, an_outsider_is_refused_in_words_that_help,
    an_outsider_reads_a_shared_store_and_changes_nothing,
};
use readers::who_may_only_read_reads_or_is_told_and_is_in_nobodys_way;
use sights::{
    nobody_sees_an_artefact_with_other_rights_or_half_made,
    whoever_opens_meanwhile_finds_no_store_or_a_whole_one,
};
use unprivileged::{
    a_folder_that_may_not_be_written_gets_no_store, a_group_that_cannot_be_given_leaves_nothing,
    whoever_may_not_change_rights_works_all_the_same,
};

use upkeep::{
    a_kernel_that_protects_files_lets_the_group_share, upkeep_by_whoever_comes_to_it_keeps_the_rights,
};

pub(super) const CASES: &[Case] = cases![
    a_private_store_is_private_under_every_umask,
    a_private_store_shuts_others_out needs why_not_root,
    a_private_store_is_its_creators_alone_wherever_it_lies needs why_not_root,
    a_named_group_shares_a_store_whoever_creates_it needs why_not_root,
    a_folder_that_hands_its_group_down_shares_a_store_whoever_creates_it needs why_not_root,
    a_shared_store_is_written_by_its_group_whoever_creates_it needs why_not_root,
    folders_are_made_with_the_rights_of_the_store needs why_not_root,
    two_users_who_start_together_share_one_store needs why_not_root,
    nobody_sees_an_artefact_with_other_rights_or_half_made needs why_not_root,
    whoever_opens_meanwhile_finds_no_store_or_a_whole_one needs why_not_root,
    a_kill_amid_creation_locks_nobody_out needs why_not_root,
    a_kill_amid_the_making_of_folders_leaves_nothing needs why_not_root,
    an_outsider_is_refused_in_words_that_help needs why_not_root,
    an_outsider_cannot_hold_the_gate needs why_not_root,
    an_outsider_reads_a_shared_store_and_changes_nothing needs why_not_root,
    whoever_may_not_change_rights_works_all_the_same needs why_not_root,
    a_group_that_cannot_be_given_leaves_nothing needs why_not_root,
    a_folder_that_may_not_be_written_gets_no_store needs why_not_root,
    what_is_made_anew_has_the_same_rights_and_nothing_is_lost needs why_not_root,
    a_gate_that_was_removed_is_made_anew_with_the_same_rights needs why_not_root,
    what_root_makes_anew_its_owner_may_use needs why_not_root,
    nothing_is_made_anew_for_reading_only needs why_not_root,
    who_may_not_make_it_anew_is_denied_and_changes_nothing needs why_not_root,
    who_may_only_read_reads_or_is_told_and_is_in_nobodys_way needs why_not_root,
    upkeep_by_whoever_comes_to_it_keeps_the_rights needs why_not_root,
    a_kernel_that_protects_files_lets_the_group_share needs why_no_setting => alone,
];

pub(super) const WORKS: &[&[Work]] = &[
    interrupted::WORKS,
    members::WORKS,
    mended::WORKS,
    outsider::WORKS,
    readers::WORKS,
    sights::WORKS,
    unprivileged::WORKS,
    upkeep::WORKS,
    super::works![create_and_write, be_shut_out],
];

/// Says why a case that changes a setting of the kernel cannot run here; none if it can.
fn why_no_setting() -> Option<String> {
    let opened = std::fs::File::options().write(true).open("/proc/sys/fs/protected_regular");
    opened.is_err().then(|| "needs the right to set fs.protected_regular".to_owned())
}

fn create_and_write(job: &Job) -> Outcome {
    let store = job.open()?;
    store.put("n", "k", Json::from(1u64))?;
    store.append("n", "log", Json::from(1u64))?;
    store.close()?;
    Ok(())
}

fn a_private_store_is_private_under_every_umask(arena: &Arena) -> Outcome {
    for mask in [0o077, 0o027, 0o022, 0o000, 0o777] {
        let path = arena.place(&format!("umask {mask:03o}"))?;
        arena.worker_on(&path, "create_and_write")?.umask(mask).start()?.finish::<()>()?;
        for artefact in arena.target.artefacts(&path) {
            let Ok(metadata) = artefact.path.metadata() else { continue };
            let private = if metadata.is_dir() { 0o700 } else { 0o600 };
            let mode = metadata.mode() & 0o7777;
            ensure_eq!(
                format!("{mode:o}"),
                format!("{private:o}"),
                "{} ({mask:03o})",
                artefact.path.display()
            );
        }
    }
    Ok(())
}

fn be_shut_out(job: &Job) -> Outcome {
    let error = job.open().refused(ErrorKind::PermissionDenied)?;
    ensure!(error.path().is_some(), "the error names no path: {error}");
    for artefact in job.target.artefacts(&job.orders.path) {
        let opened = std::fs::File::open(&artefact.path);
        ensure!(opened.is_err(), "{} can be opened", artefact.path.display());
    }
    Ok(())
}

fn a_private_store_shuts_others_out(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    store.put("n", "k", Json::from(1u64))?;
    for settings in ["", "read_only=true"] {
        let outsider = arena.worker("be_shut_out")?.settings(settings).user(User::OUTSIDER);
        outsider.start()?.finish::<()>()?;
    }
    Ok(())
}
