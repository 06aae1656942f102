//! Opening the store that the command line or the environment names.

use statestore::{Blocking, ErrorKind, StoreConfig};

use crate::args::StoreArgs;
use crate::exit::{Code, Failure};
use crate::output;

/// Opens a store that is there: for commands that have nothing to do in one that is not.
pub(super) fn existing(args: &StoreArgs) -> Result<Blocking, Failure> {
    Ok(config(args)?.with_create(false).open_blocking()?)
}

/// Opens a store, creates it if it is missing, and then says where.
///
pub(super) fn creating(args: &StoreArgs) -> Result<Blocking, Failure> {
    let config = config(args)?;
    match config.clone().with_create(false).open_blocking() {
        Err(error) if error.kind() == ErrorKind::NotFound && config.settings().create => {}
        opened => return Ok(opened?),
    }
    let store = config.open_blocking()?;
    let info = store.info()?;
    // Somebody else may have created it in between.
    if info.created {
        output::say(format_args!("created {}", info.path.display()));
    }
    Ok(store)
}

/// Reads the configuration: the flag, or the environment variable if there is none.
pub(super) fn config(args: &StoreArgs) -> Result<StoreConfig, Failure> {
    let url = args.store.as_deref().unwrap_or_default();
    if url.is_empty() {
        let why =
            "no store is named; give --store URL or set STATESTORE_URL, such as --store sqlite:state.db";
        return Err(Failure::told(Code::Usage, why));
    }
    let config = StoreConfig::from_url(url)?;
    Ok(match args.timeout {
        Some(timeout) => config.with_timeout(timeout),
        None => config,
    })
}
