//! The check of histories: by hand, against a naive one, and on simulated histories with one answer changed.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests, with functions that they share")]

mod by_hand;
mod hands;
mod mutate;
mod naive;
mod random;
