//! What is aimed at, and whether this run reached it.

use std::fmt::Write as _;
use std::time::Duration;

use crate::plan::{Case, Crowd, Engine, Operation, Part, Safety, Subject};
use crate::report::words;
use crate::summary::{Results, Summary};

/// From how many processes on the aims of a crowd hold.
const CROWD: usize = 16;

/// Says of each aim whether it was reached, with the figure; the exit code does not depend on it.
pub(crate) fn judge(results: &Results) -> String {
    let mut text = String::from("Aims:\n");
    let mut tell = |of: &str, verdicts: Vec<Verdict>| {
        for Verdict { wanted, found, reached } in verdicts {
            let reached = if reached { "reached    " } else { "NOT REACHED" };
            // Writing to a text does not fail.
            let _ = writeln!(text, "  {reached}  {of}: {wanted}; {found}");
        }
    };
    for case in results.cases(Part::Throughput) {
        if let (Some(store), Some(ratio)) =
            (results.median(case, Subject::Store), results.ratio(case, Subject::Store, Subject::Bare))
        {
            tell(&case.to_string(), throughput(case, store, ratio));
        }
    }
    let sizes = results.cases(Part::Size);
    for group in sizes.chunk_by(|a, b| a.operation == b.operation && a.engine == b.engine) {
        if let (Some(&small), Some(&large)) = (group.first(), group.last()) {
            tell(&format!("{} {}", small.engine, small.operation), size(results, small, large));
        }
    }
    text
}

struct Verdict {
    wanted: String,
    found: String,
    reached: bool,
}

fn within(times: f64, ratio: f64) -> Verdict {
    Verdict {
        wanted: format!("within {times} times bare"),
        found: format!("{:.2} times", 1.0 / ratio),
        reached: ratio * times >= 1.0,
    }
}

fn at_least(times: f64, peer: &str, ratio: f64) -> Verdict {
    Verdict {
        wanted: format!("at least {times} times the throughput of {peer}"),
        found: format!("{ratio:.2} times"),
        reached: ratio >= times,
    }
}

fn below(what: &str, limit: Duration, found: Duration) -> Verdict {
    Verdict { wanted: format!("{what} below {}", words(limit)), found: words(found), reached: found < limit }
}

fn throughput(case: Case, store: &Summary, ratio: f64) -> Vec<Verdict> {
    match (case.engine, case.operation, case.safety, case.crowd) {
        (Engine::Sqlite, Operation::Get, _, _) => vec![within(1.5, ratio)],
        (Engine::Sqlite, Operation::Put, Safety::Process, Crowd::Processes(1)) => vec![within(2.0, ratio)],
        (Engine::Sqlite, Operation::Put | Operation::Append, Safety::Power, Crowd::Processes(n))
            if n >= CROWD =>
        {
            let slowest = Verdict {
                wanted: "slowest process at 80 % of the mean".into(),
                found: format!("{:.0} %", store.slowest * 100.0),
                reached: store.slowest >= 0.8,
            };
            let late = below("p99.9", Duration::from_millis(20), store.p999);
            vec![at_least(2.0, "bare FULL", ratio), slowest, late]
        }
        (Engine::Sqlite, Operation::Put, Safety::Power, Crowd::Tasks(_)) => {
            vec![at_least(8.0, "bare FULL", ratio)]
        }
        (Engine::Redb, ..) => vec![within(1.3, ratio)],
        (Engine::Json, Operation::Get, _, Crowd::Processes(1)) => {
            vec![below("p50 of an unchanged file", Duration::from_micros(2), store.p50)]
        }
        (Engine::Json, Operation::Put, _, Crowd::Tasks(_)) => vec![at_least(10.0, "a file by hand", ratio)],
        _ => Vec::new(),
    }
}

/// A bisection takes one step more whenever a log doubles.
fn size(results: &Results, small: Case, large: Case) -> Vec<Verdict> {
    if small.operation != Operation::Tail || small.size >= large.size {
        return Vec::new();
    }
    let p50 = |case| results.median(case, Subject::Store).map(|summary| summary.p50);
    let (Some(short), Some(long)) = (p50(small), p50(large)) else {
        return Vec::new();
    };
    let steps = |case: Case| f64::from(case.size.max(2).ilog2());
    let most = steps(large) / steps(small);
    let times = long.as_secs_f64() / short.as_secs_f64().max(1e-9);
    vec![Verdict {
        wanted: format!("p50 at {} entries within {most:.1} times that at {}", large.size, small.size),
        found: format!("{times:.2} times ({} after {})", words(long), words(short)),
        reached: times <= most,
    }]
}
