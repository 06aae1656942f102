//! A report as one page: the result, the promises, the failures drawn, every case; it needs no network.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::table::{Tally, thousands};
use super::{CaseReport, Report, Verdict, timeline};
use crate::counts::Count;

/// How everything looks, by day and by night.
const STYLE: &str = include_str!("page.css");

/// Returns the page.
pub(super) fn page(report: &Report) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Conformance: " (verdict(report)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Conformance of a state store" }
                p.verdict.bad[report.failed() > 0] { (verdict(report)) }
                (about(report))
                h2 { "Promises" }
                (promises(report))
                h2 { "Counted" }
                (counts(report))
                (failures(report))
                h2 { "Cases" }
                @for backend in report.backends() { (cases(report, backend)) }
            }
        }
    };
    page.into_string()
}

fn verdict(report: &Report) -> String {
    let words = [
        (report.passed(), "passed"),
        (report.failed(), "failed"),
        (report.ignored(), "ignored"),
        (report.not_declared(), "not declared"),
    ];
    let words = words.into_iter().filter(|(n, what)| *n > 0 || *what == "failed");
    words.map(|(n, what)| format!("{n} {what}")).collect::<Vec<_>>().join(", ")
}

fn about(report: &Report) -> Markup {
    let about = &report.about;
    let machine = &about.machine;
    html! {
        table.about {
            tr { th { "begun" } td { (about.started) ", took " (seconds(about.seconds)) } }
            tr { th { "profile" } td {
                (about.profile.pick("quick", "full"))
                @if let Some(bound) = about.bound { ", bounded to " (seconds(bound)) }
                ", seed " (about.seed) ", suite " (about.suite)
            } }
            tr { th { "machine" } td {
                (machine.kernel) ", " (machine.architecture) ", " (machine.processors) " processors, "
                (indicatif::BinaryBytes(machine.memory).to_string())
            } }
            tr { th { "filesystem" } td { (machine.filesystem) } }
            @for engine in &about.engines {
                tr { th { (engine.backend) } td {
                    (engine.version) "; a commit survives the " (engine.commit_survives)
                    @if !engine.lacks.is_empty() {
                        "; lacks "
                        (engine.lacks.iter().map(|lacks| lacks.as_str()).collect::<Vec<_>>().join(", "))
                    }
                } }
            }
        }
    }
}

fn promises(report: &Report) -> Markup {
    let backends = report.backends();
    html! {
        table.grid {
            tr { th { "promise" } @for backend in &backends { th { (backend) } } }
            @for promise in report.promises() {
                tr {
                    th { (promise) }
                    @for backend in &backends {
                        @let tally = Tally::of(report, promise, backend);
                        td.bad[tally.failed > 0].good[tally.failed == 0 && tally.passed > 0] { (tally.words()) }
                    }
                }
            }
        }
    }
}

fn counts(report: &Report) -> Markup {
    let backends = report.backends();
    let number = |backend: &str, what: Count| {
        report.counts.get(backend).and_then(|counts| counts.get(&what)).copied().unwrap_or(0)
    };
    let counted = |what: &Count| backends.iter().any(|backend| number(backend, *what) > 0);
    html! {
        table.grid {
            tr { th {} @for backend in &backends { th { (backend) } } }
            @for what in Count::ALL.into_iter().filter(counted) {
                tr {
                    th { (what.as_str()) }
                    @for backend in &backends { td.number { (thousands(number(backend, what))) } }
                }
            }
        }
    }
}

fn failures(report: &Report) -> Markup {
    let failed = report.cases.iter().filter_map(|case| match &case.verdict {
        Verdict::Failed { words, exhibits } => Some((case, words, exhibits)),
        _ => None,
    });
    html! {
        @for (at, (case, words, exhibits)) in failed.enumerate() {
            @if at == 0 { h2 { "Failures" } }
            section.failure id=(case.name()) {
                h3 { (case.name()) }
                pre { (words) }
                @for exhibit in exhibits { (timeline::draw(exhibit)) }
                p { "Again: " code { (report.command(case)) } }
            }
        }
    }
}

fn cases(report: &Report, backend: &str) -> Markup {
    let cases: Vec<&CaseReport> = report.cases.iter().filter(|case| case.backend == backend).collect();
    let longest = cases.iter().map(|case| case.seconds).fold(0.001, f64::max);
    html! {
        details {
            summary { (backend) ": " (cases.len()) " cases" }
            table.cases {
                tr { th { "promise" } th { "case" } th { "came to" } th { "took" } th {} th { "counted" } }
                @for case in &cases {
                    tr {
                        td { (case.promise) }
                        td { (case.case.replace('_', " ")) }
                        td { (came_to(case)) }
                        td.number { (seconds(case.seconds)) }
                        td { meter min="0" max=(format!("{longest:.3}")) value=(format!("{:.3}", case.seconds)) {} }
                        td { (counted(case)) }
                    }
                }
            }
        }
    }
}

fn came_to(case: &CaseReport) -> Markup {
    match &case.verdict {
        Verdict::Passed => html! { span.good { "passed" } },
        Verdict::Failed { .. } => html! { a.bad href=(format!("#{}", case.name())) { "failed" } },
        Verdict::Ignored { why } => html! { span title=(why) { "ignored: " (why) } },
        Verdict::NotDeclared { why } => html! { span title=(why) { "not declared" } },
    }
}

fn counted(case: &CaseReport) -> String {
    let counts = case.counts.iter().map(|(what, n)| format!("{} {}", thousands(*n), what.as_str()));
    counts.collect::<Vec<_>>().join(", ")
}

fn seconds(seconds: f64) -> String {
    if seconds < 100.0 { format!("{seconds:.2} s") } else { format!("{:.1} min", seconds / 60.0) }
}
