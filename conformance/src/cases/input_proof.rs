//! Promise 9: any name and any value is kept exactly, or refused; none escapes its place or is mangled.

mod names;
mod scale;
mod sizes;
mod values;

use super::{Case, cases};
use crate::job::Work;

use names::{
    names_are_kept_exactly_and_apart, names_at_their_limits, names_never_lead_out_of_the_store,
    names_that_cannot_be_are_refused_everywhere,
};
use scale::{
    a_long_log_is_read_from_anywhere, many_keys_of_one_namespace_are_kept,
    many_namespaces_are_listed_and_each_is_readable,
};
use sizes::{
    a_batch_over_its_limit_is_too_large, a_value_over_its_limit_is_too_large, limits_can_be_chosen,
    ten_megabytes_are_kept, thousands_of_keys_and_entries_are_kept,
};
use values::{
    doubles_keep_every_bit, every_kind_of_value_is_kept, falsy_values_are_values, random_values_are_kept,
    texts_that_are_no_value_are_refused, the_deepest_value_is_kept_and_a_deeper_one_refused,
    white_space_goes_and_nothing_else,
};

pub(super) const CASES: &[Case] = cases![
    every_kind_of_value_is_kept,
    falsy_values_are_values,
    white_space_goes_and_nothing_else,
    doubles_keep_every_bit,
    random_values_are_kept,
    the_deepest_value_is_kept_and_a_deeper_one_refused,
    texts_that_are_no_value_are_refused,
    ten_megabytes_are_kept,
    thousands_of_keys_and_entries_are_kept,
    many_namespaces_are_listed_and_each_is_readable,
    many_keys_of_one_namespace_are_kept,
    a_long_log_is_read_from_anywhere,
    a_value_over_its_limit_is_too_large,
    a_batch_over_its_limit_is_too_large,
    limits_can_be_chosen,
    names_are_kept_exactly_and_apart,
    names_at_their_limits,
    names_that_cannot_be_are_refused_everywhere,
    names_never_lead_out_of_the_store,
];

pub(super) const WORKS: &[Work] = values::WORKS;
