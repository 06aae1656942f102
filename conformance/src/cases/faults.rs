//! Faults at system calls, which prove more than one promise: what fails is told, and nothing is lost.

mod bulk;
mod cuts;
mod every_call;
mod film;
mod room;
mod rules;
mod state;
mod steps;
mod trial;

use crate::job::Work;

pub(super) use bulk::a_killed_append_of_many_records_leaves_all_or_none;
pub(super) use cuts::{
    after_a_failed_sync_no_later_acknowledgement_is_lost,
    any_order_of_unsynced_writes_loses_nothing_acknowledged,
};
pub(super) use every_call::{
    a_fault_at_any_system_call_is_told_and_loses_nothing, a_kill_at_any_system_call_loses_nothing,
};
pub(super) use room::a_commit_that_failed_for_want_of_room_never_comes_back;

pub(super) const WORKS: &[&[Work]] = &[steps::WORKS, bulk::WORKS];
