//! Fields a JSON body says twice, by their paths. The value is read elsewhere, where the last of them counts.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// How many are told; as in Kubernetes.
const LIMIT: usize = 100;

/// The fields said more than once, in the order of their second mention; of a body that is no JSON none.
pub(crate) fn of(body: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut json = serde_json::Deserializer::from_slice(body);
    let walk = Walk {
        path: String::new(),
        found: &mut found,
    };
    // Who wants the value has read it already, and said what is wrong with it.
    let _ = walk.deserialize(&mut json);
    found.truncate(LIMIT);
    found
}

struct Walk<'f> {
    path: String,
    found: &'f mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            let dot = if self.path.is_empty() { "" } else { "." };
            let path = format!("{}{dot}{name}", self.path);
            if !seen.insert(name) && !self.found.contains(&path) {
                self.found.push(path.clone());
            }
            let found = &mut *self.found;
            map.next_value_seed(Walk { path, found })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut at = 0_usize;
        loop {
            let path = format!("{}[{at}]", self.path);
            let found = &mut *self.found;
            if items.next_element_seed(Walk { path, found })?.is_none() {
                return Ok(());
            }
            at += 1;
        }
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_said_twice_is_told_once_by_its_path() {
        let check = |body: &str, expected: &[&str]| {
            assert_eq!(super::of(body.as_bytes()), expected, "{body}");
        };
        check(r#"{"a": 1, "b": {"a": 1}}"#, &[]);
        check(r#"{"a": 1, "a": 2, "a": 3}"#, &["a"]);
        check(
            r#"{"s": {"a": 1, "a": 2}, "l": [{}, {"x": 1, "x": 1}]}"#,
            &["s.a", "l[1].x"],
        );
        check("no json", &[]);
    }
}
