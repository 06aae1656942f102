//! A URL, a table of a file and the environment say the same, and refuse the same.

use std::path::Path;

use crate::find::{FILE_VARIABLE, URL_VARIABLE, named_by};
use crate::registry;
use crate::{ErrorKind, StoreConfig};

/// Reads one configuration in all three ways; a value of the table is written as TOML has it.
fn three_ways(query: &str, table: &str) -> [Result<StoreConfig, String>; 3] {
    let engine = registry::any();
    let url = format!("{engine}:state.db?{query}");
    let text = format!("[store]\nengine = \"{engine}\"\npath = \"state.db\"\n{table}\n");
    let told = |error: crate::Error| {
        assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{error}");
        error.to_string()
    };
    let by_environment = named_by(|name| {
        assert_eq!(name, URL_VARIABLE);
        Ok(url.clone())
    });
    [
        StoreConfig::from_url(&url).map_err(told),
        StoreConfig::from_toml(&text, "").map_err(told),
        by_environment.map(Option::unwrap).map_err(told),
    ]
}

#[test]
fn every_option_is_the_same_in_all_three_ways() {
    let mut rows = vec![
        ("", "", ""),
        ("durability=process", "durability = \"process\"", "?durability=process"),
        ("durability=power", "durability = \"power\"", ""),
        ("timeout=90s", "timeout = \"1m 30s\"", "?timeout=90s"),
        ("timeout=2500ms", "timeout = '2.5s'", "?timeout=2500ms"),
        ("access=private", "access = \"private\"", "?access=private"),
        ("access=group&group=agents", "access = \"group\"\ngroup = \"agents\"", "?access=group&group=agents"),
        ("access=shared", "access = \"shared\"", "?access=shared"),
        ("group=1000", "group = 1000", "?group=1000"),
        ("create=false", "create = false", "?create=false"),
        ("create=true", "create = \"true\"", ""),
        ("read_only=true", "read_only = true", "?read_only=true"),
        ("max_value=1MiB", "max_value = 1_048_576", "?max_value=1MiB"),
        ("max_batch=128MiB", "max_batch = 0x800_0000", "?max_batch=128MiB"),
        (
            "max_value=256MiB&max_batch=256MiB",
            "max_value = '256MiB'\nmax_batch = '256MiB'",
            "?max_value=256MiB&max_batch=256MiB",
        ),
    ];
    rows.extend([
        ("mirror=m", "mirror = 'm'", "?mirror=m"),
        ("mirror=/m%26", "[mirror]\ndir = '/m&'", "?mirror=/m%26"),
        (
            "mirror=m&mirror_namespaces=b,%20a,b",
            "[mirror]\ndir = 'm'\nnamespaces = 'b,a'",
            "?mirror=m&mirror_namespaces=a%2Cb",
        ),
        (
            "mirror=m&mirror_namespaces=a%252Cb,100%25",
            "[mirror]\ndir = 'm'\nnamespaces = ['a,b', '100%']",
            "?mirror=m&mirror_namespaces=100%2525%2Ca%252Cb",
        ),
        ("mirror=m&mirror_debounce=200ms", "[mirror]\ndir = 'm'\ndebounce = '0.2s'", "?mirror=m"),
        ("mirror=m&mirror_debounce=0", "[mirror]\ndir = 'm'\ndebounce = 0", "?mirror=m&mirror_debounce=0"),
        (
            "mirror=m&mirror_debounce=2s",
            "[mirror]\ndir = 'm'\ndebounce = '2s'",
            "?mirror=m&mirror_debounce=2s",
        ),
        ("mirror=m&mirror_logs=none", "[mirror]\ndir = 'm'\nlogs = 'none'", "?mirror=m"),
        ("mirror=m&mirror_logs=all", "[mirror]\ndir = 'm'\nlogs = 'all'", "?mirror=m&mirror_logs=all"),
        ("mirror=m&mirror_logs=100", "[mirror]\ndir = 'm'\nlogs = 100", "?mirror=m&mirror_logs=100"),
    ]);
    if registry::any() == "sqlite" {
        rows.push(("cache=8MiB", "cache = 8388608", "?cache=8MiB"));
        rows.push(("wal_limit=64MiB", "wal_limit = \"65536KiB\"", "?wal_limit=64MiB"));
    }
    for (query, table, written) in rows {
        let [url, toml, env] = three_ways(query, table).map(Result::unwrap);
        assert_eq!(url, toml, "{table}");
        assert_eq!(url, env, "{query}");
        let shown = url.to_string();
        assert_eq!(shown, format!("{}:state.db{written}", registry::any()));
        assert_eq!(StoreConfig::from_url(&shown).unwrap(), url, "{shown}");
    }
}

