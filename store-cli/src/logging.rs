//! What the libraries have to say, on stderr: warnings always, more on request.

use std::io::{self, IsTerminal};

use tracing_subscriber::filter::LevelFilter;

use crate::args::Command;
use crate::exit::{Code, Failure};

/// Sends the libraries' warnings to stderr, unless the command brings about what they warn of;
/// `STATESTORE_LOG` chooses another level.
pub(crate) fn start(command: &Command) -> Result<(), Failure> {
    let level = match std::env::var_os("STATESTORE_LOG") {
        None if command.provokes_warnings() => LevelFilter::OFF,
        None => LevelFilter::WARN,
        Some(word) => level_of(&word.to_string_lossy())?,
    };
    let ansi = io::stderr().is_terminal();
    tracing_subscriber::fmt().with_max_level(level).with_writer(io::stderr).with_ansi(ansi).init();
    Ok(())
}

fn level_of(word: &str) -> Result<LevelFilter, Failure> {
    word.trim().parse().map_err(|_| {
        let why = format!("STATESTORE_LOG={word}: give off, error, warn, info, debug or trace");
        Failure::told(Code::Usage, why)
    })
}
