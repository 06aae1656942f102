//! `append --lines`: one JSON value a line of stdin, each acknowledged by its number.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use statestore::{Batch, Blocking, Error, Json, Result, Seq};

use crate::args::AppendArgs;
use crate::exit::Failure;
use crate::input;
use crate::output::Output;

/// How many lines one commit takes at most.
const LINES: usize = 256;
/// How much text one commit takes before it ends.
const BYTES: usize = 1 << 20;

/// Appends lines in order. At every instant lines 1 to `standing` are committed and no other is, but for
/// those of a commit whose answer was `Indeterminate`.
pub(super) struct Lines<'a> {
    store: &'a Blocking,
    args: &'a AppendArgs,
    largest: u64,
    read: u64,
    standing: u64,
    numbers: Numbers,
}

/// Why no more lines are gathered for now.
enum End {
    /// The commit is large enough, or nothing more is there without waiting.
    Full,
    /// The input has ended.
    Input,
    /// A line is bad or cannot be read.
    Bad(Error),
}

impl<'a> Lines<'a> {
    /// Makes ready to append to a log, values of up to `largest` bytes.
    pub(super) fn new(store: &'a Blocking, args: &'a AppendArgs, largest: u64) -> Self {
        Self { store, args, largest, read: 0, standing: 0, numbers: Numbers { out: Some(Output::new()) } }
    }

    /// Appends all lines and prints their numbers as they are committed.
    ///
    /// On a failure, the lines before it are committed, and what is said tells which those are.
    pub(super) fn append(mut self, input: impl Read) -> Result<(), Failure> {
        let mut input = BufReader::with_capacity(BYTES, input);
        loop {
            let (entries, end) = self.gather(&mut input);
            if !entries.is_empty() {
                self.commit(entries)?;
            }
            match end {
                End::Full => {}
                End::Input => return Ok(()),
                End::Bad(error) => {
                    let rest =
                        format!("{}; line {} and what follows are not", self.stands(), self.standing + 1);
                    return Err(Failure::from(error).and(&rest));
                }
            }
        }
    }

    /// Reads the lines of the next commit: it waits for the first, and takes more only if they are there.
    fn gather<R: Read>(&mut self, input: &mut BufReader<R>) -> (Vec<Json>, End) {
        let most = if self.args.each { 1 } else { LINES };
        let (mut entries, mut bytes) = (Vec::new(), 0);
        loop {
            match self.next(input) {
                Ok(None) => return (entries, End::Input),
                Err(error) => return (entries, End::Bad(error)),
                Ok(Some(entry)) => {
                    bytes += entry.size();
                    entries.push(entry);
                }
            }
            if entries.len() >= most || bytes >= BYTES || !input.buffer().contains(&b'\n') {
                return (entries, End::Full);
            }
        }
    }

    fn next<R: Read>(&mut self, input: &mut BufReader<R>) -> Result<Option<Json>> {
        let name = Path::new(input::STDIN);
        let mut line = Vec::new();
        let read = input.by_ref().take(input::LONGEST_TEXT).read_until(b'\n', &mut line);
        if read.map_err(|e| input::unreadable(name, e))? == 0 {
            return Ok(None);
        }
        self.read += 1;
        input::line(&line, self.read, self.largest).map(Some).map_err(|e| e.with_path(name))
    }

    fn commit(&mut self, entries: Vec<Json>) -> Result<(), Failure> {
        let (ns, log) = (&self.args.ns, &self.args.log);
        let upto = self.standing + entries.len() as u64;
        let batch = entries.into_iter().fold(Batch::new(), |batch, entry| batch.append(ns, log, entry));
        let receipt = self.store.commit(batch).map_err(|error| {
            let these = lines(self.standing + 1, upto);
            let rest = if error.surely_not_done() {
                format!("{}; {these} and what follows are not", self.stands())
            } else {
                let advice = "read the end of the log before sending them again";
                format!("{}; {these} may be in it, and what follows is not: {advice}", self.stands())
            };
            Failure::from(error).and(&rest)
        })?;
        self.standing = upto;
        self.numbers.print(receipt.appended()).map_err(|failure| failure.and(&self.stands()))
    }

    /// Says which lines are committed.
    fn stands(&self) -> String {
        match self.standing {
            0 => "no line is in the log".into(),
            1 => "the 1 line before is in the log".into(),
            n => format!("the {n} lines before are in the log"),
        }
    }
}

fn lines(first: u64, last: u64) -> String {
    if first == last { format!("line {first}") } else { format!("lines {first} to {last}") }
}

/// Prints numbers as they are given. That nobody reads them any more is no reason to stop appending.
struct Numbers {
    out: Option<Output>,
}

impl Numbers {
    fn print(&mut self, numbers: impl Iterator<Item = Seq>) -> Result<(), Failure> {
        let Some(out) = &mut self.out else { return Ok(()) };
        let mut numbers = numbers;
        let printed =
            numbers.try_for_each(|number| out.line(format_args!("{number}"))).and_then(|()| out.flush());
        if let Err(Failure::OutputClosed) = printed {
            self.out = None;
            return Ok(());
        }
        printed
    }
}
