//! Commands and figures, as people read and type them.

use std::path::Path;
use std::time::Duration;

use bytesize::ByteSize;

/// The command that mends whatever this program can mend.
pub(super) const FIX: &str = "statestore doctor --fix";

/// Writes a path so that a shell takes it as it is.
pub(super) fn shell(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:,@%=".contains(c);
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// Writes a number of bytes.
pub(super) fn size(bytes: u64) -> String {
    ByteSize::b(bytes).to_string()
}

/// Writes a time, to the second, or below one minute to a tenth of it.
pub(super) fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 86_400, seconds / 3600, seconds / 60) {
        (0, 0, 0) => format!("{:.1} s", time.as_secs_f64()),
        (0, 0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (0, hours, minutes) => format!("{hours} h {} min", minutes % 60),
        (days, hours, _) => format!("{days} d {} h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_safe_in_a_shell() {
        assert_eq!(shell(Path::new("/srv/a-b/state.db")), "/srv/a-b/state.db");
        assert_eq!(shell(Path::new("/srv/it's $HOME")), r"'/srv/it'\''s $HOME'");
    }

    #[test]
    fn times_are_short() {
        let text = |millis| time(Duration::from_millis(millis));
        assert_eq!(text(1250), "1.2 s");
        assert_eq!(text(61_000), "1 min 1 s");
        assert_eq!(text(3_700_000), "1 h 1 min");
        assert_eq!(text(90_000_000), "1 d 1 h");
    }
}
