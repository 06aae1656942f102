//! The smoke run: everything is measured, and what it leaves can be read.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Runs the whole plan, small and for moments, in a folder of its own.
#[test]
fn a_quick_run_measures_everything_and_leaves_a_file_and_plots() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let [csv, plots] = ["results.csv", "plots"].map(|name| folder.path().join(name));
    let run = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(["--quick", "--at"])
        .arg(folder.path())
        .arg("--csv")
        .arg(&csv)
        .arg("--plots")
        .arg(&plots)
        .output()
        .unwrap();
    let [said, told] = [run.stdout, run.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(run.status.success(), "{told}");
    for part in ["SQLite 3.", "A smoke run", "× bare", "memory", "Aims:", "reached"] {
        assert!(said.contains(part), "{part} is missing in:\n{said}");
    }
    let rows = rows(&std::fs::read_to_string(&csv).unwrap());
    check_results(&rows);
    check_plan(&rows);
    check_plots(&plots);
    let left: BTreeSet<_> =
        folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["plots", "results.csv"].map(Into::into).into(), "databases were left");
}

/// Splits the file; each row has its columns by name.
fn rows(csv: &str) -> Vec<Vec<(String, String)>> {
    let mut lines = csv.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let header = lines.next().unwrap();
    lines
        .map(|row| {
            assert_eq!(row.len(), header.len(), "{row:?}");
            header.iter().cloned().zip(row).collect()
        })
        .collect()
}

fn field<'r>(row: &'r [(String, String)], name: &str) -> &'r str {
    &row.iter().find(|(column, _)| column == name).unwrap().1
}

/// A busy machine may keep somebody from a success in these moments, but nobody from a first attempt.
fn check_results(rows: &[Vec<(String, String)>]) {
    for row in rows {
        let number = |name| field(row, name).parse::<f64>().unwrap();
        assert!(number("ops_per_s") >= 0.0, "{row:?}");
        let latencies = ["p50_us", "p99_us", "p99.9_us"].map(number);
        assert!(latencies[0] > 0.0 && latencies.is_sorted(), "{row:?}");
        assert!((0.0..=1.0).contains(&number("slowest_share")), "{row:?}");
        if cfg!(target_os = "linux") {
            let memory = ["memory_before_kib", "memory_after_kib", "memory_peak_kib"].map(number);
            assert!(memory[0] > 0.0 && memory[1] > 0.0 && memory[2] >= memory[1], "{row:?}");
        }
    }
    let worked = rows.iter().filter(|row| field(row, "ops_per_s") != "0.0").count();
    assert!(worked * 10 >= rows.len() * 9, "{worked} of {} rows have a success", rows.len());
}

fn check_plan(rows: &[Vec<(String, String)>]) {
    let seen: BTreeSet<[&str; 4]> = rows
        .iter()
        .map(|row| ["part", "engine", "operation", "subject"].map(|name| field(row, name)))
        .collect();
    for engine in ["sqlite", "redb", "json"] {
        for operation in ["get", "put", "append", "replace_object", "object"] {
            for subject in ["store", "bare"] {
                let wanted = ["throughput", engine, operation, subject];
                assert!(seen.contains(&wanted), "{wanted:?} was not measured");
            }
        }
        assert!(seen.contains(&["size", engine, "tail", "store"]), "{engine}: no tail");
    }
    for wanted in [
        ["throughput", "redb", "put", "exclusive"],
        ["throughput", "sqlite", "put", "bare+revision"],
        ["throughput", "json", "put", "unsynced"],
        ["size", "json", "put", "bare"],
        ["size", "sqlite", "get", "bare"],
        ["size", "redb", "get", "store"],
    ] {
        assert!(seen.contains(&wanted), "{wanted:?} was not measured");
    }
    let durabilities: BTreeSet<_> = rows
        .iter()
        .filter(|row| field(row, "engine") == "sqlite" && field(row, "operation") == "put")
        .map(|row| field(row, "durability"))
        .collect();
    assert_eq!(durabilities, ["power", "process"].into());
}

fn check_plots(folder: &Path) {
    let mut names: Vec<_> =
        folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let wanted = [
        "size-get.svg",
        "size-put.svg",
        "size-tail.svg",
        "throughput-append.svg",
        "throughput-get.svg",
        "throughput-object.svg",
        "throughput-put.svg",
        "throughput-replace_object.svg",
    ];
    assert_eq!(names, wanted);
    for name in names {
        let svg = std::fs::read_to_string(folder.join(&name)).unwrap();
        assert!(svg.contains("store on ") && svg.contains("<circle"), "{name}");
        check_xml(&name, &svg);
    }
}

/// Checks that every element is ended in its turn, and that one holds all.
fn check_xml(name: &str, text: &str) {
    let mut open = Vec::new();
    let mut roots = 0;
    let mut rest = text.trim();
    while let Some((_, after)) = rest.split_once('<') {
        let (tag, after) = after.split_once('>').unwrap_or_else(|| panic!("{name}: a tag without an end"));
        assert!(!tag.contains('<'), "{name}: {tag}");
        let word = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(word), "{name}");
        } else {
            roots += usize::from(open.is_empty());
            if !tag.ends_with('/') {
                open.push(word);
            }
        }
        rest = after;
    }
    assert!(
        open.is_empty() && roots == 1 && text.starts_with("<svg "),
        "{name}: {roots} roots, open {open:?}"
    );
}
