//! From a store to a dump: taken from one instant, synced, and only then seen by anybody.

use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::meter::Meter;
use super::outline::Outline;
use super::seal::Sealing;
use super::source::DumpSource;
use super::take::{To, take};
use crate::backend::Snapshot;
use crate::config::Access;
use crate::error::{Error, ErrorKind, Result};
use crate::shared::access::Modes;
use crate::shared::files::{self, Staged, folder_of};
use crate::shared::os;
use crate::store::StateStore;

const BUFFER: usize = 1 << 20;
/// What zstd makes of it: the level that it chooses itself.
const LEVEL: i32 = 3;

/// Whether a dump is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// It is text.
    #[default]
    None,
    /// It is a stream of zstd, with a checksum of its own.
    Zstd,
}

/// Writes a dump of one instant of a store to a file, while others write: whole under its name, or not at all. It
/// gets the rights of the store's own files, and replaces a dump that has the name.
///
/// # Errors
/// - `InvalidInput` for a path at which something else than a file stands.
/// - `Unsupported` by a store that has no such instant; those of reading it and of [`StateStore::sync`].
/// - `PermissionDenied`, `StorageFull`, `Io` for the file; then the one that was there is as it was.
pub async fn export(
    store: &dyn StateStore,
    path: &Path,
    compression: Compression,
    meter: &Arc<Meter>,
) -> Result<Outline> {
    if path.symlink_metadata().is_ok_and(|found| !found.is_file()) {
        let why = "something else than a plain file stands here; name another, or - for stdout";
        return Err(Error::new(ErrorKind::InvalidInput, why).with_path(path));
    }
    let modes = store.info().await?.modes.unwrap_or(Modes::of(Access::Private, None));
    let folder = folder_of(path);
    let mut staged = Staged::new(path, folder)?;
    // Whoever looks for leftovers sees that it is none.
    let _ = staged.file().try_lock();
    let failed = |e| Error::from_io("cannot write the dump", path, e);
    let file = staged.file().try_clone().map_err(failed)?;
    let outline = write(store, file, path, compression, meter).await?;
    staged.complete(modes.file, &modes)?;
    staged.replace()?;
    files::sync_folder(folder)?;
    Ok(outline)
}

/// Writes a dump of one instant of a store into a pipe. It is taken to a temporary file first: what a slow reader
/// leaves of it would keep the instant, and with it the room of all that is replaced meanwhile.
///
/// # Errors
/// Those of [`export`]; `Io` if the pipe breaks, with the system's error as its source.
pub async fn export_to(
    store: &dyn StateStore,
    mut to: impl Write,
    compression: Compression,
    meter: &Arc<Meter>,
) -> Result<Outline> {
    let name = Path::new("<stdout>");
    let failed = |e| Error::from_io("cannot write the dump", name, e);
    let mut spool = tempfile::tempfile().map_err(failed)?;
    let file = spool.try_clone().map_err(failed)?;
    let outline = write(store, file, name, compression, meter).await?;
    spool.rewind().and_then(|()| io::copy(&mut spool, &mut to)).and_then(|_| to.flush()).map_err(failed)?;
    Ok(outline)
}

/// Takes a dump of one instant to a temporary file without a name, to be read again.
pub(super) async fn write_spool(store: &dyn StateStore, meter: &Arc<Meter>) -> Result<(Outline, DumpSource)> {
    let name = PathBuf::from("<temporary file>");
    let failed = |e| Error::from_io("cannot write the dump", &name, e);
    let spool = tempfile::tempfile().map_err(failed)?;
    let file = spool.try_clone().map_err(failed)?;
    let outline = write(store, file, &name, Compression::None, meter).await?;
    Ok((outline, DumpSource::of(spool, name)))
}

/// Tells what a store holds at one instant, by the digests that a dump of it would have.
///
/// # Errors
/// `Unsupported` by a store that has no such instant; those of reading it.
pub async fn outline_of(store: &dyn StateStore, meter: &Arc<Meter>) -> Result<Outline> {
    let engine = store.info().await?.engine;
    let gauge = Arc::clone(meter);
    look(store, move |snapshot| {
        gauge.begin("read", 0);
        take(snapshot, &engine, To::nowhere(), &gauge).map(|(outline, _)| outline)
    })
    .await
}

/// Runs work that returns a value on one instant of a store.
async fn look<T: Send + 'static>(
    store: &dyn StateStore,
    mut work: impl FnMut(&dyn Snapshot) -> Result<T> + Send + 'static,
) -> Result<T> {
    let seen = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&seen);
    let works = move |snapshot: &dyn Snapshot| {
        let value = work(snapshot)?;
        *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
        Ok(())
    };
    store.snapshot(Box::new(works)).await?;
    let value = seen.lock().unwrap_or_else(PoisonError::into_inner).take();
    value.ok_or_else(|| crate::backend::never_ran("snapshot"))
}

/// A file whose bytes go to the disk as they come, so that its sync keeps those of writers waiting only for a moment.
#[derive(Debug)]
struct Steady<'f> {
    file: &'f File,
    at: u64,
}

impl Write for Steady<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        os::begin_writeback(self.file, self.at, written as u64);
        self.at += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

pub(super) fn compressor<'a, W: Write>(to: W) -> io::Result<zstd::stream::write::Encoder<'a, W>> {
    let mut encoder = zstd::stream::write::Encoder::new(to, LEVEL)?;
    encoder.include_checksum(true)?;
    Ok(encoder)
}

async fn write(
    store: &dyn StateStore,
    mut file: File,
    name: &Path,
    compression: Compression,
    meter: &Arc<Meter>,
) -> Result<Outline> {
    let info = store.info().await?;
    let estimate = info.files.iter().map(|(_, size)| size).sum();
    let (engine, name, gauge) = (info.engine, name.to_owned(), Arc::clone(meter));
    look(store, move |snapshot| {
        gauge.begin("write", estimate);
        let failed = |e| Error::from_io("cannot write the dump", &name, e);
        // It may be asked for again.
        file.set_len(0).and_then(|()| file.rewind()).map_err(failed)?;
        let plain = BufWriter::with_capacity(BUFFER, Steady { file: &file, at: 0 });
        match compression {
            Compression::None => {
                let to = To { sink: plain, name: &name, compression };
                let (outline, mut to) = take(snapshot, &engine, to, &gauge)?;
                to.flush().map_err(failed)?;
                Ok(outline)
            }
            Compression::Zstd => {
                let encoder = compressor(Sealing::new(plain)).map_err(failed)?;
                let to = To { sink: encoder, name: &name, compression };
                let (outline, to) = take(snapshot, &engine, to, &gauge)?;
                to.finish().and_then(Sealing::seal).map_err(failed)?;
                Ok(outline)
            }
        }
    })
    .await
}
