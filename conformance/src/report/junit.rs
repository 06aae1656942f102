//! A report in the form that build servers read.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};

use super::{CaseReport, Report, Verdict};

/// Returns the text of the file: one suite of tests for each backend.
pub(super) fn of(report: &Report) -> Result<String, String> {
    let mut junit = Junit::new("conformance");
    junit.set_time(Duration::from_secs_f64(report.about.seconds));
    for backend in report.backends() {
        let mut suite = TestSuite::new(backend);
        let cases = report.cases.iter().filter(|case| case.backend == backend);
        suite.add_test_cases(cases.map(|case| test_case(report, case)));
        suite.add_property(("seed", report.about.seed.to_string().as_str()));
        junit.add_test_suite(suite);
    }
    junit.to_string().map_err(|error| error.to_string())
}

fn test_case(report: &Report, case: &CaseReport) -> TestCase {
    let status = match &case.verdict {
        Verdict::Passed => TestCaseStatus::success(),
        Verdict::Failed { words, .. } => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(words.lines().next().unwrap_or_default());
            status.set_description(format!("{words}\n{}", report.command(case)));
            status
        }
        Verdict::Ignored { why } | Verdict::NotDeclared { why } => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(why.as_str());
            status
        }
    };
    let mut test = TestCase::new(case.case.as_str(), status);
    test.set_classname(format!("{}.{}", case.backend, case.promise));
    test.set_time(Duration::from_secs_f64(case.seconds));
    test
}
