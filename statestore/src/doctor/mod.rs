//! Looking whether a store is well, and mending what can be mended without anybody's decision.
//!
//! Looking changes nothing, makes nothing and takes no lock that a writer waits for. Mending changes rights
//! through handles that open nothing and follow no link, so that it does no harm to a store that is in use, and
//! is safe for root in folders where others write; it removes leftovers in the gate; the rest the store does
//! itself, as it does before any write.
//!
//! | file | looks at, and mends |
//! |---|---|
//! | `patient` | where the store lies, and what belongs to it |
//! | `expected` | which rights it has to have |
//! | `disk`, `folder`, `rights` | the filesystem, the folder, every file |
//! | `gate`, `leftovers`, `sizes` | the gate, what was left, sizes and times |
//! | `mirror` | the files of a mirror, if one is kept |
//! | `inside`, `treatment` | what the store itself says and mends |

mod disk;
mod expected;
mod folder;
mod gate;
mod inside;
mod leftovers;
mod mirror;
mod patient;
mod report;
mod rights;
mod sizes;
mod treatment;
mod words;

use store_core::{Error, ErrorKind, Result};

pub(crate) use patient::Examine;
pub use report::{Finding, Report, State};

use crate::config::StoreConfig;
use patient::Patient;

impl StoreConfig {
    /// Looks whether the store is well: files and their rights, folder, filesystem, gate, format, contents.
    ///
    /// Nothing is changed and nothing is made; a store in use is not kept waiting. What does not work is a
    /// [`Finding`] of the report, not an error. Every entry is read. Blocks the thread.
    ///
    /// # Errors
    /// - `NotFound` if there is no store; `ConfigInvalid` for a configuration that cannot be.
    /// - `PermissionDenied` or `Io` if the store's folder cannot be looked at.
    ///
    /// # Examples
    /// ```
    /// # if !cfg!(feature = "sqlite") { return Ok(()); }
    /// # let folder = std::env::temp_dir().join(format!("statestore-doc-doctor-{}", std::process::id()));
    /// use statestore::StoreConfig;
    /// use statestore::doctor::State;
    ///
    /// let config = StoreConfig::from_url(&format!("sqlite:{}/state.db", folder.display()))?;
    /// config.open_blocking()?.close()?;
    /// for finding in config.doctor()?.findings().iter().filter(|finding| finding.state == State::Fault) {
    ///     println!("{}: {}", finding.subject.display(), finding.why);
    /// }
    /// # std::fs::remove_dir_all(folder).unwrap();
    /// # Ok::<(), statestore::Error>(())
    /// ```
    pub fn doctor(&self) -> Result<Report> {
        context(self, || {
            let mut report = Report::default();
            report.extend(look(&Patient::of(self)?));
            Ok(report)
        })
    }

    /// Mends what can be mended without losing anything, and then looks at everything.
    ///
    /// Rights of the store's files; its folder, where the configuration says that it is shared; what a failed
    /// sync left in doubt; leftovers of killed processes; companions that are missing; and, if asked to, files that
    /// people changed by hand, as by [`adopt`](Self::adopt). What was done, and what may not be done by this user,
    /// is in the report. The gate is waited for within the timeout. Blocks the thread.
    ///
    /// # Errors
    /// Those of [`doctor`](Self::doctor); `ReadOnly` for a configuration that says `read_only`.
    pub fn mend(&self, adopt: bool) -> Result<Report> {
        context(self, || mend(self, adopt))
    }
}

fn context<T>(config: &StoreConfig, work: impl FnOnce() -> Result<T>) -> Result<T> {
    work().map_err(|error| error.with_operation("doctor").with_path(config.path()))
}

fn look(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings = disk::look(patient);
    findings.extend(folder::look(patient));
    findings.extend(rights::look(patient));
    findings.extend(gate::look(patient));
    findings.extend(leftovers::look(patient));
    findings.extend(sizes::look(patient));
    let (inside, last) = inside::look(patient);
    findings.extend(inside);
    findings.push(sizes::clock(patient, last));
    findings.extend(mirror::look(patient));
    findings
}

fn mend(config: &StoreConfig, adopt: bool) -> Result<Report> {
    if config.settings().read_only {
        let why = "read_only=true allows no mending; leave it out of the configuration";
        return Err(Error::new(ErrorKind::ReadOnly, why));
    }
    let patient = Patient::of(config)?;
    let mut done: Vec<Finding> = folder::mend(&patient).into_iter().collect();
    done.extend(rights::mend(&patient));
    // What stood in the way may be mended by now.
    let patient = Patient::of(config)?;
    done.extend(treatment::pass_once(&patient));
    if adopt {
        done.extend(treatment::adopt(&patient));
    }
    done.extend(leftovers::mend(&patient));
    let found = look(&Patient::of(config)?);
    // What could not be mended is found again: who tried knows more of it.
    let (tried, mended): (Vec<_>, Vec<_>) = done.into_iter().partition(|one| one.state > State::Mended);
    let mut report = Report::default();
    report.extend(mended);
    report.extend(found.into_iter().map(|found| {
        let same = tried.iter().find(|tried| found.state > State::Mended && tried.is_of_the_same(&found));
        same.cloned().unwrap_or(found)
    }));
    for one in tried {
        if !report.findings().contains(&one) {
            report.push(one);
        }
    }
    Ok(report)
}
