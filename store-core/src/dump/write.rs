//! Writing a dump, line by line.

use std::io::{self, Write};

use super::VERSION;
use super::export::Compression;
use super::line::{Header, Line, encode};
use super::meter::Meter;
use super::outline::Outline;
use super::tally::Tally;
use crate::numbers::Timestamp;

/// What the first and the last line call themselves.
pub(super) const NAME: &str = "dump";

/// A dump that is being written.
#[derive(Debug)]
pub(super) struct Writer<'m, W> {
    to: W,
    meter: &'m Meter,
    tally: Tally,
    text: Vec<u8>,
    in_namespace: bool,
}

impl<'m, W: Write> Writer<'m, W> {
    /// Begins a dump.
    pub(super) fn begin(
        to: W,
        meter: &'m Meter,
        engine: &str,
        epoch: u32,
        compression: Compression,
    ) -> io::Result<Self> {
        let mut writer = Self { to, meter, tally: Tally::default(), text: Vec::new(), in_namespace: false };
        let outline = &mut writer.tally.outline;
        engine.clone_into(&mut outline.engine);
        outline.epoch = epoch;
        outline.at = Timestamp::now();
        let header = Header {
            statestore: NAME.to_owned(),
            version: VERSION,
            engine: engine.to_owned(),
            epoch,
            at: outline.at.as_millis(),
            zstd: compression == Compression::Zstd,
        };
        writer.put(&Line::Header(header))?;
        Ok(writer)
    }

    fn put(&mut self, line: &Line) -> io::Result<()> {
        encode(line, &mut self.text)?;
        self.to.write_all(&self.text)?;
        self.tally.outline.bytes += self.text.len() as u64;
        self.meter.count(self.text.len());
        Ok(())
    }

    /// Writes one line; a namespace closes the one before.
    pub(super) fn add(&mut self, line: &Line) -> io::Result<()> {
        if matches!(line, Line::Namespace { .. }) {
            self.close()?;
            self.in_namespace = true;
        }
        self.put(line)?;
        self.tally.add(line, &self.text);
        Ok(())
    }

    fn close(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.in_namespace) {
            return Ok(());
        }
        let Some(sum) = self.tally.sum() else { return Ok(()) };
        let line = Line::Sum(sum);
        self.put(&line)?;
        self.tally.add(&line, &self.text);
        Ok(())
    }

    /// Ends the dump, and returns what it holds and where it was written to.
    pub(super) fn end(mut self) -> io::Result<(Outline, W)> {
        self.close()?;
        let end = self.tally.end();
        self.put(&Line::End(end))?;
        Ok((self.tally.outline, self.to))
    }
}
