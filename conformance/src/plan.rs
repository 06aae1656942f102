//! What is to be run: one trial for each backend and case, and what each comes to.

use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::arena::Arena;
use crate::cases::{self, Case, Manner};
use crate::counts::Ledger;
use crate::failure::Failure;
use crate::own::OwnCase;
use crate::report::{self, CaseReport, Verdict};
use crate::run::Setup;
use crate::target::Target;

/// One case on one backend.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub(crate) target: &'static dyn Target,
    pub(crate) promise: &'static str,
    pub(crate) case: &'static str,
    act: Act,
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Common(&'static Case),
    Own(OwnCase),
}

/// Returns every case on every backend, in the order of the promises.
pub(crate) fn all(targets: &[&'static dyn Target]) -> Vec<Planned> {
    let cases =
        || cases::ALL.iter().flat_map(|(promise, cases)| cases.iter().map(move |case| (*promise, case)));
    let planned = targets.iter().copied().flat_map(|target| {
        let common = cases().map(move |(promise, case)| Planned {
            target,
            promise,
            case: case.name,
            act: Act::Common(case),
        });
        let own = target.own_cases().into_iter().map(move |case| Planned {
            target,
            promise: case.promise,
            case: case.name,
            act: Act::Own(case),
        });
        common.chain(own)
    });
    planned.collect()
}

/// Held shared by every case that runs, and alone by one that has to be.
static ARENAS: RwLock<()> = RwLock::new(());

impl Planned {
    /// Returns its name, `backend::promise::case`.
    pub(crate) fn name(&self) -> String {
        format!("{}::{}::{}", self.target.name(), self.promise, self.case)
    }

    /// Says why it cannot run here; none if it can.
    pub(crate) fn why_not(&self) -> Option<String> {
        match self.act {
            Act::Common(case) => case.needs.and_then(|why_not| why_not()),
            Act::Own(_) => None,
        }
    }

    /// Whether it could go on for ever.
    pub(crate) fn is_drill(&self) -> bool {
        matches!(self.act, Act::Common(case) if case.manner == Manner::Drill)
    }

    /// Runs it, and tells what it came to.
    pub(crate) fn run(&self, setup: &Setup) -> CaseReport {
        let (_alone, _among_others);
        if matches!(self.act, Act::Common(case) if case.manner == Manner::Alone) {
            _alone = ARENAS.write().unwrap_or_else(PoisonError::into_inner);
        } else {
            _among_others = ARENAS.read().unwrap_or_else(PoisonError::into_inner);
        }
        let begun = Instant::now();
        let ledger = Ledger::of_case(setup.counts.clone());
        let verdict = self.verdict(setup, &ledger);
        self.report(verdict, begun.elapsed(), &ledger)
    }

    /// Tells that it did not run, and why.
    pub(crate) fn ignore(&self, why: String) -> CaseReport {
        self.report(Verdict::Ignored { why }, Duration::ZERO, &Ledger::default())
    }

    fn report(&self, verdict: Verdict, took: Duration, ledger: &Ledger) -> CaseReport {
        CaseReport {
            backend: self.target.name().to_owned(),
            promise: self.promise.to_owned(),
            case: self.case.to_owned(),
            verdict,
            seconds: took.as_secs_f64(),
            counts: ledger.counted(),
        }
    }

    fn verdict(&self, setup: &Setup, ledger: &Ledger) -> Verdict {
        if let Some(reason) = self.why_not() {
            if must_not_ignore() {
                return failed(format!("nothing may be ignored here, but this {reason}"));
            }
            return Verdict::Ignored { why: reason };
        }
        let time = self.is_drill().then(|| setup.clock.share()).flatten();
        let arena = match Arena::new(self.target, setup, &self.name(), ledger.clone(), time) {
            Ok(arena) => arena,
            Err(failure) => return failed(failure.to_string()),
        };
        let verdict = match self.act {
            Act::Common(case) => self.judge([(case.run)(&arena), arena.audit()]),
            Act::Own(case) => self.judge([(case.run)(arena.folder()).map_err(Failure::new)]),
        };
        match verdict {
            Verdict::Failed { words, exhibits } if setup.keep => {
                let words = format!("{words}\n    its files are kept in {}", arena.keep().display());
                Verdict::Failed { words, exhibits }
            }
            verdict => verdict,
        }
    }

    fn judge<const N: usize>(&self, outcomes: [Result<(), Failure>; N]) -> Verdict {
        let mut failures: Vec<Failure> = outcomes.into_iter().filter_map(Result::err).collect();
        let lacks = !self.target.lacks().is_empty();
        if lacks && let Some(why) = failures.first().filter(|failure| failure.is_unsupported()) {
            return Verdict::NotDeclared { why: why.to_string() };
        }
        if failures.is_empty() {
            return Verdict::Passed;
        }
        let exhibits = failures.iter_mut().filter_map(Failure::take_exhibit).collect();
        let words: Vec<String> = failures.iter().map(ToString::to_string).collect();
        Verdict::Failed { words: words.join("\n"), exhibits }
    }

    /// Returns the command that draws the same again.
    pub(crate) fn command(&self, setup: &Setup) -> String {
        let filter = format!("{}::{}", self.promise, self.case);
        report::command(self.target.name(), &filter, setup.profile, setup.seed)
    }
}

fn failed(words: String) -> Verdict {
    Verdict::Failed { words, exhibits: Vec::new() }
}

/// Whether this is a machine on which every case has to run.
pub(crate) fn must_not_ignore() -> bool {
    std::env::var("CI").is_ok_and(|ci| ci == "true") && nix::unistd::geteuid().is_root()
}
