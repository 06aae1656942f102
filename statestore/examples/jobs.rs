//! The program of the README: `cargo run --example jobs -- sqlite:/tmp/jobs/state.db`.

use statestore::{Batch, Expect, StateStoreExt, Update};

#[tokio::main(flavor = "current_thread")]
async fn main() -> statestore::Result<()> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "sqlite:state.db".to_owned());
    let store = statestore::open(&url).await?;
    store.put_as("jobs", "42", "running").await?;
    store.append_as("jobs", "events", &("started", 42)).await?;
    store.update_as("stats", "runs", |runs: Option<u64>| Ok(Update::Put(runs.unwrap_or(0) + 1))).await?;
    let claim = Batch::new().check("locks", "digest", Expect::Absent).put("locks", "digest", "host-7");
    store.commit(claim).await?;
    store.close().await
}
