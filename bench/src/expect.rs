//! What is expected, and whether this run reached it.

use std::fmt::Write as _;
use std::time::Duration;

use crate::plan::{Case, Crowd, Operation, Safety, Subject};
use crate::report::words;
use crate::summary::Results;

/// From how many processes on the expectations of a crowd hold.
const CROWD: usize = 16;

/// Says of each expectation whether it was reached, with the figure; the exit code does not depend on it.
pub(crate) fn judge(results: &Results) -> String {
    let mut text = String::from("Expectations:\n");
    for case in results.cases() {
        for Verdict { wanted, found, reached } in verdicts(results, case) {
            let reached = if reached { "reached    " } else { "NOT REACHED" };
            // Writing to a text does not fail.
            let _ = writeln!(text, "  {reached}  {case}: {wanted}; {found}");
        }
    }
    text
}

struct Verdict {
    wanted: String,
    found: String,
    reached: bool,
}

fn verdicts(results: &Results, case: Case) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    let (Some(store), Some(ratio)) =
        (results.median(case, Subject::Store), results.ratio(case, Subject::Store, Subject::Bare))
    else {
        return verdicts;
    };
    let within = |times: f64| Verdict {
        wanted: format!("within {times} times bare"),
        found: format!("{:.2} times", 1.0 / ratio),
        reached: ratio * times >= 1.0,
    };
    let at_least = |times: f64| Verdict {
        wanted: format!("at least {times} times bare FULL's throughput"),
        found: format!("{ratio:.2} times"),
        reached: ratio >= times,
    };
    match (case.operation, case.safety, case.crowd) {
        (Operation::Get, _, _) => verdicts.push(within(1.5)),
        (Operation::Put, Safety::Process, Crowd::Processes(1)) => verdicts.push(within(2.0)),
        (Operation::Put | Operation::Append, Safety::Power, Crowd::Processes(n)) if n >= CROWD => {
            verdicts.push(at_least(2.0));
            verdicts.push(Verdict {
                wanted: "slowest process at 80 % of the mean".into(),
                found: format!("{:.0} %", store.slowest * 100.0),
                reached: store.slowest >= 0.8,
            });
            verdicts.push(Verdict {
                wanted: "p99.9 below 20 ms".into(),
                found: words(store.p999),
                reached: store.p999 < Duration::from_millis(20),
            });
        }
        (Operation::Put, Safety::Power, Crowd::Tasks(_)) => verdicts.push(at_least(8.0)),
        _ => {}
    }
    verdicts
}
