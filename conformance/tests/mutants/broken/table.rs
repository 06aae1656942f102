//! The mutants, and which cases see them.

/// One way in which a store is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutant {
    None,
    // The incidents as they were.
    ReadModifyWriteWithoutLock,
    FixedTemporaryName,
    PerProcessTemporaryName,
    TruncateInPlace,
    DeleteInsertWithoutTransaction,
    ParseFailureTakenAsEmpty,
    ZeroBytesTakenAsEmpty,
    BusySwallowed,
    InitialisationOutsideTheGate,
    UmaskTrusted,
    CompanionForgotten,
    GateForgotten,
    // The subtle ones.
    AcknowledgedBeforeCommit,
    AcknowledgedBeforeSync,
    SyncFailureSwallowed,
    RenameWithoutFileSync,
    RenameWithoutFolderSync,
    StaleCache,
    RevisionReusedAfterDeletion,
    RevisionReusedAfterACrash,
    SequenceGapAfterACrash,
    TornTailKept,
    HalfALogBatchKept,
    ReaderSeesHalfOfATwoFileBatch,
    SyncCallDoesNothing,
    FailedSyncMarkForgotten,
    FailedCommitReportedAsSurelyNotDone,
    BusyAfterTheBatchWasTaken,
    GateReadableByOthers,
    CheckEvaluatedOutsideTheTransaction,
    LockFileRecreated,
    DeadlineIgnored,
    ErrorKindWrong,
    SnapshotOfSeveralInstants,
    TailLongerThanTheLogIsEmpty,
    KeysInTheOrderOfPeople,
    IntegerKeysFirst,
    CopyOfALargeDocumentKept,
    ValuesWrittenAnew,
    DigestIgnored,
    NewerFormatTaken,
    LinksFollowed,
    MirrorOfWhatWasBefore,
    DumpOfSeveralInstants,
    RestoreWithoutTransaction,
    RevisionReusedAfterARestore,
    TombstoneForgotten,
    TombstoneUncheckedByGet,
}

