//! The commands: each is one or a few calls of the store.

mod adopt;
mod append;
mod completions;
#[cfg(all(feature = "conformance", target_os = "linux"))]
pub(crate) mod conformance;
mod doctor;
mod dumps;
mod edit;
mod import;
mod info;
mod keys;
mod lines;
mod logs;
mod mirror;
mod object;
mod place;

use crate::args::{Args, Command};
use crate::demo;
use crate::exit::Failure;

/// Does what the command line asks.
pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let store = args.store;
    match args.command {
        Command::Get { ns, key } => keys::get(&place::reading(&store)?, &ns, &key),
        Command::Put { ns, key, value } => keys::put(&store, &ns, &key, &value),
        Command::Delete { ns, key } => keys::delete(&*place::existing(&store)?, &ns, &key),
        Command::Replace { ns, file } => object::replace(&store, &ns, &file),
        Command::Object { ns } => object::print(&place::reading(&store)?, &ns),
        Command::List(list) => keys::list(&place::reading(&store)?, &list),
        Command::Append(append) => append::run(&store, &append),
        Command::Log(log) => logs::entries(&place::reading(&store)?, &log),
        Command::Logs { ns } => logs::names(&place::reading(&store)?, &ns),
        Command::Namespaces => logs::namespaces(&place::reading(&store)?),
        Command::Trim { ns, log, before } => Ok(place::existing(&store)?.trim_log(&ns, &log, before)?),
        Command::Edit(edit) => edit::run(&store, &edit),
        Command::Adopt { ns } => adopt::run(&store, ns.as_deref()),
        Command::Export(export) => dumps::export(&store, &export),
        Command::Import(dump) | Command::Restore(dump) => dumps::restore(&store, &dump),
        Command::Backup(backup) => dumps::backup(&store, &backup),
        Command::Verify { file } => dumps::verify(&file),
        Command::Drill(drill) => dumps::drill(&store, &drill),
        Command::Migrate(migrate) => dumps::migrate(&store, &migrate),
        Command::ImportJson(json) => import::json(&store, &json),
        #[cfg(feature = "sqlite")]
        Command::ImportSqlite(table) => import::sqlite(&store, &table),
        Command::Mirror(mirror) => mirror::run(&store, &mirror),
        Command::Info => info::run(&store),
        Command::Doctor(doctor) => doctor::run(&store, &doctor),
        Command::Completions { shell } => completions::run(shell),
        #[cfg(all(feature = "conformance", target_os = "linux"))]
        Command::Conformance(suite) => conformance::run(&suite),
        Command::Demo(demo) => demo::run(&demo),
        Command::DemoPart => demo::part(),
    }
}
