//! A backend in memory: nothing of it can be shared between processes, or survives its own.
//!
//! It shows what an engine looks like that can do less than others, and says so. What it holds is the state of
//! the example `single_file`, which saves it.
//!
//! ```text
//! cargo run -p conformance --example in_memory -- linearizable::
//! ```

mod backend;
mod engine;
mod marker;
#[path = "../single_file/state.rs"]
mod state;
mod target;

fn main() -> std::process::ExitCode {
    conformance::main(&[&target::InMemory])
}
