//! Where something stands in a text.

use store_core::{Json, Result};

/// Returns at which byte of the text a part of it begins.
pub(super) fn offset(text: &str, part: &str) -> usize {
    let at = part.as_ptr().addr().checked_sub(text.as_ptr().addr());
    at.filter(|at| *at <= text.len()).unwrap_or(0)
}

/// Counts lines as one goes on through a text, so that many places cost one pass.
pub(super) struct Lines<'t> {
    text: &'t str,
    seen: usize,
    line: u64,
}

impl<'t> Lines<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        Self { text, seen: 0, line: 1 }
    }

    /// Returns the line, from 1, of a part that begins behind those asked for before.
    pub(super) fn line(&mut self, part: &str) -> u64 {
        let at = offset(self.text, part);
        let between = self.text.get(self.seen..at).unwrap_or_default();
        self.line += between.matches('\n').count() as u64;
        self.seen = at.max(self.seen);
        self.line
    }
}

/// Validates a value within a text, so that an error names line and column of the whole text.
pub(super) fn value_of(text: &str, part: &str) -> Result<Json> {
    part.parse().or_else(|error| {
        let Some(before) = text.get(..offset(text, part)) else { return Err(error) };
        // White space in place of what stands before the value keeps its place.
        let blank = before.chars().map(|c| if c == '\n' { '\n' } else { ' ' });
        blank.chain(part.chars()).collect::<String>().parse()
    })
}
