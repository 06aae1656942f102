//! A tracer of system calls: it counts those that touch a store, fails one, kills at one, or records them.
//!
//! It is a mode of this very program that starts the worker as its child, follows it and all its threads,
//! and ends as the child ended. The child waits, before it reads its orders, until it is followed.

mod calls;
mod changes;
mod follow;
mod plan;
mod process;
mod record;

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};
use std::sync::OnceLock;

use nix::sys::ptrace;
use nix::sys::signal::{Signal, raise};

use crate::failure::{Context, Outcome};
pub(crate) use calls::Class;
pub(crate) use plan::{Act, Only, Plan, Point, Report};
pub(crate) use record::{Event, read_trace};

/// The environment variable that makes a process of this program a tracer, with its plan as JSON.
pub(crate) const TRACER: &str = "CONFORMANCE_TRACER";
/// The environment variable that tells a worker that its parent means to follow it.
const TRACED: &str = "CONFORMANCE_TRACED";

/// Traces and returns the exit code if this process was started as a tracer.
pub(crate) fn run_if_ordered() -> Option<ExitCode> {
    let plan = std::env::var(TRACER).ok()?;
    Some(match run(&plan) {
        Ok(code) => code,
        Err(failure) => {
            let line = crate::wire::Line::Failed(format!("the tracer: {failure}"));
            let _ = crate::job::tell(&line);
            ExitCode::FAILURE
        }
    })
}

fn run(plan: &str) -> Outcome<ExitCode> {
    let plan: Plan = serde_json::from_str(plan)?;
    let child = Command::new("/proc/self/exe")
        .arg0("conformance-traced")
        .env_remove(TRACER)
        .env(TRACED, "yes")
        .spawn()
        .context("cannot start the worker")?;
    let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id())?);
    let ended = follow::follow(pid, &plan)?;
    match ended {
        follow::Ended::Exited(code) => Ok(ExitCode::from(u8::try_from(code)?)),
        follow::Ended::Killed(signal) => {
            raise(signal)?;
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Waits until the parent follows this process, if it means to.
///
/// A signal stops the process for its tracer, and ends it if there is none any more.
pub(crate) fn wait_until_followed() -> Outcome {
    if std::env::var_os(TRACED).is_some() {
        ptrace::traceme().context("this process may not be traced")?;
        raise(Signal::SIGTRAP)?;
    }
    Ok(())
}

/// Says why a case that traces system calls cannot run here; none if it can.
pub(crate) fn why_not() -> Option<String> {
    static WHY: OnceLock<Option<String>> = OnceLock::new();
    if !cfg!(target_arch = "x86_64") {
        return Some("needs an x86-64, the only machine whose system calls the tracer knows".to_owned());
    }
    WHY.get_or_init(|| try_it().err().map(|why| format!("needs the right to trace a child: {why}"))).clone()
}

/// Traces a worker without orders, which ends at once.
fn try_it() -> Outcome {
    let folder = tempfile::tempdir()?;
    let report = folder.path().join("report");
    let plan = Plan::count(folder.path(), report.clone());
    let mut tracer = Command::new("/proc/self/exe");
    tracer.env(TRACER, serde_json::to_string(&plan)?).env(crate::wire::ORDERS, "{}");
    tracer.stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    Report::read(&report).map(drop)
}
