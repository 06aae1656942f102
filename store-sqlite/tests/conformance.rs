//! The suite of real processes and kills, against SQLite.

fn main() -> std::process::ExitCode {
    conformance::main(&[&store_sqlite::target::Database])
}
