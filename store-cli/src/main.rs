//! The program `statestore`: a state store shared by processes, from the command line.
//!
//! JSON goes to stdout, words to stderr, and the exit code tells the kind of a failure. The library of the
//! same name is the crate `statestore`.

mod args;
mod commands;
mod demo;
mod exit;
mod input;
mod logging;
mod output;
mod progress;
mod signals;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // A worker of the suite is a process of this program, and has no arguments.
    #[cfg(all(feature = "conformance", target_os = "linux"))]
    if let Some(code) = commands::conformance::worker() {
        return code;
    }
    let args = args::Args::parse();
    exit::report(logging::start(&args.command).and_then(|()| commands::run(args)))
}