#[test]
fn what_cannot_be_is_refused_in_all_three_ways() {
    let mut rows = vec![
        ("durability=maybe", "durability = 'maybe'", "process or power"),
        ("durabilty=power", "durabilty = 'power'", "durability (process or power)"),
        ("engne=x", "engne = 'x'", "there is no option \"engne\"; there are:"),
        ("timeout=0s", "timeout = '0s'", "above zero"),
        ("timeout=25h", "timeout = '25h'", "up to 24h"),
        ("timeout=5", "timeout = 5", "5s, 500ms"),
        ("create=yes", "create = 'yes'", "true or false"),
        ("read_only=1", "read_only = 1", "true or false"),
        ("access=private&group=agents", "access = 'private'\ngroup = 'agents'", "access=group"),
        ("access=all", "access = 'all'", "private, group or shared"),
        ("group=", "group = ''", "group: give"),
        ("create=true&create=false", "create = true\ncreate = false", ""),
        ("max_value=0", "max_value = 0", "max_value=0: give a size above zero"),
        ("max_value=-1", "max_value = -1", "a size such as 64MiB"),
        ("max_value=some", "max_value = 'some'", "a size such as 64MiB"),
        ("max_value=257MiB", "max_value = '257MiB'", "at most 256MiB"),
        ("max_batch=1TiB", "max_batch = '1TiB'", "max_batch=1024GiB: give at most 256MiB"),
        ("max_value=65MiB", "max_value = '65MiB'", "raise max_batch"),
        ("max_batch=1MiB", "max_batch = '1MiB'", "lower max_value"),
    ];
    rows.extend([
        ("mirror=", "mirror = ''", "name a folder"),
        ("mirror_logs=all", "mirror_logs = 'all'", "needs a mirror"),
        ("mirror=m&mirror_logs=some", "mirror = 'm'\nmirror_logs = 'some'", "none, all, or how many"),
        ("mirror=m&mirror_debounce=5", "mirror = 'm'\nmirror_debounce = 5", "200ms"),
        ("mirror=m&mirror_debounce=61m", "mirror = 'm'\nmirror_debounce = '61m'", "up to 1h"),
        ("mirror=m&mirror_namespaces=", "mirror = 'm'\nmirror_namespaces = ''", "at least one"),
        (
            "mirror=m&mirror_namespaces=a%250Ab",
            "mirror = 'm'\nmirror_namespaces = 'a%0Ab'",
            "control characters",
        ),
    ]);
    if registry::any() == "sqlite" {
        rows.push(("wal_limit=1", "wal_limit = 1", "at least 16MiB"));
        rows.push(("cache=big", "cache = 'big'", "a size such as 64MiB"));
    }
    for (query, table, part) in rows {
        let [url, toml, env] = three_ways(query, table).map(Result::unwrap_err);
        for error in [&url, &toml, &env] {
            assert!(error.contains(part), "{query}: {error}");
        }
        assert!(toml.contains("line 4 column 1: ") || toml.contains("line 5 column 1: "), "{toml}");
        assert!(env.contains(URL_VARIABLE), "{env}");
    }
}

