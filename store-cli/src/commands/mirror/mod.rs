//! `mirror`: a folder of JSON files that shows what the store holds.

mod follow;
mod watch;

use statestore::{Mirror, MirrorAction, MirrorCheck, MirrorConfig, MirrorPass, MirrorState};

use super::place;
use crate::args::{MirrorArgs, StoreArgs};
use crate::exit::{Code, Failure};
use crate::output::{self, Output, quoted};
use crate::signals;

/// Does with the mirror what is asked.
pub(super) fn run(args: &StoreArgs, mirror: &MirrorArgs) -> Result<(), Failure> {
    let config = config(args, mirror)?;
    if mirror.follow {
        // Before the store starts threads of its own.
        let heard = signals::listen()?;
        return follow::run(&place::reading(args)?, config, &heard);
    }
    let store = place::reading(args)?;
    let written = store.mirror(config)?;
    if mirror.check { check(&written) } else { printed(written.write(None)?) }
}

/// Returns the configured mirror, with what the command line says otherwise.
fn config(args: &StoreArgs, mirror: &MirrorArgs) -> Result<MirrorConfig, Failure> {
    let configured = place::config(args)?.mirror().cloned();
    let config = match (&mirror.dir, configured) {
        (Some(dir), Some(configured)) => MirrorConfig { dir: dir.clone(), ..configured },
        (Some(dir), None) => MirrorConfig::new(dir),
        (None, Some(configured)) => configured,
        (None, None) => {
            let why = "no mirror is named; give --dir DIR, or configure one: a table [mirror] with dir in the store's \
                       file, or mirror=DIR in its URL";
            return Err(Failure::told(Code::Usage, why));
        }
    };
    let config = match mirror.namespace.as_slice() {
        [] => config,
        named => config.with_namespaces(named.iter().map(String::as_str)),
    };
    Ok(match mirror.logs {
        Some(logs) => config.with_logs(logs),
        None => config,
    })
}

/// Prints what a pass did; what it could not do is a failure, said in full.
fn printed(pass: MirrorPass) -> Result<(), Failure> {
    let mut out = Output::new();
    for change in &pass.changes {
        let head = head(&change.file.to_string_lossy(), &change.namespace, change.log.as_deref());
        let action = match change.action {
            MirrorAction::Written => "written",
            MirrorAction::Removed => "removed",
        };
        out.line(format_args!(r#"{{{head},"action":"{action}","revision":{}}}"#, change.revision))?;
    }
    out.flush()?;
    let mut failed = pass.failed.into_iter().map(|(_, error)| error);
    let Some(first) = failed.next() else { return Ok(()) };
    failed.for_each(output::say);
    Err(first.into())
}

fn check(mirror: &Mirror) -> Result<(), Failure> {
    let found = mirror.check(None)?;
    let mut out = Output::new();
    for check in &found {
        out.line(format_args!("{}", line(check)))?;
    }
    out.flush()?;
    let count = |states: &[MirrorState]| found.iter().filter(|check| states.contains(&check.state)).count();
    let tally = |state: MirrorState| format!("{} {}", count(&[state]), state.as_str());
    let (worse, bad) =
        ([MirrorState::Drifted, MirrorState::Missing], [MirrorState::Stale, MirrorState::Superfluous]);
    let code = match (count(&worse), count(&bad)) {
        (0, 0) => return Ok(()),
        (0, _) => Code::Conflict,
        _ => Code::Damaged,
    };
    let states: Vec<_> = worse.into_iter().chain(bad).map(tally).collect();
    let why = format!(
        "of {} files in {} some are not fresh: {}; `statestore mirror --once` writes anew what is not, but look at what \
         is drifted first",
        found.len(),
        mirror.dir().display(),
        states.join(", ")
    );
    Err(Failure::told(code, why))
}

fn line(check: &MirrorCheck) -> String {
    let head = head(&check.file.to_string_lossy(), &check.namespace, check.log.as_deref());
    let behind = check.behind.map_or_else(|| "null".to_owned(), |behind| behind.to_string());
    let (state, revision) = (check.state.as_str(), check.revision);
    format!(r#"{{{head},"state":"{state}","behind":{behind},"revision":{revision}}}"#)
}

fn head(file: &str, namespace: &str, log: Option<&str>) -> String {
    let log = log.map(|log| format!(r#","log":{}"#, quoted(log))).unwrap_or_default();
    format!(r#""file":{},"namespace":{}{log}"#, quoted(file), quoted(namespace))
}
