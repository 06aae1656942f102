//! Histories by hand: what must pass, and what must be found.

use conformance::history::{Check, Did, Start};

use crate::hands::*;

#[test]
fn one_call_after_the_other_is_fine() {
    fine(vec![
        (1, 1, 2, get("k", None)),
        (1, 3, 4, put("k", 17, 5)),
        (2, 5, 6, get("k", Some((17, 5)))),
        (1, 7, 8, delete("k", true)),
        (1, 9, 10, delete("k", false)),
        (2, 11, 12, object(6, &[])),
        (1, 13, 14, put("k", 18, 9)),
        (2, 15, 16, object(9, &[("k", 18, 9)])),
    ]);
}

#[test]
fn calls_at_one_time_may_take_effect_in_any_order() {
    fine(vec![
        (1, 1, 10, put("k", 1, 2)),
        (2, 2, 9, put("k", 2, 1)),
        (3, 3, 8, get("k", None)),
        (4, 4, 7, get("k", Some((2, 1)))),
        (5, 11, 12, get("k", Some((1, 2)))),
    ]);
}

#[test]
fn a_stale_read_is_found_and_told() {
    let mut operations = vec![(9, 1, 2, get("other", None))];
    operations.extend((1..60).map(|n| (1, n * 10, n * 10 + 5, put("other", 100 + n, n))));
    operations.push((1, 1_000, 1_001, put("k", 1, 101)));
    operations.push((1, 1_002, 1_003, put("j", 2, 102)));
    operations.push((1, 1_004, 1_005, put("k", 3, 103)));
    operations.push((2, 1_006, 1_007, get("k", Some((1, 101)))));
    let violation = wrong(operations);
    assert_eq!(violation.operations.len(), 3, "{violation}");
    assert_eq!(violation.offender().unwrap().process, 2, "{violation}");
    assert_eq!(violation.held, ["n/k = 3 at revision 103"]);
    let text = violation.to_string();
    assert!(text.contains("> process 2  [0.000 ms … 0.000 ms]  get n/k → 1 at revision 101"), "{text}");
    assert!(text.contains("must have held n/k = 3 at revision 103; but process 2 was told"), "{text}");
}

#[test]
fn a_lost_update_is_found() {
    let on = |revision| vec![key_at("k", Some(revision))];
    let write = |value| vec![put_call("n", "k", value)];
    let violation = wrong(vec![
        (1, 1, 2, put("k", 1, 1)),
        (1, 3, 10, commit(on(1), write(2), &[("n", 2)], vec![Did::Written(2)])),
        (2, 4, 11, commit(on(1), write(3), &[("n", 3)], vec![Did::Written(3)])),
    ]);
    assert_eq!(violation.operations.len(), 3, "{violation}");
}

#[test]
fn a_read_of_what_surely_failed_is_found() {
    wrong(vec![(1, 1, 2, refused(put_call("n", "k", 1))), (2, 3, 4, get("k", Some((1, 1))))]);
    fine(vec![(1, 1, 2, refused(put_call("n", "k", 1))), (2, 3, 4, get("k", None))]);
}

#[test]
fn half_a_batch_over_two_namespaces_is_found() {
    let both = || {
        let writes = vec![put_call("n", "k", 1), put_call("m", "k", 2)];
        commit(vec![], writes, &[("n", 1), ("m", 1)], vec![Did::Written(1), Did::Written(1)])
    };
    let read = |n, m| vec![(1, 1, 9, both()), (2, 2, 3, get_in("n", "k", n)), (2, 4, 5, get_in("m", "k", m))];
    fine(read(None, Some((2, 1))));
    fine(read(Some((1, 1)), Some((2, 1))));
    let violation = wrong(read(Some((1, 1)), None));
    assert_eq!(violation.operations.len(), 3, "{violation}");
}

#[test]
fn a_revision_that_is_used_again_is_found() {
    let ending = |again| {
        vec![
            (1, 1, 2, put("k", 1, 1)),
            (1, 3, 4, put("k", 2, 2)),
            (1, 5, 6, delete_namespace(true)),
            (1, 7, 8, put("k", 3, again)),
        ]
    };
    wrong(ending(1));
    wrong(ending(2));
    wrong(ending(3));
    fine(ending(4));
}

#[test]
fn gaps_and_twins_of_numbers_are_found() {
    fine(vec![(1, 1, 5, append(1, 2)), (2, 1, 5, append(2, 1)), (1, 6, 7, append(3, 3))]);
    wrong(vec![(1, 1, 2, append(1, 1)), (1, 3, 4, append(2, 3))]);
    wrong(vec![(1, 1, 5, append(1, 1)), (2, 1, 5, append(2, 1))]);
    wrong(vec![(1, 1, 2, append(1, 2))]);
}

#[test]
fn a_lost_append_is_found_without_all_that_came_before() {
    let mut operations: Vec<_> = (1..200).map(|n| (1, n * 10, n * 10 + 5, append(n, n))).collect();
    operations.push((2, 5_000, 5_001, page(Start::Tail(2), &[(197, 197), (198, 198)])));
    let violation = wrong(operations);
    assert!(violation.operations.len() <= 4, "{violation}");
}

#[test]
fn a_page_that_is_mixed_up_is_found() {
    let two = || vec![(1, 1, 2, append(1, 1)), (1, 3, 4, append(2, 2))];
    let with = |entries: &[(u64, u64)]| [two(), vec![(2, 5, 6, page(Start::From(0), entries))]].concat();
    fine(with(&[(1, 1), (2, 2)]));
    wrong(with(&[(1, 2), (2, 1)]));
    wrong(with(&[(1, 1)]));
    wrong(with(&[(2, 2)]));
}

