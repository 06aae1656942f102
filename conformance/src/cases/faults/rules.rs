//! Which error a step may end with when a call fails.
//!
//! Whether an acknowledgement that follows a failed sync can be trusted is not seen here, for a store may have
//! another way to make it good: a power cut shows it.

use nix::libc::{EDQUOT, EINTR, EIO, ENOSPC};

use super::steps::{Answer, Step};
use super::trial::{Run, is_commit};
use crate::failure::{Outcome, ensure};
use crate::tracer::{Class, Point};

/// Makes sure that the answers of a run in which one call failed are such as may follow.
///
/// Not every engine `tells` why a call failed.
pub(super) fn check(steps: &[Step], run: &Run, errno: i32, tells: bool) -> Outcome {
    let Some(hit) = run.report.hit.first() else { return Ok(()) };
    let mut failed = 0;
    for (at, answer) in run.answers.iter().enumerate() {
        let Answer::Failed { kind, words, .. } = answer else { continue };
        failed += 1;
        let fits = kind == "Indeterminate" && is_commit(steps.get(at))
            || kinds(hit, errno, tells).contains(&kind.as_str());
        ensure!(fits, "step {at} failed with the wrong kind, {kind}: {words}");
    }
    ensure!(failed <= 1 || run.report.hit.len() > 1, "one failure became {failed}");
    Ok(())
}

/// Returns the kinds of errors that tell of a failed call.
fn kinds(hit: &Point, errno: i32, tells: bool) -> &'static [&'static str] {
    let takes_room = matches!(hit.class, Class::Write | Class::Name | Class::Size);
    match errno {
        EIO if !tells && hit.class == Class::Read => &["Io", "StorageFull", "Corrupted"],
        EINTR if !tells && hit.class == Class::Lock => &["Io", "StorageFull", "Busy"],
        _ if !tells => &["Io", "StorageFull"],
        ENOSPC | EDQUOT if takes_room => &["StorageFull"],
        ENOSPC | EDQUOT => &["StorageFull", "Io"],
        // SQLite, as others, takes a lock that was interrupted for one that is held.
        EINTR if hit.class == Class::Lock => &["Io", "Busy"],
        EIO | EINTR => &["Io"],
        _ => &[],
    }
}
