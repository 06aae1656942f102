//! The cases, one file for each promise, and the work that their workers do.

mod atomic;
mod bounded;
mod durable;
mod faults;
mod in_order;
mod input_proof;
mod linearizable;
mod loud;
mod mirrored_truly;
mod restorable;
mod shared_rightly;
mod tidy;

use crate::arena::Arena;
use crate::failure::Outcome;
use crate::job::Work;

/// One case: what it proves is its name.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&Arena) -> Outcome,
    /// Says why it cannot run here, if it needs something that not every machine has.
    pub(crate) needs: Option<fn() -> Option<String>>,
    pub(crate) manner: Manner,
}

/// How a case runs beside others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Manner {
    /// At any time.
    #[default]
    Among,
    /// While no other case does, because it compares what processes get.
    Alone,
    /// After all others, for as long as there is time, because it could go on for ever.
    Drill,
}

/// All cases by promise.
pub(crate) const ALL: &[(&str, &[Case])] = &[
    ("atomic", atomic::CASES),
    ("linearizable", linearizable::CASES),
    ("durable", durable::CASES),
    ("in_order", in_order::CASES),
    ("loud", loud::CASES),
    ("bounded", bounded::CASES),
    ("shared_rightly", shared_rightly::CASES),
    ("tidy", tidy::CASES),
    ("input_proof", input_proof::CASES),
    ("mirrored_truly", mirrored_truly::CASES),
    ("restorable", restorable::CASES),
];

const WORKS: &[&[&[Work]]] = &[
    &[atomic::WORKS, in_order::WORKS, tidy::WORKS, input_proof::WORKS],
    linearizable::WORKS,
    loud::WORKS,
    mirrored_truly::WORKS,
    bounded::WORKS,
    shared_rightly::WORKS,
    durable::WORKS,
    restorable::WORKS,
    faults::WORKS,
];

/// Returns the work of a name.
pub(crate) fn work(name: &str) -> Option<&'static Work> {
    WORKS.iter().copied().flatten().copied().flatten().find(|work| work.name == name)
}

/// Lists functions as cases of their names; what one needs stands behind it, and its manner, `alone` or `drill`.
macro_rules! cases {
    ($($case:ident $(needs $needs:path)? $(=> $manner:ident)?),* $(,)?) => {
        &[$($crate::cases::Case {
            name: stringify!($case),
            run: $case,
            needs: $crate::cases::cases!(@needs $($needs)?),
            manner: $crate::cases::cases!(@manner $($manner)?),
        }),*]
    };
    (@needs) => { None };
    (@needs $needs:path) => { Some($needs) };
    (@manner) => { $crate::cases::Manner::Among };
    (@manner alone) => { $crate::cases::Manner::Alone };
    (@manner drill) => { $crate::cases::Manner::Drill };
}

/// Lists functions as the work of workers.
macro_rules! works {
    ($($work:ident),* $(,)?) => {
        &[$($crate::job::Work { name: stringify!($work), run: $work }),*]
    };
}

use {cases, works};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// A worker is told its work by name alone.
    #[test]
    fn names_of_cases_and_works_are_unique() {
        let works: Vec<&str> =
            WORKS.iter().copied().flatten().copied().flatten().map(|work| work.name).collect();
        assert_eq!(works.iter().collect::<BTreeSet<_>>().len(), works.len(), "{works:?}");
        let cases: Vec<&str> = ALL.iter().flat_map(|(_, cases)| cases.iter()).map(|case| case.name).collect();
        assert_eq!(cases.iter().collect::<BTreeSet<_>>().len(), cases.len(), "{cases:?}");
    }
}
