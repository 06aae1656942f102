//! Simulated histories: right ones pass, and changed ones do not.

use conformance::history::simulate::Simulation;
use conformance::history::{Verdict, check, check_within};

use fastrand::Rng;

use crate::mutate;

/// Changed histories are checked with little room, for those that have no order take all of it.
const ROOM: usize = 1_000;

fn simulations(operations: usize) -> impl Iterator<Item = (Simulation, u64)> {
    let base = Simulation::default();
    let shapes = [
        Simulation { operations, ..base },
        Simulation { operations, processes: 12, killed: 30, ..base },
        Simulation { operations, processes: 6, namespaces: 1, keys: 2, logs: 1, killed: 5 },
        Simulation { operations, processes: 16, namespaces: 8, killed: 0, ..base },
        Simulation { operations: 60, processes: 3, namespaces: 2, keys: 2, logs: 1, killed: 100 },
    ];
    (0..12).flat_map(move |seed| shapes.into_iter().map(move |shape| (shape, seed)))
}

#[test]
fn simulated_histories_are_linearizable() {
    for (shape, seed) in simulations(400) {
        let verdict = check(&shape.run(seed));
        assert!(matches!(verdict, Verdict::Linearizable { .. }), "{shape:?} {seed}: {verdict}");
    }
}

#[test]
fn what_no_order_explains_is_always_found() {
    let mut found = [0; mutate::KINDS];
    for (shape, seed) in simulations(100) {
        let history = shape.run(seed);
        let mut chance = Rng::with_seed(seed);
        for (kind, found) in found.iter_mut().enumerate() {
            let mut changed = history.clone();
            let Some(what) = (0..200).find_map(|_| mutate::surely(&mut changed, kind, &mut chance)) else {
                continue;
            };
            let verdict = check_within(&changed, ROOM);
            let is_found = match &verdict {
                Verdict::Violation(violation) => violation.offender().is_some(),
                Verdict::Undecided { .. } => true,
                Verdict::Linearizable { .. } => false,
            };
            assert!(is_found, "{what}: {shape:?} {seed}: {verdict}");
            *found += usize::from(matches!(verdict, Verdict::Violation(_)));
        }
    }
    assert!(found.iter().all(|found| *found > 10), "{found:?}");
}

#[test]
fn most_changes_are_found() {
    let (mut found, mut undecided, mut all) = (0, 0, 0);
    for (shape, seed) in simulations(100) {
        let mut history = shape.run(seed);
        if mutate::any(&mut history, &mut Rng::with_seed(seed ^ 0x63)) {
            all += 1;
            match check_within(&history, ROOM) {
                Verdict::Violation(_) => found += 1,
                Verdict::Undecided { .. } => undecided += 1,
                Verdict::Linearizable { .. } => {}
            }
        }
    }
    assert!(found * 2 > all, "{found} of {all}, {undecided} undecided");
}

#[test]
fn a_search_without_room_is_undecided() {
    let shape = Simulation { operations: 400, processes: 12, ..Simulation::default() };
    let verdict = check_within(&shape.run(1), 1);
    assert!(matches!(verdict, Verdict::Undecided { .. }), "{verdict}");
}
