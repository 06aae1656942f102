//! The drawing of an exhibit: a lane for each process, a bar for each operation, from left to right in time.
//!
//! Instants are drawn at equal distances in their order: what came before what is all that decides, and true
//! distances would hide it, for between two operations may lie a thousand times their length.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::exhibit::{Exhibit, Span};

const LANE: usize = 56;
const STEP: usize = 72;
const LEFT: usize = 130;
const BAR: usize = 24;
/// The longest text that is written at a bar; all of it is in the list below, and under the pointer.
const SHOWN: usize = 44;
/// How wide a letter is, at most.
const LETTER: usize = 7;

/// Draws an exhibit, and lists its operations.
pub(super) fn draw(exhibit: &Exhibit) -> Markup {
    let plot = Plot::of(exhibit);
    let (width, height) = (plot.width(), plot.lanes.len() * LANE + 24);
    html! {
        figure.exhibit {
            figcaption { (exhibit.title) }
            div.scroll {
                svg role="img" aria-label=(exhibit.title) width=(width) height=(height)
                    viewBox=(format!("0 0 {width} {height}")) {
                    @for (process, lane) in &plot.lanes {
                        line.lane x1=(LEFT) x2=(width) y1=(lane * LANE + 30) y2=(lane * LANE + 30) {}
                        text.process x="4" y=(lane * LANE + 34) { (process) }
                    }
                    @for span in &exhibit.spans { (plot.bar(span, plot.room(exhibit, span))) }
                }
            }
            table.spans {
                tr { th { "process" } th { "called" } th { "returned" } th { "operation" } }
                @for span in &exhibit.spans {
                    tr.offends[span.offends] {
                        td { (span.process) }
                        td.number { (millis(span.from)) }
                        td.number { @match span.to { Some(to) => (millis(to)), None => "never" } }
                        td { code { (span.text) } @if span.offends { strong { " ← cannot be ordered" } } }
                    }
                }
            }
        }
    }
}

/// Where everything stands.
struct Plot<'e> {
    lanes: BTreeMap<&'e str, usize>,
    /// The place of every instant.
    steps: BTreeMap<u64, usize>,
}

impl<'e> Plot<'e> {
    fn of(exhibit: &'e Exhibit) -> Self {
        let mut lanes: BTreeMap<&str, usize> =
            exhibit.spans.iter().map(|span| (span.process.as_str(), 0)).collect();
        lanes.values_mut().enumerate().for_each(|(at, lane)| *lane = at);
        let instants = exhibit.spans.iter().flat_map(|span| std::iter::once(span.from).chain(span.to));
        let mut steps: BTreeMap<u64, usize> = instants.map(|instant| (instant, 0)).collect();
        steps.values_mut().enumerate().for_each(|(at, step)| *step = at);
        Self { lanes, steps }
    }

    fn width(&self) -> usize {
        // Room for the text at the last bar.
        LEFT + self.steps.len() * STEP + SHOWN * LETTER
    }

    fn x(&self, instant: Option<u64>) -> usize {
        let step = instant.and_then(|instant| self.steps.get(&instant).copied());
        LEFT + step.unwrap_or(self.steps.len()) * STEP
    }

    /// Returns how many letters fit between an operation and the next one of the same process.
    fn room(&self, exhibit: &Exhibit, span: &Span) -> usize {
        let others =
            exhibit.spans.iter().filter(|other| other.process == span.process && other.from > span.from);
        let next = others.map(|other| self.x(Some(other.from))).min();
        let room = next.map(|next| next.saturating_sub(self.x(Some(span.from)) + LETTER) / LETTER);
        room.map_or(SHOWN, |room| room.min(SHOWN))
    }

    fn bar(&self, span: &Span, room: usize) -> Markup {
        let y = self.lanes.get(span.process.as_str()).copied().unwrap_or(0) * LANE + 18;
        let (from, to) = (self.x(Some(span.from)), self.x(span.to));
        let class = match (span.offends, span.to) {
            (true, _) => "bar offends",
            (false, None) => "bar open",
            (false, Some(_)) => "bar",
        };
        html! {
            g {
                title { (span.process) ": " (span.text) }
                rect class=(class) x=(from) y=(y) width=(to.saturating_sub(from).max(4)) height=(BAR) rx="4" {}
                text.what x=(from + 4) y=(y - 4) { (short(&span.text, room)) }
            }
        }
    }
}

fn short(text: &str, room: usize) -> String {
    match text.char_indices().nth(room) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn millis(nanos: u64) -> String {
    format!("{}.{:03} ms", nanos / 1_000_000, nanos / 1000 % 1000)
}
