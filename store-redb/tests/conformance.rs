//! The suite of real processes and kills, against redb.

fn main() -> std::process::ExitCode {
    conformance::main(&[&store_redb::target::Database])
}
