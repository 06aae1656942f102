//! The smoke run of dumps: everything is carried and written, and what it leaves can be read.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::collections::BTreeSet;
use std::process::Command;

/// Runs the whole plan, small and for moments, in a folder of its own.
#[test]
fn a_quick_run_of_dumps_measures_everything_and_leaves_a_file() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let csv = folder.path().join("dumps.csv");
    let run = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(["--dumps", "--quick", "--at"])
        .arg(folder.path())
        .arg("--csv")
        .arg(&csv)
        .output()
        .unwrap();
    let [said, told] = [run.stdout, run.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(run.status.success(), "{told}");
    for part in ["SQLite 3.", "A smoke run", "× bare", "p99 ×", "Aims:", "memory below 64 MiB"] {
        assert!(said.contains(part), "{part} is missing in:\n{said}");
    }
    let text = std::fs::read_to_string(&csv).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let mut seen = BTreeSet::new();
    for row in lines {
        assert_eq!(row.len(), header.len(), "{row:?}");
        let field = |name| row[header.iter().position(|column| *column == name).unwrap()];
        let number = |name| field(name).parse::<f64>().unwrap();
        seen.insert(["engine", "work", "subject"].map(field).join(" "));
        if ["backup", "mirror"].contains(&field("work")) {
            assert!(number("p50_us") > 0.0 && number("p99_us") >= number("p50_us"), "{row:?}");
            assert_eq!(field("backup_p50_us").is_empty(), field("subject") != "disturbed", "{row:?}");
        } else {
            assert_eq!(field("records"), "2000", "{row:?}");
            assert!(number("bytes") > 100_000.0 && number("records_per_s") > 0.0, "{row:?}");
            if cfg!(target_os = "linux") {
                assert!(number("memory_peak_kib") >= number("memory_before_kib"), "{row:?}");
            }
        }
    }
    let mut wanted = BTreeSet::new();
    for engine in ["sqlite", "redb", "json"] {
        let works = [("export", &["store", "zstd", "bare"][..]), ("import", &["store", "zstd", "bare"])];
        let written = [("backup", &["alone", "disturbed"][..]), ("mirror", &["alone", "mirrored"])];
        for (work, subjects) in works.into_iter().chain(written) {
            wanted.extend(subjects.iter().map(|subject| format!("{engine} {work} {subject}")));
        }
    }
    assert_eq!(seen, wanted);
    let left: Vec<_> = folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["dumps.csv"], "stores were left");
}
