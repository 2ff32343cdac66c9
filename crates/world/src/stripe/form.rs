//! Stripe's form bodies and query strings: `a[b][0][c]=x` decoded into nested parameters that are taken
//! one by one, so that whatever is left at the end is a parameter nobody knows.

use std::collections::BTreeMap;

use super::refusal::Refusal;

/// Pairs in one request; Stripe's own limit is not published.
const PAIR_LIMIT: usize = 1_000;
/// Brackets in one key.
const DEPTH_LIMIT: usize = 6;
/// Characters of one value, as Stripe limits long texts.
const VALUE_LIMIT: usize = 5_000;
/// Keys of `metadata`, and the characters of a key and a value.
/// Source: Stripe's page on metadata.
const METADATA_KEYS: usize = 50;
const METADATA_KEY_LIMIT: usize = 40;
const METADATA_VALUE_LIMIT: usize = 500;

pub(crate) type Metadata = BTreeMap<String, String>;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Param {
    Text(String),
    Group(BTreeMap<String, Param>),
}

/// The parameters at one level. `path` is where they are, for error messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Params {
    path: String,
    here: BTreeMap<String, Param>,
}

impl Params {
    /// Decodes `application/x-www-form-urlencoded` text.
    pub(crate) fn decode(raw: &[u8]) -> Result<Self, Refusal> {
        let pairs = url::form_urlencoded::parse(raw);
        Self::from_pairs(pairs.map(|(key, value)| (key.into_owned(), value.into_owned())))
    }

    /// From decoded pairs. `a[]=x&a[]=y` counts its own indices.
    pub(crate) fn from_pairs(
        pairs: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, Refusal> {
        let mut here = BTreeMap::new();
        for (count, (key, value)) in pairs.enumerate() {
            if count >= PAIR_LIMIT || value.chars().count() > VALUE_LIMIT {
                return Err(Refusal::param(&key, "The request has more than we take."));
            }
            insert(&mut here, &parts(&key)?, &key, value)?;
        }
        Ok(Self {
            path: String::new(),
            here,
        })
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}[{key}]", self.path)
        }
    }

    /// A text, if it was sent. An empty text is `Some("")`: in Stripe's forms it clears a value.
    pub(crate) fn text(&mut self, key: &str) -> Result<Option<String>, Refusal> {
        match self.here.remove(key) {
            None => Ok(None),
            Some(Param::Text(text)) => Ok(Some(text)),
            Some(Param::Group(_)) => {
                let path = self.path_of(key);
                Err(Refusal::param(&path, format!("Invalid string: {path}")))
            }
        }
    }

    pub(crate) fn required(&mut self, key: &str) -> Result<String, Refusal> {
        match self.text(key)? {
            Some(text) if !text.is_empty() => Ok(text),
            Some(_) => Err(Refusal::Empty(self.path_of(key))),
            None => Err(Refusal::Missing(self.path_of(key))),
        }
    }

    /// A whole number, if it was sent.
    pub(crate) fn number(&mut self, key: &str) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        let invalid = |_| Refusal::integer(&self.path_of(key), format!("Invalid integer: {text}"));
        text.parse().map(Some).map_err(invalid)
    }

    pub(crate) fn flag(&mut self, key: &str) -> Result<Option<bool>, Refusal> {
        match self.text(key)?.as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => {
                let message = format!("Invalid boolean: {other}");
                Err(Refusal::param(&self.path_of(key), message))
            }
        }
    }

    /// The parameters below `key`; empty if there are none.
    pub(crate) fn group(&mut self, key: &str) -> Result<Params, Refusal> {
        let path = self.path_of(key);
        match self.here.remove(key) {
            None => Ok(Self {
                path,
                here: BTreeMap::new(),
            }),
            Some(Param::Group(here)) => Ok(Self { path, here }),
            Some(Param::Text(_)) => Err(Refusal::param(&path, "Invalid object")),
        }
    }

    /// The groups of an array, in the order of their indices.
    pub(crate) fn groups(&mut self, key: &str) -> Result<Vec<Params>, Refusal> {
        let mut array = self.group(key)?;
        array
            .indices()
            .into_iter()
            .map(|index| array.group(&index))
            .collect()
    }

    /// The texts of an array, in the order of their indices.
    pub(crate) fn texts(&mut self, key: &str) -> Result<Vec<String>, Refusal> {
        let mut array = self.group(key)?;
        array
            .indices()
            .into_iter()
            .map(|index| array.required(&index))
            .collect()
    }

    fn indices(&self) -> Vec<String> {
        let mut indices: Vec<_> = self.here.keys().cloned().collect();
        indices.sort_by_key(|index| index.parse::<usize>().unwrap_or(usize::MAX));
        indices
    }

    /// `metadata` as sent.
    pub(crate) fn metadata(&mut self) -> Result<Changes, Refusal> {
        if self.here.get("metadata") == Some(&Param::Text(String::new())) {
            self.here.remove("metadata");
            return Ok(Changes::Unset);
        }
        let mut group = self.group("metadata")?;
        let keys: Vec<_> = group.here.keys().cloned().collect();
        let mut metadata = Metadata::new();
        for key in keys {
            let value = group.text(&key)?.unwrap_or_default();
            let (letters, most) = (key.chars().count(), METADATA_KEY_LIMIT);
            if letters > most {
                return Err(Refusal::param(
                    &group.path,
                    format!(
                        "Metadata keys can have up to {most} characters, but you passed in a key that is \
                     {letters} characters. Invalid key: {key}"
                    ),
                ));
            }
            let (letters, most) = (value.chars().count(), METADATA_VALUE_LIMIT);
            if letters > most {
                return Err(Refusal::param(
                    &group.path_of(&key),
                    format!(
                        "Metadata values can have up to {most} characters, but you passed in a value that is \
                     {letters} characters. Invalid value: {value}"
                    ),
                ));
            }
            metadata.insert(key, value);
        }
        Ok(Changes::Keys(metadata))
    }

    /// Takes what has no effect here.
    pub(crate) fn ignore(&mut self, keys: &[&str]) {
        for key in keys {
            self.here.remove(*key);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.here.is_empty()
    }

    /// Everything must have been taken by now.
    pub(crate) fn finish(self) -> Result<(), Refusal> {
        match self.here.keys().next() {
            None => Ok(()),
            Some(key) => Err(Refusal::Unknown(self.path_of(key))),
        }
    }
}

