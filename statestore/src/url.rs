//! Reading a store's URL: pure, and apart from opening.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use store_core::{Error, ErrorKind, Options, Result};

use crate::registry;

/// A URL taken apart: `scheme:path?key=value&…`.
#[derive(Debug)]
pub(crate) struct StoreUrl {
    pub(crate) scheme: String,
    pub(crate) path: PathBuf,
    pub(crate) options: Options,
}

/// Takes a URL apart; the path is as in `sqlite:state.db` or `sqlite:/var/lib/state.db`, percent-encoded
/// where it has a `?`, `#` or `%`.
pub(crate) fn parse(url: &str) -> Result<StoreUrl> {
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let Some((scheme, path)) = place.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) else {
        return invalid(format!("{url:?} names no engine; write {}", examples(place)));
    };
    if !registry::schemes().any(|known| known == scheme) {
        let known: Vec<_> = registry::schemes().collect();
        return invalid(format!("there is no engine {scheme:?} in {url:?}; there are: {}", known.join(", ")));
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
    if decoded.contains('\0') {
        return invalid(format!("the path in {url:?} has a NUL; remove it"));
    }
    let options = Options::from_query(query)?;
    Ok(StoreUrl { scheme: scheme.to_owned(), path: PathBuf::from(decoded.into_owned()), options })
}

fn is_scheme(text: &str) -> bool {
    // One letter is a drive on Windows.
    text.len() > 1 && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

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
        let url = parse("sqlite:/var/lib/a%3Fb%20c.db?durability=process").unwrap();
        assert_eq!((url.scheme.as_str(), url.path.to_str().unwrap()), ("sqlite", "/var/lib/a?b c.db"));
        assert_eq!(parse("sqlite:../s.db").unwrap().path.to_str(), Some("../s.db"));
        assert_eq!(parse("sqlite:a:b.db").unwrap().path.to_str(), Some("a:b.db"));
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
        ] {
            let error = parse(wrong).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{wrong}");
            assert!(error.to_string().contains(right), "{wrong}: {error}");
        }
    }
}