#[test]
fn files_that_cannot_be_name_the_file_and_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrong.toml");
    let engine = registry::any();
    for (text, parts) in [
        ("", &["no table [store]", "engine = "][..]),
        ("[store]\n", &["has no engine", "path = "]),
        ("[store]\nengine = 'sqlite'\n", &["has no path"]),
        ("[store]\nengine = 'sqlite'\npath = ''\n", &["line 3 column 1", "is empty"]),
        ("[store]\nengine = 'sqlite'\npath = '~/s.db'\n", &["line 3 column 1", "home folder"]),
        (
            "[store]\nengine = 'postgres'\npath = 's'\n",
            &["line 2 column 1", "postgres", "there are: ", engine],
        ),
        ("[store]\nengine = 7\npath = 's'\n", &["line 2 column 1", "no engine \"7\""]),
        ("store = 'sqlite:s.db'\n", &["line 1 column 1", "[store]"]),
        ("[[store]]\npath = 's'\n", &["line 1 column", "store is a table"]),
        ("[store]\nurl = 'sqlite:s.db'\n", &["has no engine"]),
        ("[store]\nengine = 'sqlite'\npath = 's'\ntimeout = 5.0\n", &["line 4 column 1", "timeout", "float"]),
        ("[store]\nengine = 'sqlite'\npath = 's'\ngroup = ['a']\n", &["line 4 column 1", "group", "array"]),
        ("[store]\nengine = 'sqlite'\npath = 's'\n[store.mirror]\n", &["line 4 column 8", "mirror", "table"]),
        (
            "[store]\nengine = 'sqlite'\npath = 's'\n\n[stor]\n",
            &["line 5 column 2", "no table or key \"stor\""],
        ),
        ("timeout = '5s'\n[store]\nengine = 'sqlite'\npath = 's'\n", &["line 1 column 1", "\"timeout\""]),
        (
            "[store]\nengine = 'sqlite'\npath = 's'\n[mirror]\ndri = 'm'\n",
            &["line 5 column 1", "no key \"dri\" in [mirror]", "dir, namespaces, debounce, logs"],
        ),
        (
            "[store]\nengine = 'sqlite'\npath = 's'\n[mirror]\nlogs = 'all'\n",
            &["line 5 column 1", "needs a mirror"],
        ),
        (
            "[store]\nengine = 'sqlite'\npath = 's'\n[mirror]\ndir = 'm'\nnamespaces = [1]\n",
            &["line 6 column 1", "integer"],
        ),
        ("mirror = 'm'\n[store]\nengine = 'sqlite'\npath = 's'\n", &["line 1 column 1", "mirror is a table"]),
        ("[store\n", &["line 1 column 7"]),
        ("[store]\n\"ä\" = tru\n", &["line 2 column 7"]),
        ("[store]\npath = 'a'\npath = 'b'\n", &["line 3 column 1", "duplicate"]),
        ("[store]\npath = 'a\u{0}b'\n", &["line 2"]),
        ("[store]\nengine = 'sqlite'\npath = \"a\\u0000b\"\n", &["line 3 column 1", "NUL"]),
    ] {
        let text = text.replace("'sqlite'", &format!("'{engine}'"));
        write(&file, text.as_bytes());
        let error = StoreConfig::from_file(&file).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{text}: {error}");
        let said = error.to_string();
        assert!(said.contains("wrong.toml: ") && !said.contains('\n'), "{said}");
        for part in parts {
            assert!(said.contains(part), "{part:?} is not in {said} of {text}");
        }
    }
}

