//! How a store is opened: what a write survives, how long a call waits, who may share the files.

use std::str::FromStr;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;
use crate::options::{Options, size_text, time_text};

/// What an acknowledged write survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Durability {
    /// The kill of any or all processes, but not the loss of power.
    Process,
    /// The loss of power too.
    #[default]
    Power,
}

impl FromStr for Durability {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "process" => Ok(Self::Process),
            "power" => Ok(Self::Power),
            _ => Err("process or power".into()),
        }
    }
}

impl Durability {
    /// Returns the word for it in a configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Power => "power",
        }
    }
}

/// Who may share the files of a store; set on every artefact whatever the creator's umask.
///
/// The gate is never readable by others, for whoever can open a lock file can hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// The creator alone: files 0600, folders 0700.
    Private,
    /// The owner group reads and writes: files 0660, folders 2770.
    Group,
    /// The owner group reads and writes, everybody reads: files 0664, folders 2775, the gate 0660.
    Shared,
}

impl FromStr for Access {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "private" => Ok(Self::Private),
            "group" => Ok(Self::Group),
            "shared" => Ok(Self::Shared),
            _ => Err("private, group or shared".into()),
        }
    }
}

impl Access {
    /// Returns the word for it in a configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Group => "group",
            Self::Shared => "shared",
        }
    }
}

/// What every engine's store is opened with.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use store_core::{Access, Durability, Settings};
///
/// let settings = Settings::default()
///     .with_durability(Durability::Process)
///     .with_timeout(Duration::from_secs(2))
///     .with_access(Access::Group)
///     .with_group("agents");
/// # let _ = settings;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What an acknowledged write survives unless its batch says otherwise; `power` by default.
    pub durability: Durability,
    /// How long a call waits at most unless its batch says otherwise; 5 s by default.
    pub timeout: Duration,
    /// Who may share the files; by default `group` if a group is named or the folder hands its group down
    /// (setgid), else `private`.
    pub access: Option<Access>,
    /// The owner group of every artefact, a name or a number.
    pub group: Option<String>,
    /// Whether a missing store is created; yes by default.
    pub create: bool,
    /// Whether every write is refused and nothing on disk is changed; no by default.
    pub read_only: bool,
    /// How large values and batches may get.
    pub limits: Limits,
    /// What a drill pretends of the machine; empty outside of tests.
    #[doc(hidden)]
    pub seams: Seams,
}

/// Facts of the machine that a drill replaces, for what no test can bring about for real.
#[doc(hidden)]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seams {
    /// The kind of filesystem the store lies on, such as `nfs`.
    pub filesystem: Option<String>,
    /// The boot id of the machine.
    pub boot_id: Option<String>,
    /// The version number of the engine, in its own scheme.
    pub engine_version: Option<i32>,
    /// How far the wall clock was set back; no wait goes by it.
    pub clock_back: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            timeout: Self::DEFAULT_TIMEOUT,
            access: None,
            group: None,
            create: true,
            read_only: false,
            limits: Limits::default(),
            seams: Seams::default(),
        }
    }
}

impl Settings {
    /// How long a call waits at most unless told otherwise.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
    const LONGEST_TIMEOUT: Duration = Duration::from_hours(24);

    /// Chooses what an acknowledged write survives.
    pub fn with_durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Bounds the wait of every call.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Chooses who may share the files.
    pub fn with_access(mut self, access: Access) -> Self {
        self.access = Some(access);
        self
    }

    /// Names the owner group of every artefact, by name or number.
    pub fn with_group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// Chooses whether a missing store is created.
    pub fn with_create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// Chooses whether every write is refused.
    pub fn with_read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }

    /// Chooses how large values and batches may get.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Pretends facts of the machine, for drills.
    #[doc(hidden)]
    pub fn with_seams(mut self, seams: Seams) -> Self {
        self.seams = seams;
        self
    }

    /// Takes the settings that every engine has out of the options of a configuration.
    ///
    /// # Errors
    /// `ConfigInvalid` for a value that cannot be, listing those that can.
    pub fn from_options(options: &mut Options) -> Result<Self> {
        let default = Self::default();
        let settings = Self {
            durability: options.take("durability", "process or power")?.unwrap_or_default(),
            timeout: options.take_duration("timeout")?.unwrap_or(default.timeout),
            access: options.take("access", "private, group or shared")?,
            group: options.take("group", "a group's name or number")?,
            create: options.take("create", "true or false")?.unwrap_or(default.create),
            read_only: options.take("read_only", "true or false")?.unwrap_or(default.read_only),
            limits: Limits::from_options(options)?,
            seams: default.seams,
        };
        match settings.problem() {
            None => Ok(settings),
            Some((key, why)) => Err(options.locate(key, Error::new(ErrorKind::ConfigInvalid, why))),
        }
    }

    /// Returns the options, with their values, that make these settings of the default ones.
    ///
    /// # Examples
    /// ```
    /// use store_core::{Durability, Options, Settings};
    ///
    /// let settings = Settings::default().with_durability(Durability::Process).with_create(false);
    /// let options = settings.to_options();
    /// assert_eq!(options, [("durability", "process".to_owned()), ("create", "false".to_owned())]);
    /// ```
    pub fn to_options(&self) -> Vec<(&'static str, String)> {
        let default = Self::default();
        let mut options = Vec::new();
        let mut give = |key, differs: bool, text: String| {
            if differs {
                options.push((key, text));
            }
        };
        give("durability", self.durability != default.durability, self.durability.as_str().to_owned());
        give("timeout", self.timeout != default.timeout, time_text(self.timeout));
        give(
            "access",
            self.access.is_some(),
            self.access.map_or_else(String::new, |a| a.as_str().to_owned()),
        );
        give("group", self.group.is_some(), self.group.clone().unwrap_or_default());
        give("create", self.create != default.create, self.create.to_string());
        give("read_only", self.read_only != default.read_only, self.read_only.to_string());
        give("max_value", self.limits.value != default.limits.value, size_text(self.limits.value));
        give("max_batch", self.limits.batch != default.limits.batch, size_text(self.limits.batch));
        options
    }

    /// Checks that the settings can be, together.
    ///
    /// # Errors
    /// `ConfigInvalid` says which cannot, and why.
    pub fn validate(&self) -> Result<()> {
        match self.problem() {
            None => Ok(()),
            Some((_, why)) => Err(Error::new(ErrorKind::ConfigInvalid, why)),
        }
    }

    /// Returns the option that cannot be, and why.
    fn problem(&self) -> Option<(&'static str, String)> {
        if self.timeout.is_zero() || self.timeout > Self::LONGEST_TIMEOUT {
            let why = "timeout: give a time above zero and up to 24h, such as 5s or 500ms";
            return Some(("timeout", why.into()));
        }
        if self.group.is_some() && self.access == Some(Access::Private) {
            let why = "access=private shuts every group out; drop group, or choose access=group";
            return Some(("access", why.into()));
        }
        if self.group.as_deref() == Some("") {
            return Some(("group", "group: give a group's name or number, or drop it".into()));
        }
        self.limits.problem()
    }
}
