//! redb as a process reads: a handle that writes nothing and waits for nobody.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use redb::{
    Builder, ConcurrencyMode, Database, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable,
    TableError,
};
use store_core::Result;
use store_core::shared::access::explain_denial;

use crate::error::RedbError;
use crate::header::Header;
use crate::schema::{FORMAT, MOVED, TABLE, TARGET, VERSION};
use crate::storage::Reading;

/// How long is waited for a lock between two tries, at first and at most.
const NAP: (Duration, Duration) = (Duration::from_micros(50), Duration::from_millis(1));

/// How long readers give way to a writer that waits for the header: it is stopped if that does not do.
const GIVE_WAY: Duration = Duration::from_millis(25);

/// A table as of one instant.
pub(crate) type Instantly = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// Reads where a store has moved.
pub(crate) fn target_of(
    moved: &impl ReadableTable<&'static [u8], &'static [u8]>,
) -> Result<String, RedbError> {
    let target = moved.get(TARGET)?.and_then(|to| std::str::from_utf8(to.value()).map(str::to_owned).ok());
    target.ok_or_else(|| RedbError::Row { what: "no word of where it moved".to_owned() })
}

/// The reading handle of a process.
#[derive(Debug)]
pub(crate) struct Reader {
    storage: Reading,
    database: Database,
    /// Whether the table has been looked at, which nobody changes to another format.
    is_a_store: AtomicBool,
}

impl Reader {
    /// Opens a database for reading.
    pub(crate) fn open(path: &Path, cache: usize) -> Result<Self> {
        let file = File::open(path).map_err(|e| explain_denial("cannot open the database", path, e))?;
        Header::check_size(path)?;
        let open = || -> Result<Self, RedbError> {
            let storage = Reading::empty();
            let database = Builder::new()
                .set_concurrency_mode(ConcurrencyMode::MultiWriter)
                .set_cache_size(cache)
                .create_with_backend(storage.clone())?;
            storage.attach(file)?;
            Ok(Self { storage, database, is_a_store: AtomicBool::new(false) })
        };
        open().map_err(|e| e.at("cannot open the database", path))
    }

    /// Begins to read the newest commit; busy if a lock is not to be had at once.
    pub(crate) fn begin(&self) -> Result<ReadTransaction, RedbError> {
        if self.storage.should_give_way() {
            return Err(io::Error::new(io::ErrorKind::WouldBlock, "a writer waits for the header").into());
        }
        self.begin_now()
    }

    fn begin_now(&self) -> Result<ReadTransaction, RedbError> {
        let begun = self.database.begin_read()?;
        self.check_format(&begun)?;
        Ok(begun)
    }

    /// Opens the table of the store.
    pub(crate) fn open_table(begun: &ReadTransaction) -> Result<Instantly, RedbError> {
        match begun.open_table(TABLE) {
            Err(TableError::TableDoesNotExist(name)) => match begun.open_table(MOVED) {
                Ok(moved) => Err(RedbError::Moved { to: target_of(&moved)? }),
                Err(_) => Err(TableError::TableDoesNotExist(name).into()),
            },
            opened => Ok(opened?),
        }
    }

    /// The same, again and again until a deadline. Nothing is waited for within redb: its mutexes would make
    /// those wait who must not.
    pub(crate) fn begin_until(&self, deadline: Instant) -> Result<ReadTransaction, RedbError> {
        let since = Instant::now();
        let mut nap = NAP.0;
        loop {
            let begun = if since.elapsed() < GIVE_WAY { self.begin() } else { self.begin_now() };
            match begun {
                Err(error) if error.is_busy() && Instant::now() < deadline => {
                    std::thread::sleep(nap);
                    nap = (nap * 2).min(NAP.1);
                }
                begun => return begun,
            }
        }
    }

    /// Refuses a database that is not a store, or one of a newer program.
    fn check_format(&self, begun: &ReadTransaction) -> Result<(), RedbError> {
        if self.is_a_store.load(Ordering::Acquire) {
            return Ok(());
        }
        let table = Self::open_table(begun)?;
        let format = table.get(FORMAT)?;
        match format.and_then(|format| Some(u32::from_le_bytes(format.value().try_into().ok()?))) {
            Some(format) if format <= VERSION => {
                self.is_a_store.store(true, Ordering::Release);
                Ok(())
            }
            Some(found) => Err(RedbError::Newer { found }),
            None => Err(RedbError::Row { what: "no format".to_owned() }),
        }
    }

    /// Looks whether it is a store; what somebody's lock hides is found out by the first read.
    pub(crate) fn check(&self, path: &Path) -> Result<()> {
        match self.begin() {
            Err(error) if !error.is_busy() => Err(error.at("cannot read the database", path)),
            _ => Ok(()),
        }
    }
}