#[test]
fn a_conflict_that_lies_is_found() {
    let with = |checks, found, value| {
        vec![(1, 1, 2, put("k", 1, 5)), (2, 3, 4, conflict(checks, vec![put_call("n", "k", value)], found))]
    };
    fine(with(vec![key_at("k", None)], key_at("k", Some(5)), 2));
    wrong(with(vec![key_at("k", None)], key_at("k", Some(4)), 2));
    wrong(with(vec![key_at("k", Some(5))], key_at("k", Some(5)), 2));
    wrong(with(vec![key_at("k", Some(5))], key_at("k", None), 2));
    wrong(with(vec![key_at("k", None)], key_at("j", Some(5)), 2));
    let object = |revision| Check::Object { namespace: "n".into(), revision };
    fine(with(vec![object(4)], object(5), 2));
    wrong(with(vec![object(4)], object(6), 2));
}

#[test]
fn a_killed_write_is_seen_or_not_but_does_not_come_and_go() {
    let killed = || (1, 3, 0, unknown(put_call("n", "k", 2)));
    let first = || (2, 1, 2, put("k", 1, 1));
    fine(vec![first(), killed(), (2, 4, 5, get("k", Some((1, 1))))]);
    fine(vec![first(), killed(), (2, 4, 5, get("k", Some((2, 9))))]);
    let late = [(4, Some((1, 1))), (6, Some((1, 1))), (8, Some((2, 3)))];
    let reads = |seen: &[(u64, Option<(u64, u64)>)]| {
        let reads = seen.iter().map(|(at, found)| (2, *at, at + 1, get("k", *found)));
        [first(), killed()].into_iter().chain(reads).collect::<Vec<_>>()
    };
    fine(reads(&late));
    wrong(reads(&[(4, Some((2, 3))), (6, Some((1, 1)))]));
    wrong(reads(&[(4, Some((2, 3))), (6, Some((2, 4)))]));
    wrong(reads(&[(4, Some((2, 1)))]));
    // Before it was called it cannot have been seen.
    wrong(vec![(2, 1, 2, get("k", Some((2, 1)))), killed()]);
}

#[test]
fn a_write_that_nobody_saw_explains_what_nothing_else_does() {
    fine(vec![(1, 1, 0, unknown(put_call("n", "k", 1))), (2, 2, 3, delete("k", true))]);
    wrong(vec![(2, 2, 3, delete("k", true))]);
    fine(vec![(1, 1, 0, unknown(append_call("n", 1))), (2, 2, 3, append(2, 2))]);
    fine(vec![
        (1, 1, 2, put("k", 1, 1)),
        (2, 3, 0, unknown(delete_call("n", "k"))),
        (1, 4, 5, get("k", None)),
        (1, 6, 7, object(4, &[])),
        (1, 8, 9, put("k", 2, 5)),
    ]);
    wrong(vec![
        (1, 1, 2, put("k", 1, 1)),
        (2, 3, 0, unknown(delete_call("n", "k"))),
        (1, 4, 5, get("k", None)),
        (1, 6, 7, put("k", 2, 2)),
    ]);
}

#[test]
fn logs_begin_again_when_their_namespace_was_deleted() {
    let begun = || vec![(1, 1, 2, append(1, 1)), (1, 3, 4, append(2, 2)), (1, 5, 6, delete_namespace(true))];
    fine([begun(), vec![(1, 7, 8, append(3, 1)), (1, 9, 10, delete_namespace(true))]].concat());
    wrong([begun(), vec![(1, 7, 8, append(3, 3))]].concat());
    wrong([begun(), vec![(1, 7, 8, page(Start::Tail(1), &[(2, 2)]))]].concat());
    fine([begun(), vec![(1, 7, 8, delete_namespace(false))]].concat());
}

#[test]
fn trimming_keeps_the_numbers() {
    let trimmed = |before| {
        vec![
            (1, 1, 2, append(1, 1)),
            (1, 3, 4, append(2, 2)),
            (1, 5, 6, trim(before)),
            (1, 7, 8, append(3, 3)),
        ]
    };
    fine([trimmed(9), vec![(2, 9, 10, page(Start::From(0), &[(3, 3)]))]].concat());
    fine([trimmed(2), vec![(2, 9, 10, page(Start::From(0), &[(2, 2), (3, 3)]))]].concat());
    wrong([trimmed(9), vec![(2, 9, 10, page(Start::From(0), &[(2, 2), (3, 3)]))]].concat());
}

#[test]
fn all_changes_of_one_object_in_a_batch_have_one_revision() {
    let writes = || vec![put_call("n", "a", 1), put_call("n", "b", 2)];
    let both = || commit(vec![], writes(), &[("n", 4)], vec![Did::Written(4), Did::Written(4)]);
    fine(vec![(1, 1, 2, both()), (1, 3, 4, object(4, &[("a", 1, 4), ("b", 2, 4)]))]);
    wrong(vec![(1, 1, 2, both()), (1, 3, 4, object(4, &[("a", 1, 3), ("b", 2, 4)]))]);
    wrong(vec![(1, 1, 2, commit(vec![], writes(), &[("n", 4)], vec![Did::Written(3), Did::Written(4)]))]);
}
