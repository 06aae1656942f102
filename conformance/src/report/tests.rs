//! What is written of a run, looked at as those would who read it.

use quick_junit::Report as Junit;

use super::*;
use crate::exhibit::Span;

/// A run of which one case failed, with a drawing.
fn sample() -> Report {
    let case = |backend: &str, case: &str, verdict| CaseReport {
        backend: backend.to_owned(),
        promise: "linearizable".to_owned(),
        case: case.to_owned(),
        verdict,
        seconds: 1.5,
        counts: BTreeMap::from([(Count::Kills, 3), (Count::Operations, 12_345)]),
    };
    let span = |process: &str, from, to, text: &str, offends| Span {
        process: process.to_owned(),
        from,
        to,
        text: text.to_owned(),
        offends,
    };
    let exhibit = Exhibit {
        title: "No order explains what process 3 read".to_owned(),
        spans: vec![
            span("process 1", 1_000_000, Some(2_500_000), "put n/k = 1 → revision 1", false),
            span("process 2", 2_000_000, Some(3_250_000), "put n/k = 2 → revision 2", false),
            span("process 1", 3_000_000, None, "put n/<other> = 3", false),
            span("process 3", 4_000_000, Some(4_750_000), "get n/k → 1 at revision 1", true),
        ],
    };
    let failed = Verdict::Failed { words: "a stale read <k>\nand more".to_owned(), exhibits: vec![exhibit] };
    let cases = vec![
        case("one", "reads_are_fresh", Verdict::Passed),
        case("one", "nobody_waits", Verdict::Ignored { why: "needs root".to_owned() }),
        case("two", "reads_are_fresh", failed),
        case("two", "nobody_waits", Verdict::NotDeclared { why: "logs".to_owned() }),
    ];
    let about = About {
        suite: "1.2.3".to_owned(),
        started: "2026-01-31T09:30:00.000Z".to_owned(),
        seconds: 12.0,
        profile: Profile::Full,
        bound: Some(600.0),
        seed: 7,
        machine: Machine::of(Path::new("/")),
        engines: Vec::new(),
    };
    Report::new(about, cases)
}

#[test]
fn what_is_written_as_json_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.json");
    sample().write_json(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), sample());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing lies beside it");
}

#[test]
fn the_page_shows_the_failure_and_needs_nothing_else() {
    let page = html::page(&sample());
    for part in [
        "1 passed, 1 failed, 1 ignored, 1 not declared",
        "a stale read &lt;k&gt;",
        "put n/&lt;other&gt; = 3",
        "No order explains",
        "cannot be ordered",
        "--backend two --filter linearizable::reads_are_fresh --profile full --seed 7",
        "12,345 operations checked",
        "prefers-color-scheme: dark",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert_eq!(page.matches("class=\"bar offends\"").count(), 1);
    assert_eq!(page.matches("class=\"bar open\"").count(), 1);
    assert!(!page.contains("http"), "it would ask the network");
}

#[test]
fn build_servers_are_told_of_failures_and_of_what_did_not_run() {
    let text = junit::of(&sample()).unwrap();
    let read = Junit::deserialize_from_str(&text).unwrap();
    let failures: Vec<_> = read.test_suites.iter().map(|suite| (suite.tests, suite.failures)).collect();
    assert_eq!(failures, [(2, 0), (2, 1)], "{text}");
    assert_eq!(text.matches("<skipped").count(), 2, "{text}");
    assert!(text.contains("a stale read"), "{text}");
}

#[test]
fn the_table_counts_by_promise_and_backend() {
    let table = sample().table();
    assert!(table.contains("1 passed, 1 ignored") && table.contains("1 FAILED, 1 not declared"), "{table}");
    assert!(table.contains("24,690"), "{table}");
}

#[test]
fn what_cannot_be_written_is_said_with_its_path() {
    let why = sample().write_json(Path::new("/no/such/folder/out.json")).unwrap_err();
    assert!(why.contains("/no/such/folder/out.json"), "{why}");
}