/// What a request wants of an object's metadata.
pub(crate) enum Changes {
    /// `metadata=` without a key: nothing is to be left.
    Unset,
    /// An empty value removes its key.
    Keys(Metadata),
}

/// Applies sent metadata to kept metadata.
pub(crate) fn merge_metadata(kept: &mut Metadata, sent: Changes) -> Result<(), Refusal> {
    let sent = match sent {
        Changes::Unset => {
            kept.clear();
            return Ok(());
        }
        Changes::Keys(sent) => sent,
    };
    for (key, value) in sent {
        if value.is_empty() {
            kept.remove(&key);
        } else {
            kept.insert(key, value);
        }
    }
    if kept.len() > METADATA_KEYS {
        let why = format!("You can have up to {METADATA_KEYS} metadata keys.");
        return Err(Refusal::param("metadata", why));
    }
    Ok(())
}

/// `a[b][0]` → `a`, `b`, `0`.
fn parts(key: &str) -> Result<Vec<&str>, Refusal> {
    let malformed = || Refusal::param(key, "Malformed parameter name");
    let Some((first, rest)) = key.split_once('[') else {
        return Ok(vec![key]);
    };
    let inside = rest.strip_suffix(']').ok_or_else(malformed)?;
    let mut parts = vec![first];
    parts.extend(inside.split("]["));
    if parts.len() > DEPTH_LIMIT || first.is_empty() || inside.contains("[[") {
        return Err(malformed());
    }
    Ok(parts)
}

fn insert(
    at: &mut BTreeMap<String, Param>,
    parts: &[&str],
    key: &str,
    value: String,
) -> Result<(), Refusal> {
    let clash = || Refusal::param(key, "The parameter is sent as two different things");
    let Some((first, rest)) = parts.split_first() else {
        return Ok(());
    };
    let name = if first.is_empty() {
        at.len().to_string()
    } else {
        (*first).to_owned()
    };
    if rest.is_empty() {
        return match at.insert(name, Param::Text(value)) {
            None | Some(Param::Text(_)) => Ok(()),
            Some(Param::Group(_)) => Err(clash()),
        };
    }
    match at
        .entry(name)
        .or_insert_with(|| Param::Group(BTreeMap::new()))
    {
        Param::Group(below) => insert(below, rest, key, value),
        Param::Text(_) => Err(clash()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_keys_become_groups_and_arrays_keep_their_order() {
        let mut params = Params::decode(
            b"line_items[1][price]=b&line_items[0][price]=a&line_items[0][quantity]=2\
              &metadata[installation]=one&types[]=x&types[]=y",
        )
        .unwrap();
        let mut items = params.groups("line_items").unwrap();
        assert_eq!(items[0].required("price").unwrap(), "a");
        assert_eq!(items[0].number("quantity").unwrap(), Some(2));
        assert_eq!(items[1].required("price").unwrap(), "b");
        assert_eq!(params.texts("types").unwrap(), ["x", "y"]);
        let mut metadata = Metadata::new();
        merge_metadata(&mut metadata, params.metadata().unwrap()).unwrap();
        assert_eq!(metadata["installation"], "one");
        params.finish().unwrap();
    }

    #[test]
    fn what_nobody_took_is_an_unknown_parameter_with_its_path() {
        let mut params = Params::decode(b"a[b]=1&a[c]=2").unwrap();
        let mut group = params.group("a").unwrap();
        assert_eq!(group.number("b").unwrap(), Some(1));
        let refusal = group.finish().unwrap_err();
        assert_eq!(refusal, Refusal::Unknown("a[c]".to_owned()));
    }

    #[test]
    fn one_name_cannot_be_a_text_and_a_group() {
        assert!(Params::decode(b"a=1&a[b]=2").is_err());
        assert!(Params::decode(b"a[b]=2&a=1").is_err());
        assert!(Params::decode(b"a[b=2").is_err());
    }

    #[test]
    fn an_empty_value_removes_a_metadata_key() {
        let mut kept = Metadata::from([("a".into(), "1".into()), ("b".into(), "2".into())]);
        let mut params = Params::decode(b"metadata[a]=&metadata[c]=3").unwrap();
        merge_metadata(&mut kept, params.metadata().unwrap()).unwrap();
        assert_eq!(
            kept,
            Metadata::from([("b".into(), "2".into()), ("c".into(), "3".into())])
        );
        let mut params = Params::decode(b"metadata=").unwrap();
        merge_metadata(&mut kept, params.metadata().unwrap()).unwrap();
        assert_eq!(kept, Metadata::new());
    }
}
