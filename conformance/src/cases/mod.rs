//! The cases, one file for each promise, and the work that their workers do.

mod atomic;
mod bounded;
mod durable;
mod in_order;
mod input_proof;
mod linearizable;
mod loud;
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
    /// Whether it has to run while no other case does, because it compares what processes get.
    pub(crate) alone: bool,
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
];

const WORKS: &[&[&[Work]]] = &[
    &[atomic::WORKS, in_order::WORKS, tidy::WORKS, input_proof::WORKS],
    linearizable::WORKS,
    loud::WORKS,
    bounded::WORKS,
    shared_rightly::WORKS,
    durable::WORKS,
];

/// Returns the work of a name.
pub(crate) fn work(name: &str) -> Option<&'static Work> {
    WORKS.iter().copied().flatten().copied().flatten().find(|work| work.name == name)
}

/// Lists functions as cases of their names; what one needs stands behind it, and whether it has to run
/// while no other does.
macro_rules! cases {
    ($($case:ident $(needs $needs:path)? $(=> $alone:ident)?),* $(,)?) => {
        &[$($crate::cases::Case {
            name: stringify!($case),
            run: $case,
            needs: $crate::cases::cases!(@needs $($needs)?),
            alone: $crate::cases::cases!(@alone $($alone)?),
        }),*]
    };
    (@needs) => { None };
    (@needs $needs:path) => { Some($needs) };
    (@alone) => { false };
    (@alone alone) => { true };
}

/// Lists functions as the work of workers.
macro_rules! works {
    ($($work:ident),* $(,)?) => {
        &[$($crate::job::Work { name: stringify!($work), run: $work }),*]
    };
}

use {cases, works};
