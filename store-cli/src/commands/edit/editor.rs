//! The editor: which one, and a run of it.

use std::env::{self, VarError};
use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::{Command, Stdio};

use super::signals::Signals;
use crate::exit::{Code, Failure};

/// A program that lets people change a file.
#[derive(Debug)]
pub(super) struct Editor {
    program: String,
    args: Vec<String>,
    /// Who chose it, for messages.
    chosen_by: &'static str,
}

impl Editor {
    /// Takes the editor from the environment: `VISUAL`, else `EDITOR`, else vi.
    pub(super) fn choose() -> Result<Self, Failure> {
        for variable in ["VISUAL", "EDITOR"] {
            let line = match env::var(variable) {
                Ok(line) => line,
                Err(VarError::NotPresent) => continue,
                Err(VarError::NotUnicode(_)) => {
                    let why =
                        format!("the variable {variable} of the environment is not Unicode; set it again");
                    return Err(Failure::told(Code::Usage, why));
                }
            };
            let words = words(&line).ok_or_else(|| {
                let why = format!("{variable}={line}: a quote or a backslash has no end; complete it");
                Failure::told(Code::Usage, why)
            })?;
            let mut words = words.into_iter();
            if let Some(program) = words.next() {
                return Ok(Self { program, args: words.collect(), chosen_by: variable });
            }
        }
        Ok(Self { program: "vi".into(), args: Vec::new(), chosen_by: "default" })
    }

    /// Runs the editor on a file until it ends.
    pub(super) fn run(&self, path: &Path, signals: &Signals) -> Result<(), Failure> {
        let mut command = Command::new(&self.program);
        command.args(&self.args).arg(path);
        // What is printed there is for a script, and the editor's screen would be in it.
        if !io::stdout().is_terminal() {
            command.stdout(Stdio::from(io::stderr()));
        }
        let (program, chosen_by) = (&self.program, self.chosen_by);
        let run = || command.spawn()?.wait();
        let status = signals.ignored_during(run).map_err(|e| {
            let why = format!("cannot start the editor {program:?} ({chosen_by}): {e}");
            Failure::told(Code::Usage, format!("{why}; set VISUAL or EDITOR to one that is there"))
        })?;
        if status.success() {
            return Ok(());
        }
        Err(Failure::told(
            Code::Other,
            format!("the editor {program:?} ended with {status}; nothing was changed"),
        ))
    }
}

/// Splits a line into words as a shell does: by blanks, but for those in quotes or behind a backslash.
/// Nothing else is special. None if a quote is left open.
fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => words.extend(word.take()),
            '\\' => word.get_or_insert_default().push(chars.next()?),
            '\'' | '"' => quoted(c, &mut chars, word.get_or_insert_default())?,
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}

fn quoted(quote: char, chars: &mut impl Iterator<Item = char>, word: &mut String) -> Option<()> {
    loop {
        match chars.next()? {
            c if c == quote => return Some(()),
            '\\' if quote == '"' => match chars.next()? {
                c @ ('"' | '\\' | '$' | '`') => word.push(c),
                c => word.extend(['\\', c]),
            },
            c => word.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_split_as_a_shell_does() {
        for (line, expected) in [
            ("", &[][..]),
            ("  \t", &[]),
            ("vi", &["vi"]),
            (" code  --wait ", &["code", "--wait"]),
            (r#""/opt/my editor/bin/ed" -c 'set ft=json'"#, &["/opt/my editor/bin/ed", "-c", "set ft=json"]),
            (r"/opt/my\ editor -x\'y", &["/opt/my editor", "-x'y"]),
            (r#"ed "a\"b\\c\d" '' 'a\b'"#, &["ed", r#"a"b\c\d"#, "", r"a\b"]),
        ] {
            assert_eq!(words(line).unwrap(), expected, "{line}");
        }
        for line in ["'", "vi \"x", "vi \\", "\"\\"] {
            assert!(words(line).is_none(), "{line}");
        }
    }
}
