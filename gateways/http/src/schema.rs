//! JSON schemas of what goes in and out, written where the types are.
//!
//! A type of this crate is declared once, by [`wire!`], which makes the struct and its schema. Rows of other crates are described by
//! [`object`]; a test holds every answer against its schema, so that neither can drift.

use serde_json::{Map, Value, json};

/// A JSON schema.
pub(crate) type Schema = Value;

/// A type that knows its schema.
pub(crate) trait Wire {
    /// False where the member may be left out.
    const REQUIRED: bool = true;
    /// Its schema.
    fn schema() -> Schema;
}

impl Wire for String {
    fn schema() -> Schema {
        json!({ "type": "string" })
    }
}
impl Wire for bool {
    fn schema() -> Schema {
        json!({ "type": "boolean" })
    }
}
impl Wire for u64 {
    fn schema() -> Schema {
        json!({ "type": "integer", "minimum": 0 })
    }
}
impl Wire for u16 {
    fn schema() -> Schema {
        json!({ "type": "integer", "minimum": 0, "maximum": u16::MAX })
    }
}
impl Wire for u32 {
    fn schema() -> Schema {
        json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX })
    }
}
impl Wire for tradewind_identity::Secret {
    fn schema() -> Schema {
        json!({ "type": "string", "format": "password" })
    }
}
impl Wire for Value {
    fn schema() -> Schema {
        json!({})
    }
}
impl<T: Wire> Wire for Option<T> {
    const REQUIRED: bool = false;
    fn schema() -> Schema {
        json!({ "anyOf": [T::schema(), { "type": "null" }] })
    }
}
impl<T: Wire> Wire for Vec<T> {
    fn schema() -> Schema {
        json!({ "type": "array", "items": T::schema() })
    }
}
impl<T: Wire> Wire for std::collections::BTreeMap<String, T> {
    const REQUIRED: bool = false;
    fn schema() -> Schema {
        json!({ "type": "object", "additionalProperties": T::schema() })
    }
}

/// Declares a struct that goes over the wire, with its schema. `name as "wire name"` renames a member.
macro_rules! wire {
    (@name $field:ident $wire:literal) => { $wire };
    (@name $field:ident) => { stringify!($field) };
    ($(#[doc = $doc:literal])+ $Name:ident { $($(#[doc = $field_doc:literal])+ $field:ident $(as $wire:literal)?: $type:ty,)* }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $Name {
            $($(#[doc = $field_doc])+ $(#[serde(rename = $wire)])? pub(crate) $field: $type,)*
        }
        impl crate::schema::Wire for $Name {
            fn schema() -> crate::schema::Schema {
                let members = [$((
                    crate::schema::wire!(@name $field $($wire)?),
                    <$type as crate::schema::Wire>::schema(),
                    <$type as crate::schema::Wire>::REQUIRED,
                    concat!($($field_doc,)+),
                ),)*];
                crate::schema::of_members(concat!($($doc,)+), members)
            }
        }
    };
}
pub(crate) use wire;

/// The schema of an object with these members: name, schema, required, description.
pub(crate) fn of_members(
    doc: &str,
    members: impl IntoIterator<Item = (&'static str, Schema, bool, &'static str)>,
) -> Schema {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for (name, mut schema, is_required, doc) in members {
        if let Some(object) = schema.as_object_mut() {
            object.insert("description".into(), doc.trim().into());
        }
        properties.insert(name.into(), schema);
        if is_required {
            required.push(Value::from(name));
        }
    }
    json!({
        "type": "object",
        "description": doc.trim(),
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// An object whose members are described by a word: text, decimal, count, flag, time, any, and list of objects elsewhere; `?` behind
/// it where the member may be null or absent.
pub(crate) fn object(doc: &str, members: &[(&'static str, &str, &'static str)]) -> Schema {
    let member = |&(name, word, doc): &(&'static str, &str, &'static str)| {
        let (word, is_optional) = match word.strip_suffix('?') {
            Some(word) => (word, true),
            None => (word, false),
        };
        let schema = match word {
            "decimal" => {
                json!({ "type": "string", "format": "decimal", "pattern": "^-?[0-9]+(\\.[0-9]+)?$" })
            }
            "time" => json!({ "type": "string", "format": "date-time" }),
            "count" => json!({ "type": "integer", "minimum": 0 }),
            "flag" => json!({ "type": "boolean" }),
            "any" => json!({}),
            _ => json!({ "type": "string" }),
        };
        let schema = match is_optional && word != "any" {
            true => json!({ "anyOf": [schema, { "type": "null" }] }),
            false => schema,
        };
        (name, schema, !is_optional, doc)
    };
    of_members(doc, members.iter().map(member))
}

/// An answer of rows: `data`, and what more stands beside it.
pub(crate) fn rows(row: Schema, beside: &[(&'static str, &str, &'static str)]) -> Schema {
    let mut schema = object("Rows.", beside);
    schema["properties"]["data"] = json!({ "type": "array", "items": row });
    if let Some(required) = schema["required"].as_array_mut() {
        required.push("data".into());
    }
    schema
}
