//! The disk that it runs on: without it the figures of writes mean nothing.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::Result;

const SYNCS: usize = 101;

/// The folder that all databases of a run are made in.
#[derive(Debug)]
pub(crate) struct Place {
    folder: PathBuf,
}

impl Place {
    /// Takes the folder that is wished for, or that of this program: a folder for temporary files is often in
    /// memory, where a sync costs nothing.
    pub(crate) fn choose(wished: Option<&Path>) -> Result<Self> {
        let folder = match wished {
            Some(folder) => folder.to_owned(),
            None => std::env::current_exe()?.parent().map_or_else(PathBuf::new, Path::to_owned),
        };
        let found = folder.canonicalize().map_err(|e| format!("cannot work in {}: {e}", folder.display()));
        Ok(Self { folder: found? })
    }

    /// Makes an empty folder, removed when it is dropped.
    pub(crate) fn fresh_folder(&self) -> Result<TempDir> {
        Ok(tempfile::Builder::new().prefix("bench-").tempdir_in(&self.folder)?)
    }

    /// Says where it runs, and what a sync costs there now.
    pub(crate) fn describe(&self) -> Result<String> {
        let filesystem = self.filesystem().unwrap_or_else(|| "an unknown filesystem".into());
        let cores = std::thread::available_parallelism()?;
        Ok(format!(
            "{cores} cores, SQLite {}, {filesystem} at {}, a 4 KiB append and its fdatasync {:.0} µs (median of {SYNCS})",
            rusqlite::version(),
            self.folder.display(),
            self.sync_time()?.as_secs_f64() * 1e6,
        ))
    }

    fn sync_time(&self) -> Result<Duration> {
        let mut file = tempfile::tempfile_in(&self.folder)?;
        let mut times = Vec::with_capacity(SYNCS);
        for _ in 0..SYNCS {
            let begun = Instant::now();
            file.write_all(&[7; 4096])?;
            file.sync_data()?;
            times.push(begun.elapsed());
        }
        times.sort();
        Ok(times.get(SYNCS / 2).copied().unwrap_or_default())
    }

    /// Returns the type of the innermost mount above the folder.
    fn filesystem(&self) -> Option<String> {
        let mounts = std::fs::read_to_string("/proc/mounts").ok()?;
        let mounts = mounts.lines().filter_map(|line| {
            let mut words = line.split(' ').skip(1);
            let (at, kind) = (words.next()?, words.next()?);
            self.folder.starts_with(at).then_some((at.len(), kind))
        });
        mounts.max().map(|(_, kind)| kind.to_owned())
    }
}
