//! Promise 4: log entries are numbered without gap, each whole, none lost, none twice; keys come in order.

mod appenders;

use store_core::{Batch, Blocking, Conflict, ErrorKind, Json, KeyRange, LogRange};

use super::{Case, cases};
use crate::arena::Arena;
use crate::failure::{Context, Outcome, Refused, ensure, ensure_eq};
use crate::job::Work;
use crate::values::{log, page};

use appenders::{an_append_retried_after_a_kill_lands_once, eight_processes_append_to_one_log};

pub(super) const CASES: &[Case] = cases![
    numbers_begin_at_one_and_have_no_gap,
    pages_of_a_log_begin_and_end_where_they_are_told,
    trimming_drops_the_oldest_and_keeps_the_numbers,
    trimming_past_the_end_empties_and_keeps_the_numbers,
    trimming_too_little_or_nothing_changes_nothing,
    logs_tell_their_extent,
    keys_are_listed_in_the_order_of_their_bytes,
    ranges_of_keys_begin_and_end_where_they_are_told,
    pages_of_keys_join_without_gap,
    a_prefix_selects_exactly_its_keys,
    a_retried_append_lands_once,
    an_append_retried_after_a_kill_lands_once,
    eight_processes_append_to_one_log,
];

pub(super) const WORKS: &[Work] = appenders::WORKS;

/// Appends the numbers `1..=last`, so that each entry is its own number.
fn count(store: &Blocking, name: &str, last: u64) -> Outcome {
    for n in 1..=last {
        ensure_eq!(store.append("n", name, Json::from(n))?, n);
    }
    Ok(())
}

/// Makes sure that a page holds exactly these numbers, and under each itself.
#[track_caller]
fn holds(store: &Blocking, range: LogRange, numbers: impl IntoIterator<Item = u64>) -> Outcome {
    let expected: Vec<_> = numbers.into_iter().map(|n| (n, n.to_string())).collect();
    let found = page(store, "n", "log", range)?;
    (found == expected).then_some(()).context(format_args!("{range:?} gave {found:?}, expected {expected:?}"))
}

fn numbers_begin_at_one_and_have_no_gap(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    count(&store, "log", 3)?;
    count(&store, "other", 2)?;
    let batch = Batch::new().append("n", "log", 4u64).append("n", "other", 3u64).append("n", "log", 5u64);
    ensure_eq!(store.commit(batch)?.appended().collect::<Vec<_>>(), [4, 3, 5]);
    store.close()?;
    let store = arena.open()?;
    ensure_eq!(store.append("n", "log", Json::from(6u64))?, 6, "after opening again");
    holds(&store, LogRange::all(), 1..=6)?;
    let times: Vec<_> = store.read_log("n", "log", LogRange::all())?.iter().map(|entry| entry.at).collect();
    ensure!(times.is_sorted(), "an unset clock does not go back: {times:?}");
    Ok(())
}

fn pages_of_a_log_begin_and_end_where_they_are_told(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    count(&store, "log", 10)?;
    holds(&store, LogRange::from(0), 1..=10)?;
    holds(&store, LogRange::from(1), 1..=10)?;
    holds(&store, LogRange::from(4), 4..=10)?;
    holds(&store, LogRange::from(10), 10..=10)?;
    holds(&store, LogRange::from(11), [])?;
    holds(&store, LogRange::from(u64::MAX), [])?;
    holds(&store, LogRange::from(4).with_limit(3), 4..=6)?;
    holds(&store, LogRange::from(9).with_limit(3), 9..=10)?;
    holds(&store, LogRange::all().with_limit(0), [])?;
    holds(&store, LogRange::all().with_limit(u64::MAX), 1..=10)?;
    holds(&store, LogRange::tail(0), [])?;
    holds(&store, LogRange::tail(3), 8..=10)?;
    holds(&store, LogRange::tail(10), 1..=10)?;
    holds(&store, LogRange::tail(u64::MAX), 1..=10)?;
    holds(&store, LogRange::tail(5).with_limit(2), 6..=7)
}

