//! The suite of real processes and kills, against JSON files.

fn main() -> std::process::ExitCode {
    conformance::main(&[&store_jsonfile::target::Files])
}
