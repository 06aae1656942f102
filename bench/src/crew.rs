//! The parent's side of its children: it starts those of a round, releases them together, and reaps them.

use std::io::{BufRead, BufReader, PipeWriter, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Result;
use crate::worker::READY;

/// Returns a child of this program that is told what to do, in a folder.
pub(crate) fn command(option: &str, order: &impl Serialize, folder: &Path) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(option).arg(serde_json::to_string(order)?).current_dir(folder);
    Ok(command)
}

/// Returns a bar for so many turns.
pub(crate) fn bar(turns: usize) -> Result<ProgressBar> {
    let style = ProgressStyle::with_template("{elapsed_precise} {pos}/{len} {msg}")?;
    Ok(ProgressBar::new(turns as u64).with_style(style))
}

/// The processes of a round; those that still run are killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Crew {
    members: Vec<Member>,
    word: PipeWriter,
}

#[derive(Debug)]
struct Member {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Crew {
    /// Starts a child a command.
    pub(crate) fn start(commands: Vec<Command>) -> Result<Self> {
        let (input, word) = std::io::pipe()?;
        let mut crew = Self { members: Vec::with_capacity(commands.len()), word };
        for mut command in commands {
            let mut child = command.stdin(input.try_clone()?).stdout(Stdio::piped()).spawn()?;
            if let Some(output) = child.stdout.take() {
                crew.members.push(Member { child, output: BufReader::new(output) });
            }
        }
        Ok(crew)
    }

    /// Lets them go when all are ready, and returns their reports, in the order of the commands.
    pub(crate) fn work<R: DeserializeOwned>(mut self) -> Result<Vec<R>> {
        self.release()?;
        self.reports()
    }

    /// Waits until all are ready, then lets them go with one write to the pipe that they share.
    fn release(&mut self) -> Result<()> {
        for member in &mut self.members {
            let said = member.line()?;
            if said.trim_end() != READY {
                return Err(format!("a process did not get ready, it said {said:?}").into());
            }
        }
        let word = vec![b'!'; self.members.len()];
        Ok(self.word.write_all(&word)?)
    }

    fn reports<R: DeserializeOwned>(&mut self) -> Result<Vec<R>> {
        let mut reports = Vec::new();
        for member in &mut self.members {
            let line = member.line()?;
            if line.is_empty() {
                return Err(format!("a process ended without a report: {}", member.child.wait()?).into());
            }
            reports.push(serde_json::from_str(&line)?);
        }
        for member in &mut self.members {
            let ended = member.child.wait()?;
            if !ended.success() {
                return Err(format!("a process failed after its report: {ended}").into());
            }
        }
        Ok(reports)
    }
}

impl Member {
    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line)
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        for Member { child, .. } in &mut self.members {
            // Neither does anything to a child that was waited for.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
