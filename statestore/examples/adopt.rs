//! A service that takes its old file over itself: `cargo run --example adopt -- sqlite:/tmp/jobs/state.db jobs.json`.

use std::error::Error;

use statestore::import::{Content, Existing, Import, JsonReader};
use statestore::{ErrorKind, StateStore};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "sqlite:state.db".to_owned());
    let file = std::env::args().nth(2).unwrap_or_else(|| "jobs.json".to_owned());
    let store = statestore::open(&url).await?;
    take_over(store.as_ref(), &file).await?;
    // From here on the store is all there is.
    store.close().await?;
    Ok(())
}

/// Imports the file, unless one of the service's processes has done so before.
async fn take_over(store: &dyn StateStore, file: &str) -> Result<(), Box<dyn Error>> {
    let import = match JsonReader::new().read(&std::fs::read(file)?)? {
        Content::Object(jobs) => Import::new().with_object("jobs", jobs),
        // A write in place was interrupted: there is nothing to take over.
        Content::Empty => return Ok(()),
        _ => return Err(format!("{file} holds no object").into()),
    };
    match import.commit(store, Existing::Refuse).await {
        Err(error) if error.kind() == ErrorKind::Conflict => Ok(()),
        done => Ok(done.map(drop)?),
    }
}
