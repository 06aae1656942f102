//! Import of what people have: JSON files, folders of them, JSON lines.
//!
//! A file is read whole and checked whole ([`JsonReader`], [`folder`], [`object`]); what was read goes into a
//! store in one batch ([`Import`]), under checks, so that it is there whole or not at all.
//!
//! A file of zero bytes is empty, here and nowhere else: it is what a write in place leaves that was
//! interrupted, and services have lived with it. Malformed JSON is an error that names line and column.

mod commit;
mod folder;
mod members;
mod place;
mod reader;
mod records;

pub use commit::{Existing, Import, Imported};
pub use folder::{Folder, Skipped, folder};
pub use members::object;
pub use reader::{Content, Form, JsonReader};
