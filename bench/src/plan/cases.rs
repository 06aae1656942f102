//! The cases of a run, in their order.

use super::{Case, Crowd, Engine, Operation, Part, Safety};
use crate::args::Args;

const ENGINES: [Engine; 3] = [Engine::Sqlite, Engine::Redb, Engine::Json];
/// The keys of `get` and `put`.
const KEYS: usize = 1000;
/// The keys of an object that is read or written whole.
const OBJECT: usize = 100;

/// Returns the cases that the options ask for.
pub(crate) fn cases(args: &Args) -> Vec<Case> {
    let mut cases = throughput(args);
    cases.extend(sizes(args));
    cases.retain(|case| args.wants(&case.to_string()));
    cases
}

/// Engine after engine within an operation and a crowd, so that those to be compared are measured close
/// together.
fn throughput(args: &Args) -> Vec<Case> {
    let mut cases = Vec::new();
    for operation in
        [Operation::Get, Operation::Put, Operation::Append, Operation::Replace, Operation::Object]
    {
        let size = match operation {
            Operation::Get | Operation::Put => KEYS,
            Operation::Replace | Operation::Object => OBJECT,
            Operation::Append | Operation::Tail => 0,
        };
        let crowds = args.processes().into_iter().map(Crowd::Processes);
        for crowd in crowds.chain([Crowd::Tasks(args.tasks())]) {
            for engine in ENGINES {
                let case = |safety| Case { part: Part::Throughput, engine, operation, safety, crowd, size };
                cases.extend(safeties(engine, operation).iter().map(|&safety| case(safety)));
            }
        }
    }
    cases
}

/// Returns the durabilities that differ.
fn safeties(engine: Engine, operation: Operation) -> &'static [Safety] {
    if engine == Engine::Sqlite && !operation.reads() {
        &[Safety::Process, Safety::Power]
    } else {
        &[Safety::Power]
    }
}

fn sizes(args: &Args) -> Vec<Case> {
    let (json, many) = if args.quick {
        (&[10, 50, 100][..], &[100, 1000][..])
    } else {
        (&[10, 1000, 100_000][..], &[1000, 1_000_000][..])
    };
    let mut cases = Vec::new();
    for (operation, engines, sizes) in [
        (Operation::Put, &[Engine::Json][..], json),
        (Operation::Get, &[Engine::Sqlite, Engine::Redb], many),
        (Operation::Tail, &ENGINES, many),
    ] {
        for &engine in engines {
            cases.extend(sizes.iter().map(|&size| Case {
                part: Part::Size,
                engine,
                operation,
                safety: Safety::Power,
                crowd: Crowd::Processes(1),
                size,
            }));
        }
    }
    cases
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn named(options: &[&str]) -> Vec<String> {
        let args = Args::parse_from([&["bench"], options].concat());
        cases(&args).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_takes_whole_words_in_any_order() {
        assert_eq!(named(&["--only", "16 put redb"]), ["redb put ×16"]);
        assert_eq!(
            named(&["--only", "put json of"]),
            ["json put of 10", "json put of 1000", "json put of 100000"]
        );
        assert!(named(&["--only", "puts"]).is_empty());
    }

    #[test]
    fn every_case_has_a_name_of_its_own() {
        let mut names = named(&[]);
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
