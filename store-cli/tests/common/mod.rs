//! Running the program in a folder of its own.

#![allow(dead_code, reason = "each test file uses a part of this")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper that fails fails its test")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_statestore");

/// The engines that this build has.
pub(crate) const ENGINES: &[&str] = &[
    #[cfg(feature = "sqlite")]
    "sqlite",
    #[cfg(feature = "redb")]
    "redb",
    #[cfg(feature = "jsonfile")]
    "json",
];

/// A folder in which the program runs, with the store `state.db` named by the environment.
#[derive(Debug)]
pub(crate) struct Place {
    folder: TempDir,
    /// The engine of its store.
    pub(crate) engine: &'static str,
}

impl Place {
    /// Makes an empty folder for a store of the engine that most use, or of one that there is.
    pub(crate) fn new() -> Self {
        Self::on(ENGINES[0])
    }

    /// Makes an empty folder for a store of an engine.
    pub(crate) fn on(engine: &'static str) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), engine }
    }

    /// Returns the URL of a store in the folder.
    pub(crate) fn url(&self, rest: &str) -> String {
        format!("{}:{rest}", self.engine)
    }

    /// Returns the path of the gate.
    pub(crate) fn gate(&self) -> PathBuf {
        self.path(if self.engine == "json" { "state.db/.gate" } else { "state.db.gate" })
    }

    /// Returns the path of a file in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    /// Writes a file in the folder.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::File::options().write(true).create(true).truncate(true).open(&path).unwrap();
        let mut file = std::fs::File::options().append(true).open(&path).unwrap();
        file.write_all(text.as_ref()).unwrap();
        path
    }

    /// Prepares a run of the program with these arguments.
    pub(crate) fn command<A: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(args).current_dir(self.folder.path());
        command.env("STATESTORE_URL", self.url("state.db"));
        for name in ["STATESTORE_LOG", "STATESTORE_CONFIG", "VISUAL", "EDITOR"] {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts the program with something on its stdin, which then ends.
    pub(crate) fn start(&self, args: &[&str], stdin: &[u8]) -> Child {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        let stdin = stdin.to_vec();
        // The program may end before it has read all of it.
        std::thread::spawn(move || pipe.write_all(&stdin));
        child
    }

    /// Runs the program.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        Ran::of(args, &self.command(args).output().unwrap())
    }

    /// Runs the program with something on its stdin.
    pub(crate) fn pipe(&self, args: &[&str], stdin: impl AsRef<[u8]>) -> Ran {
        Ran::of(args, &self.start(args, stdin.as_ref()).wait_with_output().unwrap())
    }
}

/// What a run of the program did.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The arguments, for messages.
    pub(crate) args: String,
    /// The exit code.
    pub(crate) code: Option<i32>,
    /// What it printed on stdout.
    pub(crate) out: String,
    /// What it said on stderr.
    pub(crate) err: String,
}

impl Ran {
    /// Describes a run.
    pub(crate) fn of(args: &[&str], output: &Output) -> Self {
        Self {
            args: args.join(" "),
            code: output.status.code(),
            out: String::from_utf8(output.stdout.clone()).unwrap(),
            err: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    /// Asserts success without a word, but for the note that the store was created; returns stdout.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        let created = self.err.starts_with("statestore: created /") && self.err.lines().count() == 1;
        assert!(self.err.is_empty() || created, "{self:?}");
        self.out
    }

    /// Asserts a failure with a code, nothing on stdout, and one line on stderr that says these things.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, parts: &[&str]) {
        assert_eq!(self.out, "", "{self:?}");
        self.stops(code, parts);
    }

    /// Asserts a failure with a code and one line on stderr that says these things; returns stdout.
    #[track_caller]
    pub(crate) fn stops(self, code: i32, parts: &[&str]) -> String {
        assert_eq!(self.code, Some(code), "{self:?}");
        let said: Vec<_> =
            self.err.lines().filter(|line| !line.starts_with("statestore: created /")).collect();
        assert!(said.len() == 1 && said[0].starts_with("statestore: "), "{self:?}");
        for part in parts {
            assert!(said[0].contains(part), "{part:?} is not in {self:?}");
        }
        self.out
    }
}

/// Returns the lines 1 to `upto`, each its own number.
pub(crate) fn numbers(upto: u64) -> String {
    (1..=upto).fold(String::new(), |text, n| text + &n.to_string() + "\n")
}

/// Returns the names of the files in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
