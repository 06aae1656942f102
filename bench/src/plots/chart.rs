//! One plot: lines over two axes, and their names beside them; to be read on a light page and on a dark one.

use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::TextStyle;

use super::scale::Scale;
use crate::Result;
use crate::plan::{Engine, Subject};

const SIZE: (u32, u32) = (860, 420);
const LEGEND: u32 = 210;
/// As far from white as from black.
const GRAY: RGBColor = RGBColor(128, 128, 128);
const FONT: &str = "sans-serif";

/// What is drawn.
#[derive(Debug)]
pub(super) struct Chart {
    pub(super) title: String,
    pub(super) x_title: String,
    pub(super) y_title: String,
    /// Where the x axis is labelled, and how.
    pub(super) x_marks: Vec<(f64, String)>,
    /// How a power of ten on the y axis is written.
    pub(super) y_words: fn(f64) -> String,
    pub(super) lines: Vec<Line>,
}

/// One subject.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) name: &'static str,
    pub(super) engine: Engine,
    pub(super) subject: Subject,
    /// Points that a line joins: place on the x axis, and the plain value, above zero.
    pub(super) joined: Vec<(f64, f64)>,
    /// Points on their own.
    pub(super) apart: Vec<(f64, f64)>,
}

impl Line {
    /// The colour tells the engine.
    fn colour(&self) -> RGBColor {
        match self.engine {
            Engine::Sqlite => RGBColor(59, 130, 246),
            Engine::Redb => RGBColor(234, 88, 12),
            Engine::Json => RGBColor(22, 163, 74),
        }
    }

    /// The store is drawn through and filled, its peers are dashed and hollow.
    fn is_store(&self) -> bool {
        self.subject == Subject::Store
    }

    fn style(&self) -> ShapeStyle {
        self.colour().stroke_width(if self.is_store() { 3 } else { 2 })
    }

    /// The dashes of a second peer are shorter.
    fn dashes(&self) -> (u32, u32) {
        if self.subject == Subject::Bare { (8, 5) } else { (2, 5) }
    }

    fn marker(&self) -> ShapeStyle {
        if self.is_store() { self.colour().filled() } else { self.colour().stroke_width(2) }
    }
}

impl Chart {
    /// Draws it, on nothing.
    pub(super) fn svg(&self) -> Result<String> {
        let mut text = String::new();
        {
            let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
            let (plot, legend) = area.split_horizontally(SIZE.0 - LEGEND);
            self.draw(&plot)?;
            self.draw_legend(&legend)?;
            area.present().map_err(told)?;
        }
        Ok(text)
    }

    fn draw(&self, area: &DrawingArea<SVGBackend<'_>, Shift>) -> Result<()> {
        let (first, last) = self.powers();
        let powers = (first..=last).map(|power| (f64::from(power), (self.y_words)(10_f64.powi(power))));
        let mut chart = ChartBuilder::on(area)
            .margin(10)
            .caption(&self.title, (FONT, 17, &GRAY))
            .x_label_area_size(46)
            .y_label_area_size(90)
            .build_cartesian_2d(Scale::new(self.x_marks.clone(), 0.3), Scale::new(powers.collect(), 0.0))
            .map_err(told)?;
        let mut mesh = chart.configure_mesh();
        mesh.light_line_style(TRANSPARENT)
            .bold_line_style(GRAY.mix(0.3))
            .axis_style(GRAY)
            .label_style((FONT, 13, &GRAY))
            .axis_desc_style((FONT, 14, &GRAY))
            .x_desc(&self.x_title)
            .y_desc(&self.y_title)
            .draw()
            .map_err(told)?;
        for line in &self.lines {
            let scaled =
                |points: &[(f64, f64)]| -> Vec<_> { points.iter().map(|(x, y)| (*x, y.log10())).collect() };
            let (joined, apart) = (scaled(&line.joined), scaled(&line.apart));
            if line.is_store() {
                chart.draw_series(LineSeries::new(joined.clone(), line.style())).map_err(told)?;
            } else {
                let (dash, gap) = line.dashes();
                let dashed = DashedLineSeries::new(joined.clone(), dash, gap, line.style());
                chart.draw_series(dashed).map_err(told)?;
            }
            let points = joined.into_iter().chain(apart);
            chart.draw_series(points.map(|at| Circle::new(at, 4, line.marker()))).map_err(told)?;
        }
        Ok(())
    }

    fn draw_legend(&self, area: &DrawingArea<SVGBackend<'_>, Shift>) -> Result<()> {
        for (line, y) in self.lines.iter().zip((50..).step_by(22)) {
            let path = vec![(4, y), (36, y)];
            if line.is_store() {
                area.draw(&PathElement::new(path, line.style())).map_err(told)?;
            } else {
                let (dash, gap) = line.dashes();
                area.draw(&DashedPathElement::new(path, dash, gap, line.style())).map_err(told)?;
            }
            area.draw(&Circle::new((20, y), 4, line.marker())).map_err(told)?;
            let style = TextStyle::from((FONT, 13)).color(&GRAY);
            let name = Text::new(line.name, (44, y - 7), style);
            area.draw(&name).map_err(told)?;
        }
        Ok(())
    }

    /// Returns the powers of ten below and above all values.
    fn powers(&self) -> (i32, i32) {
        let values = || self.lines.iter().flat_map(|line| line.joined.iter().chain(&line.apart));
        let least = values().map(|(_, y)| *y).fold(f64::INFINITY, f64::min);
        let most = values().map(|(_, y)| *y).fold(0.0, f64::max);
        if most < least {
            return (0, 1);
        }
        let first = power(least.log10().floor());
        (first, power(most.log10().ceil()).max(first + 1))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a cast of floats saturates")]
fn power(exponent: f64) -> i32 {
    exponent as i32
}

/// The errors of plotters borrow what they are about.
fn told<E: std::fmt::Display>(error: E) -> String {
    format!("cannot draw a plot: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_chart_and_one_of_a_single_point_can_be_drawn() {
        let line = |joined| Line {
            name: "a <b> & c",
            engine: Engine::Redb,
            subject: Subject::Bare,
            joined,
            apart: vec![],
        };
        for lines in [vec![], vec![line(vec![])], vec![line(vec![(1.0, 100.0)])]] {
            let chart = Chart {
                title: "title".into(),
                x_title: "x".into(),
                y_title: "y".into(),
                x_marks: vec![(1.0, "one".into())],
                y_words: |value| value.to_string(),
                lines,
            };
            let svg = chart.svg().unwrap();
            assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>") && !svg.contains("<b>"));
        }
    }
}