#[test]
fn what_is_no_configuration_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = |path: &Path| {
        let error = StoreConfig::from_file(path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{error}");
        error.to_string()
    };
    let missing = folder.path().join("none.toml");
    assert!(refusal(&missing).contains("none.toml: there is no such configuration file"));
    assert!(refusal(folder.path()).contains("is not a file"));
    let file = folder.path().join("odd.toml");
    write(&file, b"[store]\nengine = '\xff'\n");
    assert!(refusal(&file).contains("line 2 column 11: the text is not UTF-8"), "{}", refusal(&file));
    write(&file, &vec![b'#'; (1 << 20) + 1]);
    assert!(refusal(&file).contains("1 MiB"));
    let named = named_by(|name| Ok(if name == FILE_VARIABLE { "none.toml".into() } else { String::new() }));
    assert!(named.unwrap_err().to_string().contains("none.toml"));
}

#[test]
fn paths_of_a_file_are_relative_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("statestore.toml");
    for (path, expected) in [
        ("state.db", folder.path().join("state.db")),
        ("../up/state.db", folder.path().join("../up/state.db")),
        ("/srv/state.db", "/srv/state.db".into()),
        ("a b?c#d%20", folder.path().join("a b?c#d%20")),
    ] {
        write(&file, format!("[store]\nengine = '{}'\npath = '{path}'\n", registry::any()).as_bytes());
        assert_eq!(StoreConfig::from_file(&file).unwrap().path(), expected);
    }
    for (dir, expected) in [("m", folder.path().join("m")), ("/srv/m", "/srv/m".into())] {
        let text = format!("[store]\nengine = '{}'\npath = 's'\n[mirror]\ndir = '{dir}'\n", registry::any());
        write(&file, text.as_bytes());
        assert_eq!(StoreConfig::from_file(&file).unwrap().mirror().unwrap().dir, expected);
    }
}

#[test]
fn a_store_is_opened_with_its_mirror_unless_it_may_only_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let engine = registry::any();
    let url = format!("{engine}:{0}/state?mirror={0}/m&mirror_debounce=0", folder.path().display());
    let store = crate::open_blocking(&url).unwrap();
    store.put_as("n", "k", &1).unwrap();
    assert_eq!(std::fs::read_to_string(folder.path().join("m/n.json")).unwrap(), "{\n  \"k\": 1\n}\n");
    assert_eq!(store.info().unwrap().mirror.map(|mirror| mirror.written), Some(1));
    store.close().unwrap();
    let reader = StoreConfig::from_url(&url).unwrap().with_read_only(true).open_blocking().unwrap();
    assert!(reader.info().unwrap().mirror.is_none());
    let inside = format!("{engine}:{0}/state?mirror={0}", folder.path().display());
    assert_eq!(crate::open_blocking(&inside).unwrap_err().kind(), ErrorKind::ConfigInvalid);
}

/// Another engine that only looked at the file would drop SQLite's locks of this process when it closes it.
#[cfg(all(target_os = "linux", feature = "sqlite", feature = "redb"))]
#[test]
fn what_is_open_is_not_opened_with_another_engine() {
    let folder = tempfile::tempdir().unwrap();
    let url = |engine: &str| format!("{engine}:{}/state", folder.path().display());
    let open = crate::open_blocking(&url("sqlite")).unwrap();
    open.put_as("n", "k", &1).unwrap();
    let locks = || {
        let all = std::fs::read_to_string("/proc/locks").unwrap();
        let ours = format!(" {} ", std::process::id());
        all.lines().filter(|line| line.contains("POSIX") && line.contains(&ours)).count()
    };
    let held = locks();
    assert!(held > 0, "SQLite holds no lock that could be lost");
    let refused = crate::open_blocking(&url("redb")).unwrap_err();
    assert!(refused.to_string().contains("another engine"), "{refused}");
    assert_eq!(locks(), held);
    open.close().unwrap();
    drop(open);
    let refused = crate::open_blocking(&url("redb")).unwrap_err();
    assert_eq!(refused.kind(), crate::ErrorKind::IncompatibleFormat, "{refused}");
}

fn write(path: &Path, bytes: &[u8]) {
    use std::io::Write;
    let mut options = std::fs::File::options();
    options.write(true).create(true).truncate(true).open(path).unwrap().write_all(bytes).unwrap();
}