/// Which cases see which mutant.
pub(crate) const CAUGHT: &[(Mutant, &[&str])] = &[
    (
        Mutant::ReadModifyWriteWithoutLock,
        &[
            "linearizable::eight_processes_count_to_the_exact_sum",
            "in_order::eight_processes_append_to_one_log",
        ],
    ),
    (Mutant::FixedTemporaryName, &["atomic::object_is_never_seen_mixed"]),
    (Mutant::PerProcessTemporaryName, &["tidy::nothing_lies_about_after_kills"]),
    (
        Mutant::TruncateInPlace,
        &["atomic::object_is_never_seen_mixed", "durable::kills_amid_large_writes_lose_nothing"],
    ),
    (Mutant::DeleteInsertWithoutTransaction, &["atomic::object_is_never_seen_mixed"]),
    (Mutant::ParseFailureTakenAsEmpty, &["loud::a_spoilt_artefact_is_told_of_or_loses_nothing"]),
    (Mutant::ZeroBytesTakenAsEmpty, &["loud::a_spoilt_artefact_is_told_of_or_loses_nothing"]),
    (
        Mutant::BusySwallowed,
        &[
            "bounded::a_write_behind_a_held_gate_ends_with_the_timeout",
            "bounded::closing_with_a_queue_answers_everybody",
        ],
    ),
    (Mutant::InitialisationOutsideTheGate, &["linearizable::twenty_first_openers_share_one_store"]),
    (
        Mutant::UmaskTrusted,
        &[
            "shared_rightly::a_named_group_shares_a_store_whoever_creates_it",
            "shared_rightly::a_shared_store_is_written_by_its_group_whoever_creates_it",
        ],
    ),
    (
        Mutant::CompanionForgotten,
        &["shared_rightly::a_folder_that_hands_its_group_down_shares_a_store_whoever_creates_it"],
    ),
    (Mutant::GateForgotten, &["shared_rightly::a_named_group_shares_a_store_whoever_creates_it"]),
    (
        Mutant::AcknowledgedBeforeCommit,
        &[
            "durable::a_write_survives_a_process_that_ends_at_once",
            "linearizable::no_process_reads_what_was_replaced",
        ],
    ),
    (Mutant::AcknowledgedBeforeSync, &["durable::what_is_acknowledged_was_synced_before"]),
    (Mutant::SyncFailureSwallowed, &["bounded::a_failed_sync_is_indeterminate_and_mended"]),
    // The new name survives, what was written before it does not.
    (Mutant::RenameWithoutFileSync, &["durable::any_order_of_unsynced_writes_loses_nothing_acknowledged"]),
    // What was written survives, its name does not.
    (Mutant::RenameWithoutFolderSync, &["durable::any_order_of_unsynced_writes_loses_nothing_acknowledged"]),
    // What stands there is sound JSON with the right names.
    (Mutant::DigestIgnored, &["loud::a_random_change_of_a_file_is_told_of_or_changes_nothing"]),
    (Mutant::StaleCache, &["linearizable::no_process_reads_what_as_many_bytes_replaced"]),
    (Mutant::RevisionReusedAfterDeletion, &["linearizable::revisions_grow_over_deletion_and_reopening"]),
    (Mutant::RevisionReusedAfterACrash, &["linearizable::a_new_boot_raises_the_epoch"]),
    (Mutant::SequenceGapAfterACrash, &["in_order::an_append_retried_after_a_kill_lands_once"]),
    (Mutant::TornTailKept, &["in_order::an_append_retried_after_a_kill_lands_once"]),
    (Mutant::HalfALogBatchKept, &["atomic::a_batch_over_three_namespaces_is_never_seen_in_part"]),
    (Mutant::ReaderSeesHalfOfATwoFileBatch, &["atomic::a_batch_over_three_namespaces_is_never_seen_in_part"]),
    (Mutant::SyncCallDoesNothing, &["durable::what_is_seen_and_synced_is_synced"]),
    (Mutant::FailedSyncMarkForgotten, &["bounded::a_failed_sync_is_indeterminate_and_mended"]),
    (Mutant::FailedCommitReportedAsSurelyNotDone, &["bounded::a_failed_sync_is_indeterminate_and_mended"]),
    (Mutant::BusyAfterTheBatchWasTaken, &["in_order::eight_processes_append_to_one_log"]),
    (Mutant::GateReadableByOthers, &["shared_rightly::an_outsider_cannot_hold_the_gate"]),
    (
        Mutant::CheckEvaluatedOutsideTheTransaction,
        &[
            "linearizable::eight_processes_count_to_the_exact_sum",
            "linearizable::one_of_sixteen_creates_a_key",
        ],
    ),
    (Mutant::LockFileRecreated, &["linearizable::eight_processes_count_to_the_exact_sum"]),
    (Mutant::DeadlineIgnored, &["bounded::a_batch_brings_its_own_deadline"]),
    (Mutant::ErrorKindWrong, &["loud::a_link_in_place_of_a_companion_is_refused"]),
    (Mutant::SnapshotOfSeveralInstants, &["atomic::object_is_never_seen_mixed"]),
    (Mutant::TailLongerThanTheLogIsEmpty, &["in_order::pages_of_a_log_begin_and_end_where_they_are_told"]),
    (Mutant::KeysInTheOrderOfPeople, &["in_order::keys_are_listed_in_the_order_of_their_bytes"]),
    (Mutant::IntegerKeysFirst, &["in_order::keys_are_listed_in_the_order_of_their_bytes"]),
    (Mutant::CopyOfALargeDocumentKept, &["tidy::nothing_lies_about_after_ordinary_work"]),
    (Mutant::ValuesWrittenAnew, &["input_proof::every_kind_of_value_is_kept"]),
    (Mutant::NewerFormatTaken, &["loud::damage_that_the_engine_knows_is_refused_and_left_as_it_is"]),
    (
        Mutant::LinksFollowed,
        &[
            "loud::a_link_in_place_of_a_companion_is_refused",
            "loud::what_is_no_file_in_place_of_an_artefact_is_refused",
        ],
    ),
    (
        Mutant::MirrorOfWhatWasBefore,
        &[
            "mirrored_truly::a_reader_sees_whole_files_and_only_newer_ones",
            "mirrored_truly::after_a_kill_every_file_is_whole_and_the_next_process_catches_up",
        ],
    ),
    (
        Mutant::DumpOfSeveralInstants,
        &[
            "restorable::a_dump_under_load_is_one_instant",
            "restorable::a_dumper_that_is_stopped_holds_up_nobody_or_is_named",
        ],
    ),
    (
        Mutant::RestoreWithoutTransaction,
        &[
            "restorable::a_restore_is_seen_at_one_instant",
            "restorable::a_store_that_holds_something_is_not_restored_over_unasked",
            "restorable::a_kill_amid_a_restore_leaves_what_was_there_or_what_was_restored",
        ],
    ),
    (
        Mutant::RevisionReusedAfterARestore,
        &[
            "restorable::a_restore_gives_no_revision_again",
            "restorable::writes_beside_a_restore_come_before_it_or_after",
        ],
    ),
    (
        Mutant::TombstoneForgotten,
        &[
            "restorable::a_migration_loses_no_acknowledged_write_and_tells_everybody_where_to",
            "restorable::a_kill_amid_a_migration_leaves_the_old_store_or_the_new_one",
        ],
    ),
    (
        Mutant::TombstoneUncheckedByGet,
        &["restorable::a_migration_loses_no_acknowledged_write_and_tells_everybody_where_to"],
    ),
];

/// For every promise a mutant that only its own cases see.
pub(crate) const ONLY: &[(&str, Mutant)] = &[
    ("atomic", Mutant::SnapshotOfSeveralInstants),
    ("linearizable", Mutant::RevisionReusedAfterACrash),
    ("durable", Mutant::SyncCallDoesNothing),
    ("in_order", Mutant::IntegerKeysFirst),
    ("loud", Mutant::NewerFormatTaken),
    ("bounded", Mutant::DeadlineIgnored),
    ("shared_rightly", Mutant::GateReadableByOthers),
    ("tidy", Mutant::CopyOfALargeDocumentKept),
    ("input_proof", Mutant::ValuesWrittenAnew),
    ("mirrored_truly", Mutant::MirrorOfWhatWasBefore),
    ("restorable", Mutant::DumpOfSeveralInstants),
];
