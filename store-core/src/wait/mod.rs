//! Waiting for answers and for moments, on any executor.

pub(crate) mod slot;
pub(crate) mod timer;
