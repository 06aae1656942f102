//! `log`, `logs`, `namespaces`: what there is to read besides keys.

use statestore::{Blocking, LogEntry, LogInfo, LogRange, Result, Seq};

use crate::args::LogArgs;
use crate::exit::Failure;
use crate::output::{self, Output, quoted};

/// Prints the logs of a namespace.
pub(super) fn names(store: &Blocking, ns: &str) -> Result<(), Failure> {
    let mut out = Output::new();
    for LogInfo { name, first, last } in store.logs(ns)? {
        let name = quoted(&name);
        out.line(format_args!(r#"{{"log":{name},"first":{first},"last":{last}}}"#))?;
    }
    out.flush()
}

/// Prints the namespaces.
pub(super) fn namespaces(store: &Blocking) -> Result<(), Failure> {
    let mut out = Output::new();
    for info in store.namespaces()? {
        let (name, revision) = (quoted(&info.name), info.revision);
        out.line(format_args!(r#"{{"namespace":{name},"revision":{revision}}}"#))?;
    }
    out.flush()
}

/// Prints entries of a log, up to the one that is the last when the command starts: it ends even while
/// others append faster than it prints.
pub(super) fn entries(store: &Blocking, args: &LogArgs) -> Result<(), Failure> {
    statestore::check_log(&args.log)?;
    let Some(info) = store.logs(&args.ns)?.into_iter().find(|info| info.name == args.log) else {
        return Ok(());
    };
    let mut pages = Pages::new(store, args, &info);
    let mut out = Output::new();
    while let Some(page) = pages.next_page()? {
        for LogEntry { seq, at, entry } in page {
            out.line(format_args!(r#"{{"seq":{seq},"at":"{at}","entry":{entry}}}"#))?;
        }
        out.flush()?;
    }
    Ok(())
}

/// Reads a log page by page. A page is one instant; between two of them others may trim.
struct Pages<'a> {
    store: &'a Blocking,
    ns: &'a str,
    log: &'a str,
    next: Seq,
    last: Seq,
    /// How many may still be printed.
    left: u64,
    /// How many entries the next page has at most.
    size: u64,
}

impl<'a> Pages<'a> {
    /// Nothing is known of the entries yet, and each may be as large as the store takes them.
    const FIRST_SIZE: u64 = 1;
    const LARGEST_SIZE: u64 = 1000;
    /// How much text a page may have before the next one is made smaller.
    const BYTES: usize = 4 << 20;

    fn new(store: &'a Blocking, args: &'a LogArgs, info: &LogInfo) -> Self {
        let next = match (args.from, args.tail) {
            (_, Some(count)) => info.last.saturating_add(1).saturating_sub(count),
            (from, None) => from.unwrap_or(0),
        };
        Self {
            store,
            ns: &args.ns,
            log: &args.log,
            next: next.max(info.first),
            last: info.last,
            left: args.limit.unwrap_or(u64::MAX),
            size: Self::FIRST_SIZE,
        }
    }

    fn next_page(&mut self) -> Result<Option<Vec<LogEntry>>> {
        if self.next > self.last || self.left == 0 {
            return Ok(None);
        }
        let wanted = self.size.min(self.left).min(self.last - self.next + 1);
        let range = LogRange::from(self.next).with_limit(wanted);
        let mut page = self.store.read_log(self.ns, self.log, range)?;
        page.retain(|entry| entry.seq <= self.last);
        let first = page.first().map_or(self.last + 1, |entry| entry.seq);
        if first > self.next {
            output::say(format_args!("entries {} to {} were trimmed meanwhile", self.next, first - 1));
        }
        self.next = page.last().map_or(self.last, |entry| entry.seq) + 1;
        self.left -= page.len() as u64;
        self.size = next_size(self.size, page.iter().map(|entry| entry.entry.size()).sum());
        Ok(Some(page))
    }
}

/// Sizes pages by what the one before weighed, so that memory stays bounded whatever the entries are.
fn next_size(size: u64, bytes: usize) -> u64 {
    if bytes < Pages::BYTES / 4 {
        (size * 2).min(Pages::LARGEST_SIZE)
    } else if bytes > Pages::BYTES {
        (size / 4).max(1)
    } else {
        size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_grow_and_shrink_with_what_they_weigh() {
        assert_eq!(next_size(64, 1000), 128);
        assert_eq!(next_size(900, 0), 1000);
        assert_eq!(next_size(100, 2 << 20), 100);
        assert_eq!(next_size(100, 16 << 20), 25);
        assert_eq!(next_size(1, 16 << 20), 1);
    }
}
