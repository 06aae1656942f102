//! Who holds the gate, and whether a failed sync has left something in doubt; the gate is not taken.

use std::io;

use store_core::shared::gate::Holder;
use store_core::shared::os;

use super::patient::Patient;
use super::report::Finding;
use super::words::{FIX, time};

const GATE: &str = "gate";
const SYNC: &str = "sync";

/// Looks at both.
pub(super) fn look(patient: &Patient<'_>) -> Vec<Finding> {
    let gate = patient.gate();
    let path = gate.path();
    let (holder, is_marked) = gate.inspect();
    let timeout = patient.settings().timeout;
    let holder = match holder {
        Holder::Nobody => Finding::ok(GATE, path, "nobody holds it"),
        Holder::Process(words) => match gate.held_for() {
            Some(held) if held > timeout => {
                let why = format!(
                    "is held by {words}: longer than the timeout of {}, so that writes fail; see what that process \
                     does, and end it if it hangs",
                    time(timeout)
                );
                Finding::warning(GATE, path, why)
            }
            _ => Finding::ok(GATE, path, format!("is held by {words}")),
        },
        Holder::Unknown => Finding::warning(GATE, path, "it cannot be told who holds it"),
    };
    let sync = match os::may_read(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let why =
                format!("{} may not see whether a sync failed; ask as one who writes", os::describe_self());
            Finding::ok(SYNC, path, why)
        }
        _ if is_marked => {
            let why = "a sync failed: what was written may be lost with power, and nobody acknowledges a write until \
                       it is written anew, as the next writer does; check the disk";
            Finding::fault(SYNC, path, why).with_mend(FIX)
        }
        _ => Finding::ok(SYNC, path, "no sync has failed"),
    };
    vec![holder, sync]
}
