//! Keys and values: the same for all subjects.

use fastrand::Rng;

/// The one namespace.
pub(crate) const NAMESPACE: &str = "bench";
/// The one log.
pub(crate) const LOG: &str = "events";

const VALUES: usize = 64;
const PREFIX: &[u8] = b"device-";
const DIGITS: usize = 7;

/// Draws keys and values.
///
/// Values are made beforehand; a key is written where it is drawn, in some nanoseconds, for a million of them
/// would be most of what a process has in memory.
#[derive(Debug)]
pub(crate) struct Load<V> {
    size: usize,
    key: [u8; PREFIX.len() + DIGITS],
    values: Vec<V>,
    rng: Rng,
}

impl<V> Load<V> {
    /// Makes the values, in the form that a subject takes, and chooses among so many keys.
    pub(crate) fn new<E>(
        size: usize,
        seed: u64,
        mut form: impl FnMut(String) -> Result<V, E>,
    ) -> Result<Self, E> {
        let mut rng = Rng::with_seed(seed);
        let values = (0..VALUES).map(|_| form(value(&mut rng))).collect::<Result<_, E>>()?;
        let mut key = [b'0'; PREFIX.len() + DIGITS];
        let (prefix, _) = key.split_at_mut(PREFIX.len());
        prefix.copy_from_slice(PREFIX);
        Ok(Self { size, key, values, rng })
    }

    /// Returns how many keys, or entries of the log, there are before the work begins.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Draws a key and a value.
    pub(crate) fn draw(&mut self) -> (&str, &V) {
        let key = self.rng.usize(..self.size.max(1));
        self.pair(key)
    }

    /// Returns a key by its number, and draws a value.
    pub(crate) fn pair(&mut self, key: usize) -> (&str, &V) {
        let mut rest = key;
        for digit in self.key.iter_mut().skip(PREFIX.len()).rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
        }
        let value = self.rng.usize(..self.values.len());
        #[expect(clippy::indexing_slicing, reason = "drawn below the length")]
        (std::str::from_utf8(&self.key).unwrap_or_default(), &self.values[value])
    }
}

/// Makes a compact JSON object of about 200 bytes, as an agent would keep of a device.
fn value(rng: &mut Rng) -> String {
    let note: String = (0..64).map(|_| rng.alphanumeric()).collect();
    format!(
        r#"{{"state":"{}","attempt":{},"load":{:.4},"owner":"agent-{:03}","tags":["edge","batch-{}"],"note":"{note}","updated":"2025-11-20T16:{:02}:{:02}Z"}}"#,
        if rng.bool() { "running" } else { "waiting" },
        rng.u32(1..1000),
        rng.f64(),
        rng.u32(..1000),
        rng.u32(100..1000),
        rng.u32(..60),
        rng.u32(..60),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_json_of_about_200_bytes() {
        let mut load = Load::new(1000, 7, |text| text.parse::<statestore::Json>()).unwrap();
        for _ in 0..100 {
            let size = load.draw().1.as_str().len();
            assert!((180..=220).contains(&size), "{size}");
        }
    }

    #[test]
    fn keys_are_numbered() {
        let mut load = Load::new(1_000_000, 7, |text| text.parse::<statestore::Json>()).unwrap();
        assert_eq!(load.pair(0).0, "device-0000000");
        assert_eq!(load.pair(999_999).0, "device-0999999");
        assert!((0..1000).all(|_| load.draw().0 < "device-1000000"));
    }
}
