//! The files of a store, copied as an archiver does it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use super::{create, sync};
use crate::Result;

const ARCHIVE: &str = "files.archive";
const STORE: &str = "store";

/// Writes all files into one, each behind a line with its size and name, and returns how large it is.
pub(super) fn pack(above: &Path, here: &Path) -> Result<u64> {
    let mut to = create(&here.join(ARCHIVE))?;
    let store = above.join(STORE);
    pack_folder(&store, &store, &mut to)?;
    sync(to)
}

fn pack_folder(store: &Path, folder: &Path, to: &mut impl Write) -> Result<()> {
    for entry in folder.read_dir()? {
        let path = entry?.path();
        let kind = path.symlink_metadata()?;
        if kind.is_dir() {
            pack_folder(store, &path, to)?;
        } else if kind.is_file() {
            let name = path.strip_prefix(store)?.to_str().ok_or("a name is no text")?;
            writeln!(to, "{}\t{name}", kind.len())?;
            io::copy(&mut File::open(&path)?, to)?;
        }
    }
    Ok(())
}

/// Writes the files again, each synced, then the folders, and returns how large the archive is.
pub(super) fn unpack(above: &Path, here: &Path) -> Result<u64> {
    let archive = File::open(above.join(ARCHIVE))?;
    let bytes = archive.metadata()?.len();
    let mut from = BufReader::with_capacity(256 << 10, archive);
    let mut folders = std::collections::BTreeSet::new();
    let mut line = String::new();
    while from.read_line(&mut line)? > 0 {
        let (size, name) = line.trim_end_matches('\n').split_once('\t').ok_or("not an archive")?;
        let path = here.join(STORE).join(name);
        let mut to = create(&path)?;
        io::copy(&mut (&mut from).take(size.parse()?), &mut to)?;
        sync(to)?;
        folders.extend(path.parent().map(Path::to_owned));
        line.clear();
    }
    folders.iter().try_for_each(|folder| File::open(folder)?.sync_all())?;
    Ok(bytes)
}
