//! What several processes and users share on disk: the gate, rights, files that come into sight complete,
//! places that can hold a store.

pub mod access;
pub mod artefact;
pub mod files;
pub mod gate;
pub(crate) mod gate_file;
pub mod identity;
pub mod names;
pub mod os;
pub mod passage;
pub mod place;
