//! Promise 11: what a dump holds was there at one instant, and comes back whole, at one instant, or not at all.

mod cuts;
mod damage;
mod dumps;
mod full;
mod generations;
mod kills;
mod lines;
mod moves;
mod pairs;
mod replaced;
mod round_trips;
mod seen;
mod stopped;
mod under_load;

use super::{Case, cases};
use crate::drill::{why_no_mounts, why_no_power_cuts};
use crate::job::Work;

use cuts::a_power_cut_amid_a_restore_leaves_what_was_there_or_what_was_restored;
use damage::{
    a_dump_that_was_changed_is_refused_and_nothing_is_touched,
    a_dump_that_was_cut_short_is_refused_and_nothing_is_touched,
};
use full::a_full_disk_amid_a_dump_a_restore_or_a_migration_leaves_what_was_there;
use kills::{
    a_kill_amid_a_dump_leaves_one_that_is_whole_or_none,
    a_kill_amid_a_migration_leaves_the_old_store_or_the_new_one,
    a_kill_amid_a_restore_leaves_what_was_there_or_what_was_restored,
};
use lines::{a_dump_of_a_newer_version_is_refused, records_that_do_not_belong_are_refused};
use moves::{
    a_migration_loses_no_acknowledged_write_and_tells_everybody_where_to,
    a_store_that_is_kept_goes_on_after_a_migration,
};
use replaced::{
    a_restore_gives_no_revision_again, a_store_that_holds_something_is_not_restored_over_unasked,
};
use round_trips::{
    a_dump_that_is_restored_and_dumped_again_is_the_same, a_dump_through_a_pipe_is_the_same,
    what_was_emptied_before_a_dump_gets_no_old_revision,
};
use seen::{a_restore_is_seen_at_one_instant, writes_beside_a_restore_come_before_it_or_after};
use stopped::a_dumper_that_is_stopped_holds_up_nobody_or_is_named;
use under_load::a_dump_under_load_is_one_instant;

pub(super) const CASES: &[Case] = cases![
    a_dump_under_load_is_one_instant,
    a_dump_that_is_restored_and_dumped_again_is_the_same,
    a_dump_through_a_pipe_is_the_same,
    what_was_emptied_before_a_dump_gets_no_old_revision,
    a_store_that_holds_something_is_not_restored_over_unasked,
    a_restore_gives_no_revision_again,
    a_restore_is_seen_at_one_instant,
    writes_beside_a_restore_come_before_it_or_after,
    a_dump_that_was_cut_short_is_refused_and_nothing_is_touched,
    a_dump_that_was_changed_is_refused_and_nothing_is_touched,
    records_that_do_not_belong_are_refused,
    a_dump_of_a_newer_version_is_refused,
    a_migration_loses_no_acknowledged_write_and_tells_everybody_where_to,
    a_store_that_is_kept_goes_on_after_a_migration,
    a_dumper_that_is_stopped_holds_up_nobody_or_is_named,
    a_full_disk_amid_a_dump_a_restore_or_a_migration_leaves_what_was_there needs why_no_mounts,
    a_kill_amid_a_dump_leaves_one_that_is_whole_or_none => drill,
    a_kill_amid_a_restore_leaves_what_was_there_or_what_was_restored => drill,
    a_kill_amid_a_migration_leaves_the_old_store_or_the_new_one => drill,
    a_power_cut_amid_a_restore_leaves_what_was_there_or_what_was_restored needs why_no_power_cuts => drill,
];

pub(super) const WORKS: &[&[Work]] =
    &[cuts::WORKS, full::WORKS, kills::WORKS, moves::WORKS, pairs::WORKS, seen::WORKS, stopped::WORKS];
