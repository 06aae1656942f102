//! Numbers as people read them.

use std::time::Duration;

/// Writes a number with its thousands apart.
pub(crate) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// Writes a time with two or three digits that count.
pub(crate) fn words(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    let (value, unit) = match seconds {
        s if s < 1e-3 => (s * 1e6, "µs"),
        s if s < 1.0 => (s * 1e3, "ms"),
        s => (s, "s"),
    };
    if value < 10.0 { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") }
}

/// Writes KiB as MiB.
pub(crate) fn mebibytes(kib: u64) -> String {
    let tenths = kib * 10 / 1024;
    if tenths < 100 { format!("{}.{} MiB", tenths / 10, tenths % 10) } else { format!("{} MiB", tenths / 10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_read_them() {
        assert_eq!(["12", "999", "1 234", "1 234 567"], [12.3, 999.0, 1234.0, 1_234_567.0].map(grouped));
        assert_eq!(words(Duration::from_nanos(1250)), "1.2 µs");
        assert_eq!(words(Duration::from_micros(45_200)), "45 ms");
        assert_eq!(words(Duration::from_millis(1600)), "1.6 s");
        assert_eq!(["3.5 MiB", "123 MiB"], [3584, 126_000].map(mebibytes));
    }
}
