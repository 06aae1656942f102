//! The suite of real processes and kills, against SQLite.

mod target;

fn main() -> std::process::ExitCode {
    conformance::main(&[&target::Database])
}
