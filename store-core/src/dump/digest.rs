//! BLAKE3 of what comes in small pieces: many at once go through the processor's wide registers, several times as fast.

use std::fmt;

/// How much goes to the hash at once.
const ROOM: usize = 64 << 10;

/// A digest in the making.
#[derive(Clone, Default)]
pub(super) struct Digest {
    hasher: blake3::Hasher,
    waiting: Vec<u8>,
}

impl Digest {
    /// Adds a piece; how the whole is cut into pieces makes no difference.
    pub(super) fn update(&mut self, mut piece: &[u8]) -> &mut Self {
        while let Some((fits, rest)) = piece.split_at_checked(ROOM - self.waiting.len()) {
            self.waiting.extend_from_slice(fits);
            self.hasher.update(&self.waiting);
            self.waiting.clear();
            piece = rest;
        }
        self.waiting.extend_from_slice(piece);
        self
    }

    /// Returns the digest of all pieces so far, in hexadecimal digits.
    pub(super) fn hex(&self) -> String {
        self.hasher.clone().update(&self.waiting).finalize().to_hex().to_string()
    }

    /// Begins anew.
    pub(super) fn reset(&mut self) {
        self.hasher.reset();
        self.waiting.clear();
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digest").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_make_no_difference() {
        let whole: Vec<u8> = (0..3 * ROOM + 17).map(|n| u8::try_from(n % 251).unwrap()).collect();
        for size in [1, 200, ROOM - 1, ROOM, ROOM + 1, whole.len()] {
            let mut digest = Digest::default();
            digest.update(b"before");
            digest.reset();
            for (n, piece) in whole.chunks(size).enumerate() {
                digest.update(piece);
                if n == 5 {
                    // What was asked for in between changes nothing.
                    let _ = digest.hex();
                }
            }
            assert_eq!(digest.hex(), blake3::hash(&whole).to_hex().as_str(), "pieces of {size}");
        }
        assert_eq!(Digest::default().hex(), blake3::hash(b"").to_hex().as_str());
    }
}
