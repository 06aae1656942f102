//! How long one process takes, by how much is stored.

use std::time::Duration;

use super::chart::{Chart, Line};
use crate::plan::{Operation, Part};
use crate::report::{grouped, words};
use crate::summary::Results;

/// Draws the median latency of an operation.
pub(super) fn chart(results: &Results, operation: Operation) -> Chart {
    let mut cases = results.cases(Part::Size);
    cases.retain(|case| case.operation == operation);
    let mut marks: Vec<f64> = cases.iter().map(|case| plain(case.size)).collect();
    marks.sort_by(f64::total_cmp);
    marks.dedup();
    let mut lines = Vec::new();
    for group in cases.chunk_by(|a, b| a.engine == b.engine) {
        let Some(first) = group.first() else { continue };
        for subject in first.subjects() {
            let point = |case| {
                let micros = results.median(case, subject)?.p50.as_secs_f64() * 1e6;
                Some((plain(case.size).log10(), micros))
            };
            lines.push(Line {
                name: first.name_of(subject),
                engine: first.engine,
                subject,
                joined: group.iter().filter_map(|case| point(*case)).collect(),
                apart: Vec::new(),
            });
        }
    }
    let what = match operation {
        Operation::Tail => "last 10 entries of a log, by its length".to_owned(),
        operation => format!("{operation}, by the number of keys"),
    };
    Chart {
        title: what,
        x_title: if operation.on_log() { "entries" } else { "keys" }.into(),
        y_title: "median latency".into(),
        x_marks: marks.into_iter().map(|size| (size.log10(), grouped(size))).collect(),
        y_words: |micros| words(Duration::from_secs_f64(micros / 1e6)),
        lines,
    }
}

fn plain(size: usize) -> f64 {
    f64::from(u32::try_from(size.max(1)).unwrap_or(u32::MAX))
}
