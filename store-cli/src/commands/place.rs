//! Opening the store that the command line or the environment names.

use std::ops::Deref;

use statestore::{Blocking, ErrorKind, StoreConfig};

use crate::args::StoreArgs;
use crate::exit::{Code, Failure};
use crate::output;

/// A store that is open for writing; its mirror, if it keeps one, is written before this is gone.
#[derive(Debug)]
pub(super) struct Opened(Blocking);

impl Deref for Opened {
    type Target = Blocking;

    fn deref(&self) -> &Blocking {
        &self.0
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if let Err(error) = self.0.close() {
            output::say(error);
        }
    }
}

/// Opens a store that is there, for commands that only read; a mirror of it is left alone.
pub(super) fn reading(args: &StoreArgs) -> Result<Blocking, Failure> {
    Ok(config(args)?.without_mirror().with_create(false).open_blocking()?)
}

/// Opens a store that is there: for commands that have nothing to do in one that is not.
pub(super) fn existing(args: &StoreArgs) -> Result<Opened, Failure> {
    Ok(config(args)?.with_create(false).open_blocking().map(Opened)?)
}

/// Opens a store, creates it if it is missing, and then says where.
pub(super) fn creating(args: &StoreArgs) -> Result<Opened, Failure> {
    creating_as(&config(args)?)
}

/// Does so with a configuration that was made of the command line's.
pub(super) fn creating_as(config: &StoreConfig) -> Result<Opened, Failure> {
    match config.clone().with_create(false).open_blocking() {
        Err(error) if error.kind() == ErrorKind::NotFound && config.settings().create => {}
        opened => return Ok(opened.map(Opened)?),
    }
    let store = config.open_blocking().map(Opened)?;
    let info = store.info()?;
    // Somebody else may have created it in between.
    if info.created {
        output::say(format_args!("created {}", info.path.display()));
    }
    Ok(store)
}

/// Reads the configuration: that of a flag, else of the environment, else of the file in the current folder.
pub(super) fn config(args: &StoreArgs) -> Result<StoreConfig, Failure> {
    let found = match (&args.store, &args.config) {
        (Some(url), _) => Some(StoreConfig::from_url(url)?),
        (None, Some(file)) => Some(StoreConfig::from_file(file)?),
        (None, None) => StoreConfig::find()?,
    };
    let config = found.ok_or_else(|| {
        let why = "no store is named; give --store URL, such as --store sqlite:state.db, or --config FILE, or set \
                   STATESTORE_URL or STATESTORE_CONFIG, or put a statestore.toml into the current folder";
        Failure::told(Code::Usage, why)
    })?;
    Ok(match args.timeout {
        Some(timeout) => config.with_timeout(timeout),
        None => config,
    })
}
