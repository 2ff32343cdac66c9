//! The binary form kubectl sends the built-in kinds in, read into JSON.
//!
//! Which kinds, and how their fields are numbered, is in `kinds`; the envelope is that of
//! k8s.io/apimachinery/pkg/runtime/serializer/protobuf.

mod kinds;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value};

/// Every body in this form begins so.
const MAGIC: &[u8] = b"k8s\0";

/// Why a body is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProtobufError {
    #[error("it does not begin as one")]
    NoMagic,
    #[error("it ends early, or a length in it is wrong")]
    Broken,
    #[error("no binary form is known of {0}; send JSON")]
    UnknownKind(String),
}

/// One kind of message.
struct Message {
    fields: &'static [Field],
}

struct Field {
    number: u64,
    name: &'static str,
    holds: Holds,
}

enum Holds {
    Text,
    /// A number that is left out when 0, or one that is there when it is sent.
    Number,
    SentNumber,
    Flag,
    Time,
    MicroTime,
    Inside(&'static Message),
    Texts,
    Insides(&'static Message),
    TextMap,
    BytesMap,
}

const fn field(number: u64, name: &'static str, holds: Holds) -> Field {
    Field {
        number,
        name,
        holds,
    }
}

/// The object in a body of this form.
pub(crate) fn decode(body: &[u8]) -> Result<Value, ProtobufError> {
    let body = body.strip_prefix(MAGIC).ok_or(ProtobufError::NoMagic)?;
    let (mut version, mut kind, mut raw) = (String::new(), String::new(), [].as_slice());
    for part in Parts(body) {
        match part? {
            (1, Wire::Bytes(bytes)) => {
                for part in Parts(bytes) {
                    match part? {
                        (1, Wire::Bytes(bytes)) => version = text(bytes)?,
                        (2, Wire::Bytes(bytes)) => kind = text(bytes)?,
                        _ => {}
                    }
                }
            }
            (2, Wire::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let message = kinds::known(&version, &kind)
        .ok_or_else(|| ProtobufError::UnknownKind(format!("{version} {kind}")))?;
    let mut object = read(message, raw)?;
    object.insert("apiVersion".to_owned(), version.into());
    object.insert("kind".to_owned(), kind.into());
    Ok(object.into())
}

/// The message's fields; what is at its zero value is left out, as in the JSON of these kinds.
fn read(message: &Message, bytes: &[u8]) -> Result<Map<String, Value>, ProtobufError> {
    let mut object = Map::new();
    for part in Parts(bytes) {
        let (number, wire) = part?;
        let Some(field) = message.fields.iter().find(|field| field.number == number) else {
            continue;
        };
        put(&mut object, field, wire)?;
    }
    Ok(object)
}

fn put(
    object: &mut Map<String, Value>,
    field: &Field,
    wire: Wire<'_>,
) -> Result<(), ProtobufError> {
    let value = match (&field.holds, wire) {
        (Holds::Text | Holds::Time | Holds::MicroTime, Wire::Bytes(b""))
        | (Holds::Number, Wire::Number(0)) => return Ok(()),
        (Holds::Text, Wire::Bytes(bytes)) => text(bytes)?.into(),
        (Holds::Number | Holds::SentNumber, Wire::Number(number)) => number.cast_signed().into(),
        (Holds::Flag, Wire::Number(number)) => (number != 0).into(),
        (Holds::Time, Wire::Bytes(bytes)) => time(bytes, "%Y-%m-%dT%H:%M:%SZ")?,
        (Holds::MicroTime, Wire::Bytes(bytes)) => time(bytes, "%Y-%m-%dT%H:%M:%S.%6fZ")?,
        (Holds::Inside(message), Wire::Bytes(bytes)) => read(message, bytes)?.into(),
        (Holds::Texts, Wire::Bytes(bytes)) => {
            return push(object, field.name, text(bytes)?.into());
        }
        (Holds::Insides(message), Wire::Bytes(bytes)) => {
            return push(object, field.name, read(message, bytes)?.into());
        }
        (Holds::TextMap, Wire::Bytes(bytes)) => {
            let (key, value) = entry(bytes)?;
            return insert(object, field.name, key, text(value)?.into());
        }
        (Holds::BytesMap, Wire::Bytes(bytes)) => {
            let (key, value) = entry(bytes)?;
            return insert(object, field.name, key, STANDARD.encode(value).into());
        }
        (_, Wire::Number(_) | Wire::Bytes(_) | Wire::Fixed) => return Err(ProtobufError::Broken),
    };
    object.insert(field.name.to_owned(), value);
    Ok(())
}

fn push(object: &mut Map<String, Value>, name: &str, value: Value) -> Result<(), ProtobufError> {
    let list = object
        .entry(name)
        .or_insert_with(|| Value::Array(Vec::new()));
    list.as_array_mut()
        .ok_or(ProtobufError::Broken)?
        .push(value);
    Ok(())
}

fn insert(
    object: &mut Map<String, Value>,
    name: &str,
    key: String,
    value: Value,
) -> Result<(), ProtobufError> {
    let map = object
        .entry(name)
        .or_insert_with(|| Value::Object(Map::new()));
    map.as_object_mut()
        .ok_or(ProtobufError::Broken)?
        .insert(key, value);
    Ok(())
}

fn entry(bytes: &[u8]) -> Result<(String, &[u8]), ProtobufError> {
    let (mut key, mut value) = (String::new(), [].as_slice());
    for part in Parts(bytes) {
        match part? {
            (1, Wire::Bytes(bytes)) => key = text(bytes)?,
            (2, Wire::Bytes(bytes)) => value = bytes,
            _ => {}
        }
    }
    Ok((key, value))
}

fn time(bytes: &[u8], format: &str) -> Result<Value, ProtobufError> {
    let (mut seconds, mut nanos) = (0, 0);
    for part in Parts(bytes) {
        match part? {
            (1, Wire::Number(number)) => seconds = number.cast_signed(),
            (2, Wire::Number(number)) => nanos = number,
            _ => {}
        }
    }
    let nanos = i32::try_from(nanos).map_err(|_| ProtobufError::Broken)?;
    let time = Timestamp::new(seconds, nanos).map_err(|_| ProtobufError::Broken)?;
    Ok(time.strftime(format).to_string().into())
}

fn text(bytes: &[u8]) -> Result<String, ProtobufError> {
    String::from_utf8(bytes.to_vec()).map_err(|_| ProtobufError::Broken)
}

/// What stands behind a field's number. Fixed-width numbers are in none of our kinds.
enum Wire<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Fixed,
}

/// The fields of a message, one after the other; after something broken there are no more.
struct Parts<'a>(&'a [u8]);

impl<'a> Iterator for Parts<'a> {
    type Item = Result<(u64, Wire<'a>), ProtobufError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let part = self.part();
        if part.is_none() {
            self.0 = &[];
        }
        Some(part.ok_or(ProtobufError::Broken))
    }
}

impl<'a> Parts<'a> {
    fn part(&mut self) -> Option<(u64, Wire<'a>)> {
        let tag = self.number()?;
        let wire = match tag & 7 {
            0 => Wire::Number(self.number()?),
            1 => self.take(8).map(|_| Wire::Fixed)?,
            2 => {
                let length = usize::try_from(self.number()?).ok()?;
                Wire::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Wire::Fixed)?,
            _ => return None,
        };
        Some((tag >> 3, wire))
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (first, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(first & 0x7f) << shift;
            if first & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::kinds::METADATA;
    use super::*;
    use serde_json::json;

    /// What `kubectl create configmap a --from-literal=x=y` sends (kubectl 1.33).
    const CONFIG_MAP_A: &[u8] = b"k8s\0\n\x0f\n\x02v1\x12\tConfigMap\x12\x1b\n\x11\n\x01a\x12\x00\x1a\x00\"\x00*\x002\x008\x00B\x00\x12\x06\n\x01x\x12\x01y\x1a\x00\"\x00";

    #[test]
    fn what_kubectl_sends_is_read() {
        let expected = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "y"},
        });
        assert_eq!(decode(CONFIG_MAP_A), Ok(expected));
    }

    #[test]
    fn no_cut_of_a_body_is_read_past_its_end() {
        for end in 0..CONFIG_MAP_A.len() {
            let _ = decode(&CONFIG_MAP_A[..end]);
        }
        assert_eq!(decode(&CONFIG_MAP_A[1..]), Err(ProtobufError::NoMagic));
        assert_eq!(
            decode(b"k8s\0\n\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
            Err(ProtobufError::Broken)
        );
        assert_eq!(
            decode(b"k8s\0\n\x09\n\x02v1\x12\x03Pod\x12\x00"),
            Err(ProtobufError::UnknownKind("v1 Pod".to_owned()))
        );
    }

    #[test]
    fn times_and_lists_come_out_as_in_json() {
        let owner = b"\n\x04Boat\x1a\x01b\"\x01u*\x02v10\x01";
        let mut metadata = b"B\x06\x08\x80\x80\x80\x80\x06r\x01fr\x01gj".to_vec();
        metadata.push(u8::try_from(owner.len()).unwrap());
        metadata.extend_from_slice(owner);
        assert_eq!(
            Value::Object(read(&METADATA, &metadata).unwrap()),
            json!({
                "creationTimestamp": "2021-01-14T08:25:36Z",
                "finalizers": ["f", "g"],
                "ownerReferences": [
                    {"kind": "Boat", "name": "b", "uid": "u", "apiVersion": "v1", "controller": true}
                ],
            })
        );
    }
}
