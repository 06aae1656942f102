//! Keys and values: the same for all subjects.

use fastrand::Rng;

/// The one namespace.
pub(crate) const NAMESPACE: &str = "bench";
/// The one log.
pub(crate) const LOG: &str = "events";

const KEYS: usize = 1000;
const VALUES: usize = 64;

/// Draws keys and values.
#[derive(Debug)]
pub(crate) struct Load<V> {
    keys: Vec<String>,
    values: Vec<V>,
    rng: Rng,
}

impl<V> Load<V> {
    /// Makes the keys and the values, in the form that a subject takes.
    pub(crate) fn new<E>(seed: u64, mut form: impl FnMut(String) -> Result<V, E>) -> Result<Self, E> {
        let mut rng = Rng::with_seed(seed);
        let values = (0..VALUES).map(|_| form(value(&mut rng))).collect::<Result<_, E>>()?;
        Ok(Self { keys: (0..KEYS).map(|n| format!("device-{n:06}")).collect(), values, rng })
    }

    /// Returns all keys, to prepare a database with.
    pub(crate) fn keys(&self) -> &[String] {
        &self.keys
    }

    /// Draws a key and a value.
    pub(crate) fn draw(&mut self) -> (&str, &V) {
        let key = self.rng.usize(..self.keys.len());
        let value = self.rng.usize(..self.values.len());
        #[expect(clippy::indexing_slicing, reason = "both are drawn below the lengths")]
        (&self.keys[key], &self.values[value])
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
        let mut load = Load::new(7, |text| text.parse::<statestore::Json>()).unwrap();
        for _ in 0..100 {
            let size = load.draw().1.as_str().len();
            assert!((180..=220).contains(&size), "{size}");
        }
    }
}