fn trimming_drops_the_oldest_and_keeps_the_numbers(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    count(&store, "log", 10)?;
    store.trim_log("n", "log", 4)?;
    holds(&store, LogRange::all(), 4..=10)?;
    holds(&store, LogRange::from(2).with_limit(2), 4..=5)?;
    holds(&store, LogRange::tail(9), 4..=10)?;
    ensure_eq!(store.append("n", "log", Json::from(11u64))?, 11);
    store.trim_log("n", "log", 11)?;
    holds(&store, LogRange::all(), 11..=11)?;
    store.close()?;
    let store = arena.open()?;
    ensure_eq!(store.append("n", "log", Json::from(12u64))?, 12, "after opening again");
    holds(&store, LogRange::all(), 11..=12)
}

fn trimming_past_the_end_empties_and_keeps_the_numbers(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    for (before, last) in [(4, 3), (u64::MAX, 4), (99, 5)] {
        let first = store.logs("n")?.pop().map_or(1, |info| info.last + 1);
        for n in first..=last {
            ensure_eq!(store.append("n", "log", Json::from(n))?, n);
        }
        store.trim_log("n", "log", before)?;
        holds(&store, LogRange::all(), [])?;
        holds(&store, LogRange::tail(3), [])?;
        let info = store.logs("n")?.pop().context("an emptied log is still a log")?;
        ensure_eq!((info.first, info.last), (last + 1, last));
        store.commit(Batch::new().check_log("n", "log", last))?;
    }
    store.close()?;
    let store = arena.open()?;
    ensure_eq!(store.append("n", "log", Json::from(6u64))?, 6, "after opening again");
    holds(&store, LogRange::all(), 6..=6)
}

fn trimming_too_little_or_nothing_changes_nothing(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    store.trim_log("n", "log", 5)?;
    ensure!(store.logs("n")?.is_empty() && store.namespaces()?.is_empty(), "trimming made a log");
    count(&store, "log", 5)?;
    for before in [0, 1] {
        store.trim_log("n", "log", before)?;
        holds(&store, LogRange::all(), 1..=5)?;
    }
    store.trim_log("n", "log", 4)?;
    for before in [0, 2, 4] {
        store.trim_log("n", "log", before)?;
        holds(&store, LogRange::all(), 4..=5)?;
    }
    Ok(())
}

fn logs_tell_their_extent(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    count(&store, "b", 3)?;
    count(&store, "a", 5)?;
    count(&store, "c", 2)?;
    store.append("m", "z", Json::from(1u64))?;
    store.trim_log("n", "a", 3)?;
    store.trim_log("n", "c", 3)?;
    let logs: Vec<_> = store.logs("n")?.into_iter().map(|info| (info.name, info.first, info.last)).collect();
    ensure_eq!(logs, [("a".to_owned(), 3, 5), ("b".to_owned(), 1, 3), ("c".to_owned(), 3, 2)]);
    Ok(())
}

/// Keys in the order of their bytes, which is not that of UTF-16, of any language, or of numbers.
const ORDERED: [&str; 14] =
    [" ", "!", "1", "10", "2", "A", "Z", "a", "aa", "b", "\u{e4}", "\u{d7ff}", "\u{ffff}", "\u{10000}"];

fn with_ordered_keys(arena: &Arena) -> Outcome<Blocking> {
    let store = arena.open()?;
    let mut keys = ORDERED;
    arena.chance().shuffle(&mut keys);
    for key in keys {
        store.put("n", key, Json::from(key))?;
    }
    // Neighbours that no range of "n" may reach into.
    store.put("m", "zzz", Json::from("m"))?;
    store.put("o", "!", Json::from("o"))?;
    Ok(store)
}

#[track_caller]
fn lists<'k>(store: &Blocking, range: KeyRange, keys: impl IntoIterator<Item = &'k str>) -> Outcome {
    let words = format!("{range:?}");
    let listed = store.list("n", range)?;
    let whole = listed.iter().all(|(key, entry)| entry.value == Json::from(key.as_str()));
    let found: Vec<&str> = listed.iter().map(|(key, _)| key.as_str()).collect();
    let expected: Vec<&str> = keys.into_iter().collect();
    (whole && found == expected)
        .then_some(())
        .context(format_args!("{words}: {found:?}, expected {expected:?}"))
}

