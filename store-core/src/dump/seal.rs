//! The seal of a compressed dump: BLAKE3 of all its bytes, behind them in a frame that every decompressor skips.
//!
//! Not every bit of a compressed stream matters to what comes out of it (RFC 8878 has an unused one in each frame's
//! header, and a window may be larger than it need be), so that what comes out does not tell that none was changed.

use std::fs::File;
use std::io::{self, Write};

use crate::shared::os;

/// A skippable frame of 32 bytes (RFC 8878, 3.1.2).
const FRAME: [u8; 8] = [0x50, 0x2a, 0x4d, 0x18, 32, 0, 0, 0];
const DIGEST: usize = 32;
const LENGTH: u64 = (FRAME.len() + DIGEST) as u64;

/// Passes bytes on, and can seal them.
#[derive(Debug)]
pub(super) struct Sealing<W> {
    to: W,
    digest: blake3::Hasher,
}

impl<W: Write> Sealing<W> {
    pub(super) fn new(to: W) -> Self {
        Self { to, digest: blake3::Hasher::new() }
    }

    /// Writes the seal of all that went by.
    pub(super) fn seal(mut self) -> io::Result<()> {
        self.to.write_all(&FRAME)?;
        self.to.write_all(self.digest.finalize().as_bytes())?;
        self.to.flush()
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.digest.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Whether a file ends with the seal of all before it.
pub(super) fn is_sealed(file: &File) -> io::Result<bool> {
    let Some(end) = file.metadata()?.len().checked_sub(LENGTH) else { return Ok(false) };
    let mut digest = blake3::Hasher::new();
    let mut buffer = vec![0; 64 << 10];
    let mut at = 0;
    while at < end {
        let most = usize::try_from(end - at).unwrap_or(usize::MAX).min(buffer.len());
        let piece = buffer.get_mut(..most).unwrap_or_default();
        let read = os::read_at(file, piece, at)?;
        if read == 0 {
            return Ok(false);
        }
        digest.update(piece.get(..read).unwrap_or_default());
        at += read as u64;
    }
    let mut seal = [0; FRAME.len() + DIGEST];
    let read = os::read_at(file, &mut seal, end)?;
    let (frame, found) = seal.split_at(FRAME.len());
    Ok(read == seal.len() && frame == FRAME && found == digest.finalize().as_bytes())
}
