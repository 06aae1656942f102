//! For each fault the cases that have to see it.

use super::faults::Fault;

/// Which cases have to see which fault.
pub(crate) const FAULTS: &[(Fault, &[&str])] = &[
    (
        Fault::SplitsBatches,
        &[
            "atomic::one_batch_has_one_revision_for_an_object",
            "atomic::an_invalid_write_refuses_the_whole_batch",
            "atomic::a_batch_over_three_namespaces_is_never_seen_in_part",
            "durable::two_hundred_kills_lose_nothing",
            "linearizable::a_history_of_sixteen_processes_is_linearizable",
            "linearizable::a_history_with_kills_is_linearizable",
            "durable::a_kill_at_any_system_call_loses_nothing",
            "durable::a_killed_append_of_many_records_leaves_all_or_none",
        ],
    ),
    (
        Fault::ReversesBatches,
        &[
            "atomic::writes_apply_in_order",
            "atomic::writes_of_logs_apply_in_order",
            "atomic::replacing_and_deleting_stand_in_the_order_of_the_batch",
            "atomic::random_batches_do_what_the_contract_says",
        ],
    ),
    (
        Fault::WritesForAnEmptyBatch,
        &["atomic::an_empty_batch_changes_nothing", "atomic::a_batch_without_writes_only_checks"],
    ),
    (Fault::CommitsBeforeItIsAsked, &["atomic::a_commit_that_is_dropped_unasked_does_nothing"]),
    (
        Fault::IgnoresChecks,
        &[
            "atomic::a_failed_check_leaves_nothing",
            "atomic::batches_that_queue_together_do_what_they_would_alone",
            "linearizable::eight_processes_count_to_the_exact_sum",
            "linearizable::one_of_sixteen_creates_a_key",
            "in_order::a_retried_append_lands_once",
            "in_order::an_append_retried_after_a_kill_lands_once",
            "loud::a_conflict_of_a_key_says_what_was_found",
            "loud::a_conflict_of_an_object_says_what_was_found",
            "loud::a_conflict_of_a_log_says_what_was_found",
        ],
    ),
    (Fault::ChecksTheFirstOnly, &["atomic::one_failed_check_of_many_leaves_nothing"]),
    (
        Fault::ChecksAfterwards,
        &["atomic::checks_see_the_state_before_the_batch", "atomic::a_failed_check_leaves_nothing"],
    ),
    (Fault::ReplacesKeyByKey, &["atomic::object_is_never_seen_mixed"]),
    (Fault::ReplacesWithoutDeleting, &["linearizable::replacing_leaves_only_the_new_keys"]),
    (
        Fault::AcknowledgesWithoutWriting,
        &[
            "linearizable::a_put_is_seen_by_every_read",
            "linearizable::threads_of_one_process_count_to_the_exact_sum",
            "durable::a_store_dropped_without_closing_opens_again",
            "durable::a_write_survives_a_process_that_ends_at_once",
            "durable::two_hundred_kills_lose_nothing",
            "durable::kills_amid_large_writes_lose_nothing",
            "durable::a_reader_goes_on_when_the_only_writer_is_killed",
            "durable::a_reader_who_may_not_write_goes_on_too",
            "in_order::eight_processes_append_to_one_log",
            "linearizable::a_history_of_several_processes_is_linearizable",
            "linearizable::a_history_with_kills_is_linearizable",
            "linearizable::a_history_of_several_processes_is_linearizable",
        ],
    ),
    (
        Fault::ReadsWhatWasBefore,
        &[
            "linearizable::a_second_handle_sees_at_once_what_the_first_wrote",
            "linearizable::links_and_relative_paths_lead_to_the_same_store",
            "linearizable::an_update_puts_deletes_or_keeps",
            "linearizable::no_process_reads_what_was_replaced",
            "linearizable::no_process_reads_what_as_many_bytes_replaced",
            "linearizable::a_history_of_several_processes_is_linearizable",
            "linearizable::a_history_with_stops_is_linearizable",
            "mirrored_truly::a_reader_sees_whole_files_and_only_newer_ones",
            "mirrored_truly::what_somebody_changed_is_told_and_written_anew",
        ],
    ),
    (
        Fault::HalvesRevisions,
        &[
            "linearizable::every_entry_has_the_revision_that_wrote_it",
            "linearizable::an_equal_put_raises_the_revision",
            "linearizable::revisions_grow_over_deletion_and_reopening",
            "linearizable::a_history_of_several_processes_is_linearizable",
            "linearizable::a_clock_set_back_takes_nothing_back",
        ],
    ),
    (Fault::RaisesRevisionsByAppending, &["linearizable::an_append_keeps_the_revision"]),
    (
        Fault::DeletesByPutting,
        &[
            "linearizable::deleting_tells_whether_there_was_a_key",
            "linearizable::deleting_a_missing_key_keeps_the_revision",
        ],
    ),
    (Fault::KeepsLogsOfDeletedNamespaces, &["linearizable::deleting_a_namespace_takes_keys_and_logs"]),
    (Fault::InventsObjects, &["linearizable::what_was_never_written_is_not_there"]),
    (Fault::HasOneNamespace, &["linearizable::namespaces_are_apart"]),
    (
        Fault::ListsBackwards,
        &[
            "linearizable::namespaces_are_listed_by_name",
            "in_order::keys_are_listed_in_the_order_of_their_bytes",
            "in_order::pages_of_keys_join_without_gap",
        ],
    ),
    (Fault::IncludesTheEnd, &["in_order::ranges_of_keys_begin_and_end_where_they_are_told"]),
    (Fault::TakesPrefixesForPatterns, &["in_order::a_prefix_selects_exactly_its_keys"]),
    (Fault::NumbersFromZero, &["in_order::numbers_begin_at_one_and_have_no_gap"]),
    (
        Fault::RenumbersAfterTrimming,
        &[
            "in_order::trimming_drops_the_oldest_and_keeps_the_numbers",
            "in_order::trimming_past_the_end_empties_and_keeps_the_numbers",
        ],
    ),
    (Fault::MakesLogsByTrimming, &["in_order::trimming_too_little_or_nothing_changes_nothing"]),
    (
        Fault::StartsAfterTheFirst,
        &[
            "in_order::pages_of_a_log_begin_and_end_where_they_are_told",
            "input_proof::a_long_log_is_read_from_anywhere",
        ],
    ),
    (Fault::LosesTheFirstOfLogs, &["in_order::logs_tell_their_extent"]),
    (
        Fault::AppendsTwice,
        &[
            "in_order::eight_processes_append_to_one_log",
            "in_order::an_append_retried_after_a_kill_lands_once",
        ],
    ),
    (Fault::SwapsEntries, &["in_order::eight_processes_append_to_one_log"]),
    (
        Fault::DatesWithTheOpening,
        &[
            "linearizable::an_entry_tells_when_it_was_written",
            "durable::everything_is_the_same_after_reopening",
        ],
    ),
    (Fault::KnowsNoBoots, &["linearizable::a_new_boot_raises_the_epoch"]),
    (
        Fault::CreatesAndWritesAnyway,
        &["loud::a_missing_store_is_not_found_and_not_made", "loud::a_read_only_handle_refuses_every_write"],
    ),
    (Fault::TouchesTheFiles, &["loud::reading_leaves_the_files_as_they_are"]),
    (Fault::NeverCloses, &["loud::a_closed_handle_refuses_every_call"]),
    (
        Fault::SaysOnlyThatItFailed,
        &[
            "loud::a_conflict_of_a_key_says_what_was_found",
            "loud::an_error_names_the_call_the_place_and_the_store",
            "bounded::a_write_behind_a_held_gate_ends_with_the_timeout",
        ],
    ),
    (
        Fault::DescribesAnother,
        &["loud::info_describes_the_store", "durable::the_store_and_the_batch_choose_what_survives"],
    ),
    (Fault::GivesTextsAsZero, &["loud::a_value_of_another_type_is_refused"]),
    (Fault::ShortensDeadlines, &["bounded::a_batch_brings_its_own_deadline"]),
    (Fault::WaitsForTheGateToRead, &["bounded::reading_goes_on_behind_a_held_gate"]),
    (Fault::LetsReadersStopWriters, &["bounded::a_held_snapshot_stops_no_writer"]),
    (
        Fault::LetsEverybodyIn,
        &[
            "shared_rightly::a_private_store_is_private_under_every_umask",
            "shared_rightly::a_private_store_shuts_others_out",
        ],
    ),
    (
        Fault::LeavesFilesAbout,
        &[
            "tidy::nothing_lies_about_after_ordinary_work",
            "tidy::nothing_lies_about_after_kills",
            "input_proof::names_never_lead_out_of_the_store",
        ],
    ),
    (
        Fault::RoundsNumbers,
        &[
            "input_proof::every_kind_of_value_is_kept",
            "input_proof::falsy_values_are_values",
            "input_proof::white_space_goes_and_nothing_else",
            "input_proof::doubles_keep_every_bit",
            "input_proof::random_values_are_kept",
        ],
    ),
    (Fault::ForgetsTheDeep, &["input_proof::the_deepest_value_is_kept_and_a_deeper_one_refused"]),
    (Fault::HasItsOwnLimits, &["input_proof::ten_megabytes_are_kept", "input_proof::limits_can_be_chosen"]),
    (
        Fault::KnowsNoLimits,
        &[
            "input_proof::a_value_over_its_limit_is_too_large",
            "input_proof::a_batch_over_its_limit_is_too_large",
        ],
    ),
    (
        Fault::ListsAThousand,
        &[
            "input_proof::thousands_of_keys_and_entries_are_kept",
            "input_proof::many_namespaces_are_listed_and_each_is_readable",
            "input_proof::many_keys_of_one_namespace_are_kept",
        ],
    ),
    (Fault::FoldsCase, &["input_proof::names_are_kept_exactly_and_apart"]),
    (Fault::CutsNames, &["input_proof::names_at_their_limits"]),
    (Fault::CleansNames, &["input_proof::names_that_cannot_be_are_refused_everywhere"]),
    (
        Fault::LocksByMakingAFile,
        &[
            "durable::two_hundred_kills_lose_nothing",
            "tidy::nothing_lies_about_after_kills",
            "bounded::a_gate_kept_by_a_dead_parents_child_is_told_and_comes_free",
        ],
    ),
    (
        Fault::TakesDamageForDone,
        &[
            "loud::a_companion_that_is_removed_or_exchanged_loses_nothing_in_silence",
            "loud::shared_memory_that_is_removed_or_exchanged_loses_nothing_in_silence",
        ],
    ),
    (Fault::RootKeepsItsFiles, &["shared_rightly::what_root_makes_anew_its_owner_may_use"]),
    (Fault::FinishesDroppedWrites, &["bounded::a_future_dropped_while_queued_never_happens"]),
    (
        Fault::TakesBusyForDone,
        &[
            "bounded::a_writer_stopped_in_the_gate_holds_nobody_past_the_deadline",
            "bounded::closing_with_a_queue_answers_everybody",
        ],
    ),
    (Fault::SaysBusyInDoubt, &["bounded::a_deadline_that_passes_after_the_commit_is_indeterminate"]),
    (
        Fault::TakesDoubtForDone,
        &[
            "bounded::a_failed_sync_is_indeterminate_and_mended",
            "durable::after_a_failed_sync_no_later_acknowledgement_is_lost",
        ],
    ),
    (Fault::CallsEveryFailureDamage, &["loud::a_fault_at_any_system_call_is_told_and_loses_nothing"]),
    (
        Fault::StarvesSome,
        &[
            "bounded::eight_writers_share_the_gate_under_process",
            "bounded::eight_writers_share_the_gate_under_power",
        ],
    ),
    (
        Fault::LetsTheLogGrow,
        &[
            "bounded::what_grows_stays_below_its_ceiling",
            "bounded::a_held_snapshot_makes_writers_busy_at_the_ceiling",
        ],
    ),
    (
        Fault::StartsAnewWhenDamaged,
        &[
            "loud::damage_that_the_engine_knows_is_refused_and_left_as_it_is",
            "loud::a_file_that_is_no_store_is_refused_and_left_as_it_is",
            "loud::a_spoilt_artefact_is_told_of_or_loses_nothing",
            "loud::what_is_no_file_in_place_of_an_artefact_is_refused",
        ],
    ),
    (Fault::CreatesWithoutExclusion, &["linearizable::twenty_first_openers_share_one_store"]),
    (
        Fault::TrustsTheUmask,
        &[
            "shared_rightly::a_named_group_shares_a_store_whoever_creates_it",
            "shared_rightly::a_folder_that_hands_its_group_down_shares_a_store_whoever_creates_it",
            "shared_rightly::a_shared_store_is_written_by_its_group_whoever_creates_it",
            "shared_rightly::folders_are_made_with_the_rights_of_the_store",
            "shared_rightly::a_private_store_is_its_creators_alone_wherever_it_lies",
            "shared_rightly::two_users_who_start_together_share_one_store",
            "shared_rightly::a_kill_amid_creation_locks_nobody_out",
            "shared_rightly::a_kill_amid_the_making_of_folders_leaves_nothing",
            "shared_rightly::whoever_may_not_change_rights_works_all_the_same",
            "shared_rightly::what_is_made_anew_has_the_same_rights_and_nothing_is_lost",
            "shared_rightly::a_gate_that_was_removed_is_made_anew_with_the_same_rights",
            "shared_rightly::upkeep_by_whoever_comes_to_it_keeps_the_rights",
            "shared_rightly::a_kernel_that_protects_files_lets_the_group_share",
        ],
    ),
    (Fault::SetsRightsLate, &["shared_rightly::nobody_sees_an_artefact_with_other_rights_or_half_made"]),
    (
        Fault::ShowsHalfAStore,
        &[
            "shared_rightly::nobody_sees_an_artefact_with_other_rights_or_half_made",
            "shared_rightly::whoever_opens_meanwhile_finds_no_store_or_a_whole_one",
        ],
    ),
    (Fault::LetsEverybodyHoldTheGate, &["shared_rightly::an_outsider_cannot_hold_the_gate"]),
    (
        Fault::CallsEveryFailureTheSame,
        &[
            "shared_rightly::an_outsider_is_refused_in_words_that_help",
            "shared_rightly::an_outsider_reads_a_shared_store_and_changes_nothing",
            "shared_rightly::a_group_that_cannot_be_given_leaves_nothing",
            "shared_rightly::a_folder_that_may_not_be_written_gets_no_store",
            "shared_rightly::who_may_not_make_it_anew_is_denied_and_changes_nothing",
            "shared_rightly::who_may_only_read_reads_or_is_told_and_is_in_nobodys_way",
            "loud::a_read_only_mount_is_read_and_takes_no_write",
            "loud::a_network_filesystem_is_refused",
            "loud::an_unfit_engine_is_refused",
            "loud::a_sticky_folder_is_refused",
            "loud::a_file_with_two_names_is_refused",
            "loud::what_is_no_file_is_refused",
            "loud::a_link_that_leads_nowhere_is_no_store",
            "loud::damage_that_the_engine_knows_is_refused_and_left_as_it_is",
            "loud::a_file_that_is_no_store_is_refused_and_left_as_it_is",
            "loud::a_link_in_place_of_a_companion_is_refused",
            "loud::a_gate_that_is_not_understood_lets_nobody_write",
            "loud::data_that_is_removed_or_exchanged_takes_no_write",
            "loud::a_forked_child_is_refused_and_the_parent_goes_on",
            "linearizable::a_forked_child_that_opens_anew_holds_locks_of_its_own",
            "linearizable::what_a_forked_child_writes_stays_when_its_parent_is_gone",
            "bounded::deadlines_hold_in_a_forked_child",
            "bounded::a_gate_that_was_made_anew_is_everybodys_gate",
        ],
    ),
    (
        Fault::LeavesTracesOfRefusals,
        &[
            "loud::a_path_that_cannot_be_is_refused",
            "loud::damage_that_the_engine_knows_is_refused_and_left_as_it_is",
            "shared_rightly::a_group_that_cannot_be_given_leaves_nothing",
            "shared_rightly::nothing_is_made_anew_for_reading_only",
        ],
    ),
    (Fault::CleansPaths, &["loud::odd_names_of_files_and_folders_work"]),
    (Fault::LooksIntoItsFiles, &["linearizable::no_call_lets_go_of_locks_that_the_process_holds"]),
    (Fault::TriesAgainWhenBusy, &["bounded::a_peer_stopped_at_any_moment_delays_nobody_past_the_deadline"]),
    (Fault::RefusesToRead, &["loud::what_a_backend_lacks_is_unsupported_and_all_else_works"]),
    (
        Fault::SyncsNothing,
        &[
            "durable::what_is_seen_and_synced_is_synced",
            "mirrored_truly::what_a_mirror_shows_was_synced_before",
        ],
    ),
    (
        Fault::ForgetsPower,
        &[
            "durable::what_is_acknowledged_was_synced_before",
            "durable::a_power_cut_on_ext4_loses_nothing_acknowledged",
            "durable::a_power_cut_on_xfs_loses_nothing_acknowledged",
            "durable::any_order_of_unsynced_writes_loses_nothing_acknowledged",
            "durable::after_a_failed_sync_no_later_acknowledgement_is_lost",
        ],
    ),
    (
        Fault::TakesFullForDone,
        &[
            "loud::a_full_disk_in_memory_is_told_of_and_room_lets_work_go_on",
            "loud::a_full_disk_is_told_of_and_room_lets_work_go_on",
            "loud::processes_that_fill_a_disk_together_lose_nothing",
            "durable::a_commit_that_failed_for_want_of_room_never_comes_back",
        ],
    ),
    (Fault::DeniesItsMaps, &["loud::a_quota_used_up_is_told_of_and_a_higher_one_lets_work_go_on"]),
    (
        Fault::DumpsPieceByPiece,
        &[
            "restorable::a_dump_under_load_is_one_instant",
            "restorable::a_dumper_that_is_stopped_holds_up_nobody_or_is_named",
        ],
    ),
    (Fault::DumpsNoLogs, &["restorable::a_kill_amid_a_dump_leaves_one_that_is_whole_or_none"]),
    (
        Fault::RestoresInTwoSteps,
        &[
            "restorable::a_store_that_holds_something_is_not_restored_over_unasked",
            "restorable::a_restore_is_seen_at_one_instant",
            "restorable::a_full_disk_amid_a_dump_a_restore_or_a_migration_leaves_what_was_there",
            "restorable::a_kill_amid_a_restore_leaves_what_was_there_or_what_was_restored",
            "restorable::a_power_cut_amid_a_restore_leaves_what_was_there_or_what_was_restored",
        ],
    ),
    (
        Fault::RestoresRounded,
        &[
            "restorable::a_dump_that_is_restored_and_dumped_again_is_the_same",
            "restorable::a_dump_through_a_pipe_is_the_same",
            "restorable::a_dump_that_was_cut_short_is_refused_and_nothing_is_touched",
            "restorable::a_dump_that_was_changed_is_refused_and_nothing_is_touched",
            "restorable::records_that_do_not_belong_are_refused",
            "restorable::a_dump_of_a_newer_version_is_refused",
            "restorable::a_store_that_is_kept_goes_on_after_a_migration",
        ],
    ),
    (
        Fault::KeepsTheEpoch,
        &[
            "restorable::what_was_emptied_before_a_dump_gets_no_old_revision",
            "restorable::a_restore_gives_no_revision_again",
            "restorable::writes_beside_a_restore_come_before_it_or_after",
        ],
    ),
    (
        Fault::BuriesNobody,
        &[
            "restorable::a_migration_loses_no_acknowledged_write_and_tells_everybody_where_to",
            "restorable::a_kill_amid_a_migration_leaves_the_old_store_or_the_new_one",
        ],
    ),
    (Fault::SeesNothingWrong, &["loud::a_random_change_of_a_file_is_told_of_or_changes_nothing"]),
    (
        Fault::MirrorsInPlace,
        &[
            "mirrored_truly::a_reader_sees_whole_files_and_only_newer_ones",
            "mirrored_truly::after_a_kill_every_file_is_whole_and_the_next_process_catches_up",
        ],
    ),
    (
        Fault::LeavesTheMirrorToItself,
        &["mirrored_truly::after_a_kill_every_file_is_whole_and_the_next_process_catches_up"],
    ),
    (
        Fault::FailsWithItsMirror,
        &[
            "mirrored_truly::a_full_mirror_fails_no_write_and_catches_up",
            "mirrored_truly::a_mirror_that_turns_read_only_fails_no_write_and_catches_up",
            "mirrored_truly::a_mirror_that_is_taken_away_fails_no_write_and_catches_up",
            "mirrored_truly::a_mirror_that_may_not_be_written_fails_no_write_and_catches_up",
            "mirrored_truly::a_stopped_process_in_the_mirror_delays_no_write_for_long",
        ],
    ),
    (Fault::WaitsForItsMirror, &["mirrored_truly::a_stopped_process_in_the_mirror_delays_no_write_for_long"]),
    (
        Fault::SaysNothingOfItsMirror,
        &["mirrored_truly::a_mirror_that_is_taken_away_fails_no_write_and_catches_up"],
    ),
    (Fault::MirrorsByTheUmask, &["mirrored_truly::a_mirror_has_the_rights_of_its_store_whoever_writes_it"]),
];
