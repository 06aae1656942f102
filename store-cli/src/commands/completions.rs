//! `completions`: what makes a shell complete the program's words.

use clap::{Command, CommandFactory};
use clap_complete::Shell;

use crate::args::Args;
use crate::exit::{Code, Failure};
use crate::output;

/// Prints the script for a shell.
pub(super) fn run(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut shown(), "statestore", &mut script);
    let script = String::from_utf8(script)
        .map_err(|e| Failure::told(Code::Other, format!("the completions are not text: {e}")))?;
    output::print(&script.trim_end())
}

/// Returns the command line without what is hidden, which the generators do not leave out.
fn shown() -> Command {
    let all = Args::command();
    let seen = all.get_subcommands().filter(|command| !command.is_hide_set()).cloned();
    Command::new("statestore")
        .version(env!("CARGO_PKG_VERSION"))
        .args(all.get_arguments().cloned())
        .subcommands(seen)
}
