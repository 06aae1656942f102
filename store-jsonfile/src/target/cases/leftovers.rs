//! What killed writers leave in the folder.

use std::path::Path;

use super::{Done, demand, open, place, said};
use crate::target::damages::overwrite;

pub(super) fn go_with_the_next_write(folder: &Path) -> Done {
    let path = place(folder);
    let store = open(&path)?;
    store.put("n", "k", 1u64.into()).map_err(said)?;
    let dead = [".statestore-3gK2aB.new", ".statestore-x.new"].map(|name| path.join(name));
    let not_ours =
        [".statestore-mine", "notes.txt", ".bus.json.swp", "bus.json~"].map(|name| path.join(name));
    for file in dead.iter().chain(&not_ours) {
        overwrite(file, "half a file")?;
    }
    std::fs::create_dir(path.join(".statestore-folder.new")).map_err(said)?;
    // A handle that wrote before looks again once it finds that a writer did not come to its end.
    let changes = std::fs::read_to_string(path.join(".changes")).map_err(said)?;
    let number: u64 = changes.trim().parse().map_err(said)?;
    overwrite(&path.join(".changes"), format!("{:020}\n", number + 1))?;
    store.put("n", "k", 2u64.into()).map_err(said)?;
    for file in dead.iter().chain([&path.join(".statestore-folder.new")]) {
        demand(!file.exists(), format!("{} is left", file.display()))?;
    }
    overwrite(&path.join(".statestore-late.new"), "half a file")?;
    open(&path)?.put("n", "k", 3u64.into()).map_err(said)?;
    let late = path.join(".statestore-late.new");
    store.close().map_err(said)?;
    drop(store);
    open(&path)?.put("n", "k", 4u64.into()).map_err(said)?;
    demand(!late.exists(), "the first write of an open store leaves it")?;
    for file in not_ours {
        demand(file.exists(), format!("{} is not ours to remove", file.display()))?;
    }
    Ok(())
}
