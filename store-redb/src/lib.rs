//! The state store on redb.
