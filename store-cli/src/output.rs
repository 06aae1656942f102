//! The two ways out: JSON on stdout, words on stderr. Nothing else of the program prints.

use std::fmt::{self, Display};
use std::io::{self, BufWriter, StdoutLock, Write};

use crate::exit::{Code, Failure};

/// Says something to people, on stderr; that stderr is closed is no reason to fail.
pub(crate) fn say(words: impl Display) {
    let _ = writeln!(io::stderr().lock(), "statestore: {words}");
}

/// Prints one line on stdout.
pub(crate) fn print(line: &dyn Display) -> Result<(), Failure> {
    let mut out = Output::new();
    out.line(format_args!("{line}"))?;
    out.flush()
}

/// Stdout for many lines, buffered; what is not flushed is lost.
#[derive(Debug)]
pub(crate) struct Output {
    to: BufWriter<StdoutLock<'static>>,
}

impl Output {
    /// Takes stdout for this thread.
    pub(crate) fn new() -> Self {
        Self { to: BufWriter::with_capacity(64 << 10, io::stdout().lock()) }
    }

    /// Prints a line.
    pub(crate) fn line(&mut self, line: fmt::Arguments<'_>) -> Result<(), Failure> {
        writeln!(self.to, "{line}").map_err(|e| failed(&e))
    }

    /// Hands everything over to whoever reads.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.to.flush().map_err(|e| failed(&e))
    }
}

fn failed(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::OutputClosed,
        _ => Failure::told(Code::Other, format!("cannot write to <stdout>: {error}")),
    }
}

/// Returns a text as a JSON string.
pub(crate) fn quoted(text: &str) -> statestore::Json {
    text.into()
}
