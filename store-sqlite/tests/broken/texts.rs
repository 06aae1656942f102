//! What a broken store makes of the names and values that it is given.

use store_core::Json;

use super::batches::round;
use super::faults::Fault;
use super::store::Store;

impl Store {
    pub(crate) fn name(&self, name: &str) -> String {
        match self.fault {
            Fault::FoldsCase => name.to_lowercase(),
            Fault::CutsNames => name[..name.floor_char_boundary(60)].to_owned(),
            Fault::CleansNames if name.is_empty() => "_".to_owned(),
            Fault::CleansNames => name.replace(char::is_control, "_"),
            _ => name.to_owned(),
        }
    }

    pub(crate) fn space(&self, name: &str) -> String {
        if self.fault == Fault::HasOneNamespace { "n".to_owned() } else { self.name(name) }
    }

    pub(crate) fn value(&self, value: &Json) -> Json {
        match self.fault {
            Fault::RoundsNumbers => {
                value.to_value().map_or_else(|_| value.clone(), |value| round(value).into())
            }
            Fault::ForgetsTheDeep if value.depth() > 100 => Json::from(serde_json::Value::Null),
            _ => value.clone(),
        }
    }
}
