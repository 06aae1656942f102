//! What is mirrored, where to, and how soon.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::{AsciiSet, percent_decode_str, utf8_percent_encode};

use crate::error::{Error, ErrorKind, Result};
use crate::limits::check_namespace;
use crate::options::{Options, parse_duration, time_text};

/// What means something else in a list of namespaces.
const IN_LIST: &AsciiSet = &AsciiSet::EMPTY.add(b',').add(b'%').add(b' ');

/// Which logs a mirror shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MirrorLogs {
    /// None.
    #[default]
    None,
    /// Each log, whole.
    All,
    /// The last so many entries of each log.
    Last(u64),
}

impl FromStr for MirrorLogs {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "none" => Ok(Self::None),
            "all" => Ok(Self::All),
            number => match number.parse() {
                Ok(last @ 1..) => Ok(Self::Last(last)),
                _ => Err(()),
            },
        }
    }
}

impl MirrorLogs {
    const WORDS: &str = "none, all, or how many of the last entries";

    fn text(self) -> String {
        match self {
            Self::None => "none".into(),
            Self::All => "all".into(),
            Self::Last(last) => last.to_string(),
        }
    }
}

/// What a mirror shows of a store, where, and how soon.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use store_core::{MirrorConfig, MirrorLogs};
///
/// let config = MirrorConfig::new("/srv/bus/mirror")
///     .with_namespaces(["jobs", "routes"])
///     .with_debounce(Duration::ZERO)
///     .with_logs(MirrorLogs::Last(100));
/// assert!(config.wants("jobs") && !config.wants("locks"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorConfig {
    /// The folder of the mirror; it holds nothing else. Made when it is missing.
    pub dir: PathBuf,
    /// The namespaces that are shown; all if none are named.
    pub namespaces: Option<BTreeSet<String>>,
    /// How long changes are gathered before they are written; 200 ms by default. With 0 a write returns only
    /// after its mirror was tried.
    pub debounce: Duration,
    /// Which logs are shown; none by default.
    pub logs: MirrorLogs,
}

impl MirrorConfig {
    /// The longest time for which changes can be gathered.
    pub const LONGEST_DEBOUNCE: Duration = Duration::from_hours(1);
    const DEBOUNCE: Duration = Duration::from_millis(200);

    /// Mirrors the objects of all namespaces into a folder.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), namespaces: None, debounce: Self::DEBOUNCE, logs: MirrorLogs::None }
    }

    /// Shows these namespaces and no others.
    pub fn with_namespaces<N: Into<String>>(mut self, namespaces: impl IntoIterator<Item = N>) -> Self {
        self.namespaces = Some(namespaces.into_iter().map(Into::into).collect());
        self
    }

    /// Chooses how long changes are gathered; with 0 a write returns only after its mirror was tried.
    pub fn with_debounce(mut self, debounce: Duration) -> Self {
        self.debounce = debounce;
        self
    }

    /// Chooses which logs are shown.
    pub fn with_logs(mut self, logs: MirrorLogs) -> Self {
        self.logs = logs;
        self
    }

    /// Makes a relative folder one below another.
    pub fn in_folder(mut self, folder: &Path) -> Self {
        if !folder.as_os_str().is_empty() {
            self.dir = folder.join(self.dir);
        }
        self
    }

    /// Tells whether a namespace is shown.
    pub fn wants(&self, namespace: &str) -> bool {
        self.namespaces.as_ref().is_none_or(|named| named.contains(namespace))
    }

    /// Returns whether a write waits until its mirror was tried.
    pub fn is_synchronous(&self) -> bool {
        self.debounce.is_zero()
    }

    /// Takes the mirror out of the options of a configuration: `mirror`, `mirror_namespaces`,
    /// `mirror_debounce`, `mirror_logs`; none if there is no `mirror`.
    ///
    /// Namespaces are separated by commas; a comma within a name is written `%2C`, and `%` is `%25`.
    ///
    /// # Errors
    /// `ConfigInvalid` for a value that cannot be, listing those that can, and for the others without `mirror`.
    pub fn from_options(options: &mut Options) -> Result<Option<Self>> {
        let dir: Option<String> = options.take("mirror", "the folder of a mirror")?;
        let namespaces: Option<String> =
            options.take("mirror_namespaces", "namespaces separated by commas; leave it out for all")?;
        let debounce: Option<Debounce> = options.take("mirror_debounce", Debounce::WORDS)?;
        let logs: Option<MirrorLogs> = options.take("mirror_logs", MirrorLogs::WORDS)?;
        let Some(dir) = dir else {
            let given = [
                ("mirror_namespaces", namespaces.is_some()),
                ("mirror_debounce", debounce.is_some()),
                ("mirror_logs", logs.is_some()),
            ];
            return match given.iter().find(|(_, given)| *given) {
                None => Ok(None),
                Some((key, _)) => {
                    let why = format!("{key} needs a mirror; name its folder too, with mirror=FOLDER");
                    Err(options.locate(key, invalid(why)))
                }
            };
        };
        let namespaces = namespaces.map(|list| list_of(&list)).transpose();
        let default = Self::new(dir);
        let config = Self {
            namespaces: namespaces.map_err(|e| options.locate("mirror_namespaces", e))?,
            debounce: debounce.map_or(default.debounce, |debounce| debounce.0),
            logs: logs.unwrap_or_default(),
            ..default
        };
        match config.problem() {
            None => Ok(Some(config)),
            Some((key, why)) => Err(options.locate(key, invalid(why))),
        }
    }

    /// Returns the options, with their values, that make this configuration.
    ///
    /// # Examples
    /// ```
    /// use store_core::{MirrorConfig, Options};
    ///
    /// let config = MirrorConfig::new("mirror").with_namespaces(["a", "b,c"]);
    /// let written = config.to_options();
    /// let list = ("mirror_namespaces", "a,b%2Cc".to_owned());
    /// assert_eq!(written, [("mirror", "mirror".to_owned()), list]);
    /// ```
    pub fn to_options(&self) -> Vec<(&'static str, String)> {
        let mut options = vec![("mirror", self.dir.to_string_lossy().into_owned())];
        if let Some(namespaces) = &self.namespaces {
            let names: Vec<_> = namespaces.iter().map(|name| list_item(name)).collect();
            options.push(("mirror_namespaces", names.join(",")));
        }
        if self.debounce != Self::DEBOUNCE {
            options.push(("mirror_debounce", Debounce(self.debounce).text()));
        }
        if self.logs != MirrorLogs::None {
            options.push(("mirror_logs", self.logs.text()));
        }
        options
    }

    /// Checks that the configuration can be.
    ///
    /// # Errors
    /// `ConfigInvalid` says what cannot, and why.
    pub fn validate(&self) -> Result<()> {
        self.problem().map_or(Ok(()), |(_, why)| Err(invalid(why)))
    }

    fn problem(&self) -> Option<(&'static str, String)> {
        let dir = self.dir.to_string_lossy();
        if dir.is_empty() || dir.contains('\0') || dir == "~" || dir.starts_with("~/") {
            let why =
                format!("mirror={}: name a folder, such as mirror; ~ is not understood", dir.escape_debug());
            return Some(("mirror", why));
        }
        if self.debounce > Self::LONGEST_DEBOUNCE {
            return Some(("mirror_debounce", format!("mirror_debounce: give {}", Debounce::WORDS)));
        }
        if self.logs == MirrorLogs::Last(0) {
            return Some(("mirror_logs", format!("mirror_logs: give {}", MirrorLogs::WORDS)));
        }
        let names = self.namespaces.as_ref()?;
        if names.is_empty() {
            let why = "mirror_namespaces: name at least one, or leave it out for all";
            return Some(("mirror_namespaces", why.into()));
        }
        let refused = names.iter().find_map(|name| check_namespace(name).err())?;
        Some(("mirror_namespaces", format!("mirror_namespaces: {}", refused.message())))
    }
}

