//! Which files and folders belong to a store, by their names.

use store_core::Result;
use store_core::shared::access::explain_denial;
use store_core::shared::artefact::Artefact;
use store_core::shared::names::decode;
use store_core::shared::place::Place;

use crate::journal;
use crate::layout::{Item, Layout};
use crate::listing::{is_folder, names_in};

/// Lists them; what has a name that this program gives to nothing is somebody else's.
pub(crate) fn of(place: &Place) -> Result<Vec<Artefact>> {
    let layout = Layout::new(place.path());
    let mut found = vec![
        Artefact::file(place.data()),
        Artefact::file(layout.path(&Item::Epoch)),
        Artefact::file(layout.changes()),
        Artefact::gate(place.gate()),
        // Of a store that has moved it stays for ever.
        if journal::says_moved(&layout.journal()) {
            Artefact::part(layout.journal())
        } else {
            Artefact::passing(layout.journal())
        },
        Artefact::passing(layout.next()),
    ];
    let mut names = names_in(layout.folder())?;
    names.sort();
    for name in names {
        if let Some(Item::Object(_)) = Item::parse(&name) {
            found.push(Artefact::part(layout.folder().join(name)));
        } else if let Some(namespace) = decode(&name) {
            let logs = layout.logs(&namespace);
            // A file of somebody else may have such a name; a link in its place leads out of the store.
            if is_folder(&logs).map_err(|e| explain_denial("cannot look at", &logs, e))? {
                found.push(Artefact::folder(&logs));
                found.extend(logs_in(&layout, &namespace, &name)?);
            }
        }
    }
    Ok(found)
}

fn logs_in(layout: &Layout, namespace: &str, folder: &str) -> Result<Vec<Artefact>> {
    let mut names = names_in(&layout.logs(namespace))?;
    names.sort();
    let ours = names.into_iter().filter_map(|name| Item::parse(&format!("{folder}/{name}")));
    Ok(ours.map(|item| Artefact::part(layout.path(&item))).collect())
}

#[cfg(all(test, unix))]
mod tests {
    use std::path::Path;

    use store_core::shared::place::Shape;

    use super::*;

    #[test]
    fn what_is_not_ours_by_name_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::resolve(&dir.path().join("state"), Shape::Folder).unwrap();
        std::fs::create_dir_all(place.path().join("jobs")).unwrap();
        std::fs::create_dir(place.path().join("Notes")).unwrap();
        for name in ["jobs.json", "jobs/a.jsonl", "jobs/A.jsonl", "Jobs.json", "README", "Notes/a.jsonl"] {
            std::fs::File::create_new(place.path().join(name)).unwrap();
        }
        std::os::unix::fs::symlink("/etc", place.path().join("etc")).unwrap();
        let found = of(&place).unwrap();
        let names = found.iter().map(|found| found.path.strip_prefix(place.path()).unwrap());
        let fixed = [".store.json", ".epoch.json", ".changes", ".gate", ".journal", ".next"];
        let expected: Vec<_> = fixed.into_iter().chain(["jobs", "jobs/a.jsonl", "jobs.json"]).collect();
        assert_eq!(names.collect::<Vec<_>>(), expected.iter().map(Path::new).collect::<Vec<_>>());
    }
}
