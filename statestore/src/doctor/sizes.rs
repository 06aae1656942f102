//! What the files themselves tell without being opened: whether one nears its limit, and when the last write
//! was.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use store_core::Timestamp;
use store_core::shared::artefact::Kind;

use super::patient::Patient;
use super::report::Finding;
use super::words::{size, time};

/// How far a file's time may be ahead: clocks of files are coarse.
const AHEAD: Duration = Duration::from_secs(2);

/// Looks at the files that are kept below a size.
pub(super) fn look(patient: &Patient<'_>) -> Vec<Finding> {
    const CHECK: &str = "log size";
    let limited = patient.artefacts.iter().filter_map(|artefact| {
        let limit = artefact.limit?;
        let bytes = artefact.path.symlink_metadata().ok()?.len();
        let why = format!("has {}, is kept below {}", size(bytes), size(limit));
        Some(if bytes < limit / 4 * 3 {
            Finding::ok(CHECK, &artefact.path, why)
        } else {
            let why = format!(
                "{why}: it grows while somebody reads an old snapshot, and then writes fail; end the reader that a \
                 write names"
            );
            Finding::warning(CHECK, &artefact.path, why).with_mend("raise wal_limit")
        })
    });
    limited.collect()
}

/// Compares the clock with the last write: the latest that the store itself knows, or that a file bears.
pub(super) fn clock(patient: &Patient<'_>, last: Option<Timestamp>) -> Finding {
    const CHECK: &str = "clock";
    let files = patient.artefacts.iter().filter(|artefact| artefact.kind == Kind::File);
    let files = files.filter_map(|artefact| {
        let changed = artefact.path.symlink_metadata().ok()?.modified().ok()?;
        Some((changed, &*artefact.path))
    });
    let known = last.map(|at| (UNIX_EPOCH + Duration::from_millis(at.as_millis()), patient.place.path()));
    let Some((at, subject)) = files.chain(known).max() else {
        return Finding::ok(CHECK, patient.place.path(), "there was no write yet");
    };
    match at.duration_since(SystemTime::now()) {
        Ok(ahead) if ahead > AHEAD => {
            let why = format!(
                "was last written {} in the future: the clock of this machine is behind, or was ahead then; revisions \
                 and order are not concerned, times of entries are",
                time(ahead)
            );
            Finding::warning(CHECK, subject, why).with_mend("timedatectl")
        }
        _ => {
            let ago = SystemTime::now().duration_since(at).unwrap_or_default();
            Finding::ok(CHECK, subject, format!("was last written {} ago", time(ago)))
        }
    }
}
