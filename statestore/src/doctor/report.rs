//! What a doctor has found, and what it has mended.

use std::fmt;
use std::path::{Path, PathBuf};

/// How one thing stands; the larger, the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It is as it has to be.
    Ok,
    /// It was not, and was mended by this run.
    Mended,
    /// The store works, but somebody should look at it.
    Warning,
    /// The store, or somebody who shares it, does not work, or what it keeps is in danger.
    Fault,
}

impl State {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Mended => "mended",
            Self::Warning => "warning",
            Self::Fault => "fault",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that was looked at.
///
/// # Examples
/// ```
/// use statestore::doctor::{Finding, State};
///
/// let stale = Finding::warning("mirror", "/srv/bus/jobs.json", "3 revisions behind")
///     .with_mend("statestore mirror --once");
/// assert_eq!((stale.state, stale.mend.as_deref()), (State::Warning, Some("statestore mirror --once")));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What was looked for, in one word such as `rights`.
    pub check: &'static str,
    /// How it stands.
    pub state: State,
    /// What was looked at.
    pub subject: PathBuf,
    /// What was found, and why that is so.
    pub why: String,
    /// The command that mends it; none if nothing has to be mended, or none can.
    pub mend: Option<String>,
}

impl Finding {
    fn new(check: &'static str, state: State, subject: &Path, why: impl Into<String>) -> Self {
        Self { check, state, subject: subject.to_owned(), why: why.into(), mend: None }
    }

    /// Says that something is as it has to be.
    pub fn ok(check: &'static str, subject: impl AsRef<Path>, why: impl Into<String>) -> Self {
        Self::new(check, State::Ok, subject.as_ref(), why)
    }

    /// Says that something was mended.
    pub fn mended(check: &'static str, subject: impl AsRef<Path>, why: impl Into<String>) -> Self {
        Self::new(check, State::Mended, subject.as_ref(), why)
    }

    /// Says that somebody should look at something.
    pub fn warning(check: &'static str, subject: impl AsRef<Path>, why: impl Into<String>) -> Self {
        Self::new(check, State::Warning, subject.as_ref(), why)
    }

    /// Says that something does not work.
    pub fn fault(check: &'static str, subject: impl AsRef<Path>, why: impl Into<String>) -> Self {
        Self::new(check, State::Fault, subject.as_ref(), why)
    }

    /// Names the command that mends it.
    pub fn with_mend(mut self, command: impl Into<String>) -> Self {
        self.mend = Some(command.into());
        self
    }

    /// Whether two are of the same thing, however it stands.
    pub(super) fn is_of_the_same(&self, other: &Self) -> bool {
        self.check == other.check && self.subject == other.subject
    }
}

/// All that was looked at: what was mended first, then how everything stands now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    findings: Vec<Finding>,
}

impl Report {
    /// Returns the findings, in the order in which they were made.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Returns how the worst of them stands; [`State::Ok`] for none.
    pub fn worst(&self) -> State {
        self.findings.iter().map(|finding| finding.state).max().unwrap_or(State::Ok)
    }

    /// Counts those that stand so.
    pub fn count(&self, state: State) -> usize {
        self.findings.iter().filter(|finding| finding.state == state).count()
    }

    /// Adds what was looked at elsewhere, such as a mirror.
    pub fn push(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
}

impl Extend<Finding> for Report {
    fn extend<T: IntoIterator<Item = Finding>>(&mut self, findings: T) {
        self.findings.extend(findings);
    }
}
