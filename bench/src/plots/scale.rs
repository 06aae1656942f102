//! An axis that is labelled where it is told to be.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

/// An even axis with its labels.
#[derive(Debug, Clone)]
pub(super) struct Scale {
    range: Range<f64>,
    marks: Vec<(f64, String)>,
}

impl Scale {
    /// Makes an axis from the first mark to the last, and so much beyond both.
    pub(super) fn new(marks: Vec<(f64, String)>, beyond: f64) -> Self {
        let first = marks.first().map_or(0.0, |(at, _)| *at);
        let last = marks.last().map_or(1.0, |(at, _)| *at);
        Self { range: first - beyond..last + beyond, marks }
    }
}

impl Ranged for Scale {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    #[expect(clippy::cast_possible_truncation, reason = "pixels of a plot")]
    fn map(&self, value: &f64, pixels: (i32, i32)) -> i32 {
        let share = (value - self.range.start) / (self.range.end - self.range.start).max(f64::MIN_POSITIVE);
        pixels.0 + (share * f64::from(pixels.1 - pixels.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.marks.iter().map(|(at, _)| *at).collect()
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

impl ValueFormatter<f64> for Scale {
    fn format_ext(&self, value: &f64) -> String {
        let mark = self.marks.iter().find(|(at, _)| (at - value).abs() < 1e-6);
        mark.map_or_else(String::new, |(_, name)| name.clone())
    }
}
