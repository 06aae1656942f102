//! Where a dump is read from: a file, or a pipe that is taken to a file first.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use super::meter::Meter;
use super::outline::Outline;
use super::read::Reader;
use super::seal::is_sealed;
use crate::error::{Error, ErrorKind, Result};
use crate::shared::access::explain_denial;
use crate::shared::os;

/// How every stream that zstd compressed begins (RFC 8878, 3.1.1).
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const BUFFER: usize = 256 << 10;

/// A dump that can be read more than once; that it is compressed is found out.
#[derive(Debug)]
pub struct DumpSource {
    file: File,
    name: PathBuf,
}

impl DumpSource {
    /// Opens a file.
    ///
    /// # Errors
    /// `InvalidInput` for what is no file; `PermissionDenied` or `Io` if it cannot be opened.
    pub fn open(path: &Path) -> Result<Self> {
        match os::open_plain(path, false) {
            Ok(file) => Ok(Self { file, name: path.to_owned() }),
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidInput) => {
                let why = "cannot read the dump; give a plain file that is there";
                Err(Error::new(ErrorKind::InvalidInput, why).with_path(path).with_source(e))
            }
            Err(e) => Err(explain_denial("cannot open the dump", path, e)),
        }
    }

    /// Takes what a pipe gives, to its end, to a temporary file without a name: whoever holds a store's gate must not
    /// wait for a pipe, and nothing is touched before all of it was seen. The name is for messages.
    ///
    /// # Errors
    /// `StorageFull` or `Io` if it cannot be read, or kept in the system's folder for temporary files.
    pub fn spool(mut from: impl Read, name: impl Into<PathBuf>) -> Result<Self> {
        let name = name.into();
        let failed = |e| Error::from_io("cannot keep the dump in a temporary file", &name, e);
        let mut file = tempfile::tempfile().map_err(failed)?;
        io::copy(&mut from, &mut file).map_err(failed)?;
        Ok(Self { file, name })
    }

    pub(super) fn of(file: File, name: PathBuf) -> Self {
        Self { file, name }
    }

    /// Returns how many bytes it has, compressed if it is.
    ///
    /// # Errors
    /// `Io` if it cannot be looked at.
    pub fn size(&self) -> Result<u64> {
        Ok(self.file.metadata().map_err(|e| self.unreadable(e))?.len())
    }

    fn unreadable(&self, error: io::Error) -> Error {
        Error::from_io("cannot read the dump", &self.name, error)
    }

    /// Begins to read it from its first byte; one reader at a time, for they share the place in the file.
    pub(super) fn read<'m>(&self, meter: &'m Meter) -> Result<Reader<'m, Box<dyn BufRead + Send>>> {
        let mut file = self.file.try_clone().map_err(|e| self.unreadable(e))?;
        file.rewind().map_err(|e| self.unreadable(e))?;
        let mut plain = BufReader::with_capacity(BUFFER, file);
        let compressed = plain.fill_buf().map_err(|e| self.unreadable(e))?.starts_with(&ZSTD);
        let sealed = compressed.then(|| is_sealed(&self.file)).transpose().map_err(|e| self.unreadable(e))?;
        let from: Box<dyn BufRead + Send> = if compressed {
            let decoder = zstd::stream::read::Decoder::with_buffer(plain).map_err(|e| self.unreadable(e))?;
            Box::new(BufReader::with_capacity(BUFFER, decoder))
        } else {
            Box::new(plain)
        };
        Reader::begin(from, &self.name, sealed, meter)
    }

    /// Reads all of it, and returns what it holds: it is whole, and every byte is as it was written.
    ///
    /// # Errors
    /// - `Corrupted` for what is no dump, was cut, or was changed; it names the record and the byte.
    /// - `IncompatibleFormat` for one of a newer program; `Io` if it cannot be read.
    pub fn verify(&self, meter: &Meter) -> Result<Outline> {
        meter.begin("verify", 0);
        let mut reader = self.read(meter)?;
        while reader.next()?.is_some() {}
        Ok(reader.outline())
    }
}
