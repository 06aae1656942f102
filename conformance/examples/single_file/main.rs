//! A backend of somebody else's, over a single JSON file, and the few lines that prove it with the suite.
//!
//! It is a start for an engine of one's own: `state` is what a store holds, `document` its text, `file` where
//! the text lies, `engine` and `backend` what the store asks of an engine, `target` what the suite asks.
//!
//! ```text
//! cargo run -p conformance --example single_file
//! cargo run -p conformance --example single_file -- durable::
//! ```

mod backend;
mod document;
mod engine;
mod file;
mod state;
mod target;

fn main() -> std::process::ExitCode {
    conformance::main(&[&target::SingleFile])
}
