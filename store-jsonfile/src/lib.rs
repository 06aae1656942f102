//! The state store on JSON files that people can read.
