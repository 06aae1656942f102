//! The cases as trials of `cargo test`.

use libtest_mimic::{Completion, Failed, Trial};

use crate::plan::{Planned, must_not_ignore};
use crate::report::{CaseReport, Verdict};
use crate::run::Setup;

/// Returns one trial for each case; what each comes to is also told to somebody who keeps it.
pub(crate) fn of(plan: Vec<Planned>, setup: &Setup, keep: fn(CaseReport)) -> Vec<Trial> {
    let trial = |planned: Planned| {
        let setup = setup.clone();
        let reason = planned.why_not().filter(|_| !must_not_ignore());
        let trial = Trial::ignorable_test(planned.name(), move || {
            let report = planned.run(&setup);
            let completion = complete(&planned, &report.verdict, &setup);
            keep(report);
            completion
        });
        match reason {
            None => trial,
            Some(reason) => trial.with_ignored_flag(true).with_kind(reason),
        }
    };
    plan.into_iter().map(trial).collect()
}

fn complete(planned: &Planned, verdict: &Verdict, setup: &Setup) -> Result<Completion, Failed> {
    match verdict {
        Verdict::Passed => Ok(Completion::Completed),
        Verdict::NotDeclared { why } | Verdict::Ignored { why } => Ok(Completion::ignored_with(why)),
        Verdict::Failed { words, .. } => Err(Failed::from(format!(
            "{words}\n    draw the same again with CONFORMANCE_SEED={}, or\n    {}",
            setup.seed,
            planned.command(setup)
        ))),
    }
}
