//! A store's URL, read and written: pure, and apart from opening.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use store_core::{Error, ErrorKind, Options, Result};

use crate::registry;

/// What means something else in the path of a URL.
const IN_PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b'?').add(b'#').add(b'"').add(b'\'');
const IN_VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'/');

/// What every way of configuring a store comes down to.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) scheme: String,
    pub(crate) path: PathBuf,
    pub(crate) options: Options,
    /// What relative folders in the options are relative to; empty for the current one.
    pub(crate) folder: PathBuf,
}

/// Takes a URL apart; the path is as in `sqlite:state.db` or `sqlite:/var/lib/state.db`, percent-encoded
/// where it has a `?`, `#` or `%`.
pub(crate) fn parse(url: &str) -> Result<Parts> {
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let Some((scheme, path)) = place.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) else {
        return invalid(format!("{url:?} names no engine; write {}", examples(place)));
    };
    if !registry::schemes().any(|known| known == scheme) {
        return invalid(format!(
            "there is no engine {scheme:?} in {url:?}; there are: {}",
            registry::known()
        ));
    }
    if let Some(rest) = path.strip_prefix("//") {
        let rest = rest.trim_start_matches('/');
        return invalid(format!(
            "{url:?} has slashes that mean a host; write {scheme}:{rest} for a path below the current folder, or \
             {scheme}:/{rest} for an absolute one"
        ));
    }
    if path.is_empty() {
        return invalid(format!("{url:?} has no path; write {}", examples("state.db")));
    }
    if path.contains('#') {
        return invalid(format!("{url:?} has a #; write %23 if it belongs to the path"));
    }
    let decoded = percent_decode_str(path).decode_utf8();
    let Ok(decoded) = decoded else {
        return invalid(format!(
            "the path in {url:?} is not UTF-8 once its %-codes are read; write it plainly"
        ));
    };
    if let Some(why) = problem_of(&decoded) {
        return invalid(format!("the path in {url:?} {why}"));
    }
    let options = Options::from_query(query)?;
    let (path, folder) = (PathBuf::from(decoded.into_owned()), PathBuf::new());
    Ok(Parts { scheme: scheme.to_owned(), path, options, folder })
}

/// Says what is wrong with a path, wherever it was written.
pub(crate) fn problem_of(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        Some("is empty; give one such as state.db")
    } else if path.contains('\0') {
        Some("has a NUL; remove it")
    } else if path == "~" || path.starts_with("~/") {
        Some("starts with ~, which only shells understand; write the path of the home folder, or ./~")
    } else {
        None
    }
}

/// Writes a URL that [`parse`] reads as the same parts.
pub(crate) fn write(scheme: &str, path: &Path, options: &[(String, String)]) -> String {
    let path = path.to_string_lossy();
    let encoded = utf8_percent_encode(&path, IN_PATH).to_string();
    // Two slashes at its start would mean a host.
    let encoded = match encoded.strip_prefix("//") {
        Some(rest) => format!("/%2F{rest}"),
        None => encoded,
    };
    let mut url = format!("{scheme}:{encoded}");
    for (at, (key, value)) in options.iter().enumerate() {
        url.push(if at == 0 { '?' } else { '&' });
        let _ = write!(url, "{key}={}", utf8_percent_encode(value, IN_VALUE));
    }
    url
}

fn is_scheme(text: &str) -> bool {
    // One letter is a drive on Windows.
    text.len() > 1 && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// Shows the right form with a path, for each engine that there is.
fn examples(path: &str) -> String {
    let all: Vec<_> = registry::schemes().map(|scheme| format!("{scheme}:{path}")).collect();
    all.join(" or ")
}

fn invalid<T>(message: String) -> Result<T> {
    Err(Error::new(ErrorKind::ConfigInvalid, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_options() {
        for (path, read) in
            [("/var/lib/a%3Fb%20c.db", "/var/lib/a?b c.db"), ("../s.db", "../s.db"), ("a:b.db", "a:b.db")]
        {
            let url = parse(&with_engine(&format!("sqlite:{path}?durability=process"))).unwrap();
            assert_eq!((url.scheme.as_str(), url.path.to_str().unwrap()), (registry::any(), read));
        }
    }

    #[test]
    fn what_is_written_is_read_as_the_same() {
        let options =
            [("group", "a&b=c +%"), ("timeout", "1500ms")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        for path in ["s.db", "/var/a b?c#d%e'f.db", "//two", "../\u{e4}/\u{1f980}\n", "a:b+c&d=e", "./~/x"] {
            let url = write(registry::any(), Path::new(path), &options);
            let mut parts = parse(&url).unwrap();
            assert_eq!(parts.path, Path::new(path), "{url}");
            assert_eq!(parts.options.take("group", "").unwrap(), Some("a&b=c +%".to_owned()), "{url}");
        }
    }

    /// Puts an engine that this build has in the place of the one that most have.
    fn with_engine(text: &str) -> String {
        text.replace("sqlite", registry::any())
    }

    #[test]
    fn wrong_forms_show_the_right_one() {
        for (wrong, right) in [
            ("state.db", "sqlite:state.db"),
            ("/var/state.db", "sqlite:/var/state.db"),
            ("", "sqlite:"),
            ("C:\\state.db", "sqlite:C:\\state.db"),
            ("sqlite://state.db", "sqlite:state.db"),
            ("sqlite:///var/state.db", "sqlite:/var/state.db"),
            ("sqlite:", "sqlite:state.db"),
            ("postgres:db", "sqlite"),
            ("sqlite:a#b", "%23"),
            ("sqlite:%ff", "UTF-8"),
            ("sqlite:a%00b", "NUL"),
            ("sqlite:s.db?timeout", "timeout=VALUE"),
            ("sqlite:~/s.db", "home folder"),
        ] {
            let error = parse(&with_engine(wrong)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{wrong}");
            assert!(error.to_string().contains(&with_engine(right)), "{wrong}: {error}");
        }
    }
}
