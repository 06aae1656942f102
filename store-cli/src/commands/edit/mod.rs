//! `edit`: a namespace, or one value, in the editor of whoever asks.
//!
//! Nothing of the store is held while a person types, neither the gate nor a handle: a stopped editor would
//! keep every writer waiting. A change in between is found by the checks of the one commit at the end.

mod draft;
mod editor;
mod signals;
mod subject;

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use statestore::{Batch, Error};

use self::draft::Draft;
use self::editor::Editor;
use self::signals::Signals;
use self::subject::Subject;
use super::place;
use crate::args::{EditArgs, StoreArgs};
use crate::exit::{Code, Failure};
use crate::output;

/// Lets somebody edit and commits what was changed; prints the new revision.
pub(super) fn run(args: &StoreArgs, edit: &EditArgs) -> Result<(), Failure> {
    statestore::check_namespace(&edit.ns)?;
    edit.key.as_deref().map_or(Ok(()), statestore::check_key)?;
    if place::config(args)?.settings().read_only {
        return Err(Failure::told(
            Code::Denied,
            "the store is opened read-only; drop read_only to edit in it",
        ));
    }
    let editor = Editor::choose()?;
    let signals = Signals::listen()?;
    let subject = Subject::read(&place::reading(args)?, edit)?;
    let mut draft = Draft::new(subject.text())?;
    let typed = typed(&editor, &signals, &subject, &draft);
    let Some(batch) = typed.map_err(|f| rescued(f, &subject, &mut draft))? else {
        output::say("nothing changed");
        return Ok(());
    };
    let commit = || Ok(place::existing(args)?.commit(batch)?);
    let receipt = commit().map_err(|f| rescued(f, &subject, &mut draft))?;
    match receipt.revision(&edit.ns) {
        Some(revision) => output::print(&revision),
        None => Ok(()),
    }
}

/// Runs the editor until the text can be committed, or nobody wants to mend it; none if nothing changed.
fn typed(
    editor: &Editor,
    signals: &Signals,
    subject: &Subject,
    draft: &Draft,
) -> Result<Option<Batch>, Failure> {
    loop {
        editor.run(draft.path(), signals)?;
        let text = draft.read()?;
        if text == subject.text().as_bytes() {
            return Ok(None);
        }
        match subject.changes(&text) {
            Ok(batch) => return Ok(batch),
            Err(error) if again(&error, draft.path()) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Asks whether to edit again, if there is somebody to ask.
fn again(error: &Error, path: &Path) -> bool {
    if !io::stdin().is_terminal() {
        return false;
    }
    output::say(format_args!("{}: {error}", path.display()));
    output::say("edit again? [Y/n] ");
    let mut answer = String::new();
    let _ = io::stderr().flush();
    match io::stdin().read_line(&mut answer) {
        Ok(1..) => !answer.trim().to_lowercase().starts_with('n'),
        // Nobody is there any more.
        Ok(0) | Err(_) => false,
    }
}

/// Keeps the text of an edit that came to nothing, if there is any work in it, and says where.
fn rescued(failure: Failure, subject: &Subject, draft: &mut Draft) -> Failure {
    let untouched = draft.read().is_ok_and(|text| text == subject.text().as_bytes());
    if untouched || !draft.path().exists() {
        return failure;
    }
    draft.keep();
    failure.and(&format!("your text is kept in {}", draft.path().display()))
}