fn keys_are_listed_in_the_order_of_their_bytes(arena: &Arena) -> Outcome {
    let store = with_ordered_keys(arena)?;
    ensure!(ORDERED.is_sorted(), "the case is wrong");
    lists(&store, KeyRange::all(), ORDERED)?;
    let object: Vec<String> = store.object("n")?.entries.into_keys().collect();
    ensure_eq!(object, ORDERED);
    Ok(())
}

fn ranges_of_keys_begin_and_end_where_they_are_told(arena: &Arena) -> Outcome {
    let store = with_ordered_keys(arena)?;
    let all = KeyRange::all;
    lists(&store, all().with_start("A").with_end("a"), ["A", "Z"])?;
    lists(&store, all().with_start("1").with_end("10"), ["1"])?;
    lists(&store, all().with_start("1").with_end("1"), [])?;
    lists(&store, all().with_start("b").with_end("a"), [])?;
    lists(&store, all().with_start("B").with_end("b"), ["Z", "a", "aa"])?;
    lists(&store, all().with_end("1"), [" ", "!"])?;
    lists(&store, all().with_end("\u{10000}").with_start("\u{d7ff}"), ["\u{d7ff}", "\u{ffff}"])?;
    lists(&store, all().with_start("\u{10000}"), ["\u{10000}"])?;
    lists(&store, all().with_start("\u{10001}"), [])?;
    lists(&store, all().with_start("a").with_limit(2), ["a", "aa"])?;
    lists(&store, all().with_limit(0), [])?;
    lists(&store, all().with_limit(usize::MAX), ORDERED)?;
    lists(&store, all().after("a").with_limit(1), ["aa"])?;
    lists(&store, all().after("\u{10000}"), [])
}

fn pages_of_keys_join_without_gap(arena: &Arena) -> Outcome {
    let store = with_ordered_keys(arena)?;
    for size in 1..=ORDERED.len() + 1 {
        let mut joined = Vec::new();
        let mut range = KeyRange::all().with_limit(size);
        loop {
            let page = store.list("n", range.clone())?;
            ensure!(page.len() <= size, "a page of {size} has {}", page.len());
            let Some((last, _)) = page.last() else { break };
            range = range.after(last);
            joined.extend(page.into_iter().map(|(key, _)| key));
        }
        ensure_eq!(joined, ORDERED, "pages of {size}");
    }
    Ok(())
}

fn a_prefix_selects_exactly_its_keys(arena: &Arena) -> Outcome {
    let store = with_ordered_keys(arena)?;
    lists(&store, KeyRange::prefix("a"), ["a", "aa"])?;
    lists(&store, KeyRange::prefix("1"), ["1", "10"])?;
    lists(&store, KeyRange::prefix("aaa"), [])?;
    lists(&store, KeyRange::prefix("\u{ffff}"), ["\u{ffff}"])?;
    lists(&store, KeyRange::prefix(""), ORDERED)?;
    for literal in ["_", "%", "*", "?", "[a]"] {
        lists(&store, KeyRange::prefix(literal), [])?;
        store.put("n", literal, Json::from(literal))?;
        lists(&store, KeyRange::prefix(literal), [literal])?;
        store.delete("n", literal)?;
    }
    Ok(())
}

fn a_retried_append_lands_once(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    for last in 0..5 {
        let append = Batch::new().check_log("n", "log", last).append("n", "log", last + 1);
        ensure_eq!(store.commit(append.clone())?.appended().collect::<Vec<_>>(), [last + 1]);
        for _ in 0..3 {
            let error = store.commit(append.clone()).refused(ErrorKind::Conflict)?;
            let Some(Conflict::Log { expected, found, .. }) = error.conflict() else {
                return Err(error.into());
            };
            ensure_eq!((*expected, *found), (last, last + 1));
        }
    }
    ensure_eq!(log(&store, "n", "log")?.len(), 5);
    holds(&store, LogRange::all(), 1..=5)
}