/// Writes a namespace as it stands in a list of them.
///
/// # Examples
/// ```
/// assert_eq!(store_core::list_item("100%, or so"), "100%25%2C%20or%20so");
/// ```
#[doc(hidden)]
pub fn list_item(namespace: &str) -> String {
    utf8_percent_encode(namespace, IN_LIST).to_string()
}

fn list_of(list: &str) -> Result<BTreeSet<String>> {
    let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
    let decoded = names.map(|name| {
        let decoded = percent_decode_str(name).decode_utf8().map(std::borrow::Cow::into_owned);
        decoded.map_err(|_| {
            let why = "is not UTF-8 once its %-codes are read; write it plainly";
            invalid(format!("mirror_namespaces: {name:?} {why}"))
        })
    });
    decoded.collect()
}

/// A time that may be 0.
struct Debounce(Duration);

impl Debounce {
    const WORDS: &str = "a time up to 1h such as 200ms, or 0 to wait for the mirror with every write";

    fn text(&self) -> String {
        if self.0.is_zero() { "0".into() } else { time_text(self.0) }
    }
}

impl FromStr for Debounce {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "0" => Ok(Self(Duration::ZERO)),
            time => parse_duration(time).map(Self).map_err(drop),
        }
    }
}

fn invalid(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::ConfigInvalid, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_as_the_same() {
        let odd = ["a,b", "100%", " x ", "%2C", "\u{e4}"];
        for config in [
            MirrorConfig::new("m"),
            MirrorConfig::new("m").with_namespaces(odd).with_debounce(Duration::ZERO),
            MirrorConfig::new("m").with_debounce(Duration::from_millis(1500)).with_logs(MirrorLogs::All),
            MirrorConfig::new("m").with_logs(MirrorLogs::Last(7)),
        ] {
            let mut options = Options::default();
            for (key, value) in config.to_options() {
                options.give(key, &value).unwrap();
            }
            assert_eq!(MirrorConfig::from_options(&mut options).unwrap(), Some(config));
            options.finish().unwrap();
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (query, part) in [
            ("mirror=", "name a folder"),
            ("mirror=~/m", "~"),
            ("mirror=m&mirror_debounce=2h", "up to 1h"),
            ("mirror=m&mirror_debounce=5", "200ms"),
            ("mirror=m&mirror_logs=0", "none, all"),
            ("mirror=m&mirror_namespaces=", "at least one"),
            ("mirror=m&mirror_namespaces=%25ff", "UTF-8"),
            ("mirror=m&mirror_namespaces=a%250Ab", "control"),
            ("mirror_logs=all", "needs a mirror"),
        ] {
            let error =
                Options::from_query(query).and_then(|mut o| MirrorConfig::from_options(&mut o)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{query}");
            assert!(error.to_string().contains(part), "{query}: {error}");
        }
    }
}
