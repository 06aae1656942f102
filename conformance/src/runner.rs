//! Runs cases several at once, prints what becomes of each, and shows how far it is.

use std::collections::VecDeque;
use std::io::{Write, stdout};
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};

use crate::plan::Planned;
use crate::progress::Progress;
use crate::report::{CaseReport, Verdict};
use crate::run::Setup;

/// Runs all cases, drills last, and returns what they came to in the order of the plan.
pub(crate) fn run(plan: Vec<Planned>, setup: &Setup, threads: NonZero<usize>) -> Vec<CaseReport> {
    let progress = Progress::start(plan.len(), setup);
    let (drills, others): (Vec<_>, Vec<_>) =
        plan.into_iter().enumerate().partition(|(_, planned)| planned.is_drill());
    let mut done = Vec::new();
    for part in [others, drills] {
        let queue = Mutex::new(VecDeque::from(part));
        let finished = Mutex::new(Vec::new());
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        std::thread::scope(|scope| {
            for _ in 0..threads.get() {
                scope.spawn(|| {
                    while let Some((at, planned)) = next() {
                        let report = run_one(&planned, setup, &progress);
                        finished.lock().unwrap_or_else(PoisonError::into_inner).push((at, report));
                    }
                });
            }
        });
        done.extend(finished.into_inner().unwrap_or_else(PoisonError::into_inner));
    }
    progress.end();
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, report)| report).collect()
}

fn run_one(planned: &Planned, setup: &Setup, progress: &Progress) -> CaseReport {
    let report = if setup.clock.is_over() && !planned.is_drill() {
        planned.ignore("did not run: the time was over".to_owned())
    } else {
        planned.run(setup)
    };
    let (word, more) = match &report.verdict {
        Verdict::Passed => ("ok", String::new()),
        Verdict::Failed { words, .. } => {
            let words = words.replace('\n', "\n    ");
            ("FAILED", format!("\n    {words}\n    again: {}", planned.command(setup)))
        }
        Verdict::Ignored { why } => ("ignored", format!(" ({why})")),
        Verdict::NotDeclared { .. } => ("not declared", String::new()),
    };
    progress.finished(|| {
        let mut out = stdout().lock();
        // That nobody reads is no reason not to try the rest.
        let _ = writeln!(out, "{word:12} {:7.2} s  {}{more}", report.seconds, report.name());
    });
    report
}
