//! An object's JSON without what the list it is in says for all of them: `apiVersion` and `kind`.

use bytes::{BufMut, BytesMut};

const SAID_BY_THE_LIST: [&[u8]; 2] = [br#""apiVersion":"#, br#""kind":"#];

/// Appends `object`, which is compact JSON as serde writes it, without those two members.
pub(super) fn put(json: &mut BytesMut, object: &[u8]) {
    json.put_u8(b'{');
    let mut first = true;
    let mut rest = object.get(1..).unwrap_or_default();
    while let Some(length) = member(rest) {
        let (own, behind) = rest.split_at(length);
        let said = SAID_BY_THE_LIST.iter().any(|key| own.starts_with(key));
        if !said && !own.is_empty() {
            if !first {
                json.put_u8(b',');
            }
            json.put_slice(own);
            first = false;
        }
        rest = behind.get(1..).unwrap_or_default();
    }
    json.put_u8(b'}');
}

/// How long the member at the beginning of `rest` is; None behind the last.
fn member(rest: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut in_text = false;
    let mut escaped = false;
    for (at, byte) in rest.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => depth += 1,
            b',' | b'}' if depth == 0 => return Some(at),
            b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn only_the_objects_own_type_is_left_out() {
        let check = |object: Value, expected: Value| {
            let mut json = BytesMut::new();
            put(&mut json, object.to_string().as_bytes());
            let left: Value = serde_json::from_slice(&json).unwrap();
            assert_eq!(left, expected);
        };
        check(json!({"apiVersion": "v1", "kind": "Secret"}), json!({}));
        check(json!({}), json!({}));
        check(
            json!({"action": "x", "apiVersion": "v1", "kind": "Event", "involvedObject": {"apiVersion": "v1", "kind": "Pod"}}),
            json!({"action": "x", "involvedObject": {"apiVersion": "v1", "kind": "Pod"}}),
        );
        check(
            json!({"kind": "K", "data": {"a": "\",\"kind\":\"K\"}", "b": "\\"}, "list": [{"kind": "L"}, "}]"]}),
            json!({"data": {"a": "\",\"kind\":\"K\"}", "b": "\\"}, "list": [{"kind": "L"}, "}]"]}),
        );
    }
}
