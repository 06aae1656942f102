//! How much is done, by how many processes at once.

use super::chart::{Chart, Line};
use crate::plan::{Case, Crowd, Operation, Part, Safety};
use crate::report::grouped;
use crate::summary::Results;

/// Draws an operation; of two durabilities the one that survives the loss of power.
pub(super) fn chart(results: &Results, operation: Operation) -> Chart {
    let mut cases = results.cases(Part::Throughput);
    cases.retain(|case| case.operation == operation && case.safety == Safety::Power);
    let mut crowds: Vec<Crowd> = Vec::new();
    for case in &cases {
        if !crowds.contains(&case.crowd) {
            crowds.push(case.crowd);
        }
    }
    let places: Vec<(f64, Crowd)> = (0..).map(f64::from).zip(crowds).collect();
    let durability = if operation.reads() { "" } else { ", durability power" };
    Chart {
        title: format!("{operation}{durability}"),
        x_title: "working at once".into(),
        y_title: "operations a second".into(),
        x_marks: places.iter().map(|(at, crowd)| (*at, name(*crowd))).collect(),
        y_words: grouped,
        lines: lines(results, &cases, &places),
    }
}

/// Engine after engine, the store before its peers.
fn lines(results: &Results, cases: &[Case], places: &[(f64, Crowd)]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for case in cases {
        let Some((at, _)) = places.iter().find(|(_, crowd)| *crowd == case.crowd) else { continue };
        for subject in case.subjects() {
            let rate = results.median(*case, subject).map(|summary| summary.rate).filter(|rate| *rate > 0.0);
            let Some(rate) = rate else { continue };
            let known = lines.iter().position(|line| line.engine == case.engine && line.subject == subject);
            let line = known.unwrap_or_else(|| {
                let (name, engine) = (case.name_of(subject), case.engine);
                lines.push(Line { name, engine, subject, joined: Vec::new(), apart: Vec::new() });
                lines.len() - 1
            });
            if let Some(line) = lines.get_mut(line) {
                match case.crowd {
                    Crowd::Processes(_) => line.joined.push((*at, rate)),
                    Crowd::Tasks(_) => line.apart.push((*at, rate)),
                }
            }
        }
    }
    lines
}

fn name(crowd: Crowd) -> String {
    match crowd {
        Crowd::Processes(1) => "1 process".into(),
        Crowd::Processes(n) => format!("{n} processes"),
        Crowd::Tasks(n) => format!("{n} tasks of one"),
    }
}
