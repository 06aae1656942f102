//! One JSON file, written as mirrors write theirs, for whoever wants nothing else of this crate.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::config::Access;
use crate::error::{Error, Result};
use crate::json::Json;
use crate::shared::access::{Modes, explain_denial};
use crate::shared::files::{self, folder_of};
use crate::shared::os;

/// Writes a value as a JSON file: pretty, with a newline at its end, and so that every reader sees the old
/// file or the new one, whole, at every instant.
///
/// - It is written under a random hidden name in the same folder, synced, renamed, and the folder is synced: once this
///   returns, it survives the loss of power.
/// - A file that is there keeps its mode and group, and its owner where this process may give files away; a new one is
///   for its owner alone (0600). A link is followed.
/// - Of several writers at once the last one's file stays. Nothing is read: what is changed by reading first
///   belongs into a store.
/// - A process that is killed in the middle leaves a hidden file, `.statestore-*.new`, and the old one as it was.
///
/// Blocks the thread.
///
/// # Errors
/// `InvalidInput` for what JSON cannot say; `PermissionDenied`, `ReadOnly`, `StorageFull`, `Io`: then the
/// old file is there as it was. Only that the folder could not be synced, `Io`, comes after the new file is in place.
///
/// # Examples
/// ```
/// # let folder = std::env::temp_dir().join(format!("statestore-doc-mirror-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// # let path = folder.join("digest.json");
/// store_core::write_mirror(&path, &std::collections::BTreeMap::from([("sent", 42)]))?;
/// assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\n  \"sent\": 42\n}\n");
/// # std::fs::remove_dir_all(folder).unwrap();
/// # Ok::<(), store_core::Error>(())
/// ```
pub fn write_mirror<T: Serialize + ?Sized>(path: impl AsRef<Path>, value: &T) -> Result<()> {
    let path = path.as_ref();
    let named = |e: Error| e.with_operation("write_mirror").with_path(path);
    let text = Json::encode(value).map_err(named)?.pretty();
    write(path, text.as_bytes()).map_err(named)
}

fn write(path: &Path, text: &[u8]) -> Result<()> {
    let (path, mode, modes) = rights_of(path)?;
    let folder = folder_of(&path);
    files::replace_file(&path, folder, text, mode, &modes)?;
    files::sync_folder(folder)
}

/// Returns the file behind the links, and the rights that the new one gets.
fn rights_of(path: &Path) -> Result<(PathBuf, u32, Modes)> {
    let private = Modes::of(Access::Private, None);
    let path = match path.canonicalize() {
        Ok(path) => path,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Ok((path.to_owned(), private.file, private));
        }
        Err(e) => return Err(explain_denial("cannot resolve the path", path, e)),
    };
    let found = path.metadata().map_err(|e| explain_denial("cannot look at", &path, e))?;
    Ok((path, os::mode(&found) & 0o777, Modes::of_file(&found)))
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::error::ErrorKind;

    fn mode_of(path: &Path) -> u32 {
        path.metadata().map_or(0, |found| os::mode(&found))
    }

    #[test]
    fn a_new_file_is_private_and_an_old_one_keeps_its_rights() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        write_mirror(&path, &[1, 2]).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "[\n  1,\n  2\n]\n");
        assert_eq!(mode_of(&path), 0o600);
        set_permissions(&path, Permissions::from_mode(0o654)).unwrap();
        write_mirror(&path, "two").unwrap();
        assert_eq!((std::fs::read_to_string(&path).unwrap().as_str(), mode_of(&path)), ("\"two\"\n", 0o654));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_stays_and_what_it_leads_to_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real.json"), dir.path().join("link.json"));
        write_mirror(&real, &1).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write_mirror(&link, &2).unwrap();
        assert_eq!(std::fs::read_to_string(&real).unwrap(), "2\n");
        assert!(link.is_symlink());
    }

    #[test]
    fn a_failure_is_typed_and_leaves_the_old_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        write_mirror(&path, &1).unwrap();
        let refused = write_mirror(&path, &f64::NAN).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput);
        assert!(refused.to_string().contains("a.json"), "{refused}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "1\n");
        let nowhere = write_mirror(dir.path().join("none/a.json"), &1).unwrap_err();
        assert_eq!(nowhere.kind(), ErrorKind::Io);
        assert!(write_mirror(dir.path(), &1).is_err(), "a folder");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
