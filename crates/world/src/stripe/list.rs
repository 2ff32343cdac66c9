//! Stripe's lists: newest first, a page at a time after or before an id. What is in them is decided by
//! whoever asks.

use serde_json::{Value, json};

use super::State;
use super::form::Params;
use super::refusal::Refusal;

const DEFAULT_LIMIT: usize = 10;
const MOST: i64 = 100;

/// Something with an id that can be shown. Ids of one kind sort by creation.
pub(crate) trait Object {
    /// As Stripe's `object` field calls it.
    const NAME: &'static str;
    fn id(&self) -> &str;
    fn shown(&self, state: &State) -> Value;
}

/// Which page of a list.
pub(crate) struct Page {
    limit: usize,
    after: Option<String>,
    before: Option<String>,
}

/// A filter on a Unix time, as `created[gte]`.
pub(crate) struct Span {
    from: i64,
    to: i64,
}

impl Page {
    pub(crate) fn take(params: &mut Params) -> Result<Self, Refusal> {
        let limit = match params.number("limit")? {
            None => DEFAULT_LIMIT,
            Some(limit) if (1..=MOST).contains(&limit) => {
                usize::try_from(limit).unwrap_or(DEFAULT_LIMIT)
            }
            Some(limit) => {
                let bound = if limit < 1 {
                    "greater than or equal to 1"
                } else {
                    "less than or equal to 100"
                };
                let why = format!("This value must be {bound}.");
                return Err(Refusal::integer("limit", why));
            }
        };
        let (after, before) = (
            params.text("starting_after")?,
            params.text("ending_before")?,
        );
        if after.is_some() && before.is_some() {
            let why =
                "You may only specify one of these parameters: starting_after, ending_before.";
            return Err(Refusal::param("ending_before", why));
        }
        Ok(Self {
            limit,
            after,
            before,
        })
    }

    /// The page of what is `found` (newest first), and whether there is more in its direction.
    fn cut<'o, O: Object>(&self, found: &[&'o O]) -> Result<(Vec<&'o O>, bool), Refusal> {
        let place = |id: &str, param| {
            let missing = || Refusal::NoSuch {
                what: O::NAME,
                id: id.to_owned(),
                param: Some(param),
            };
            found
                .iter()
                .position(|object| object.id() == id)
                .ok_or_else(missing)
        };
        if let Some(before) = &self.before {
            let end = place(before, "ending_before")?;
            let begin = end.saturating_sub(self.limit);
            return Ok((found[begin..end].to_vec(), begin > 0));
        }
        let begin = match &self.after {
            Some(after) => place(after, "starting_after")? + 1,
            None => 0,
        };
        let end = (begin + self.limit).min(found.len());
        Ok((found[begin..end].to_vec(), end < found.len()))
    }

    /// The list object for what is `found`, newest first.
    pub(crate) fn list<O: Object>(
        &self,
        url: &str,
        found: &[&O],
        state: &State,
    ) -> Result<Value, Refusal> {
        let (page, has_more) = self.cut(found)?;
        let data: Vec<_> = page.iter().map(|object| object.shown(state)).collect();
        Ok(list_of(url, &data, has_more))
    }
}

pub(crate) fn list_of(url: &str, data: &[Value], has_more: bool) -> Value {
    json!({ "object": "list", "url": url, "has_more": has_more, "data": data })
}

/// One JSON object with the keys of both.
pub(crate) fn joined(mut first: Value, second: Value) -> Value {
    if let (Value::Object(first), Value::Object(second)) = (&mut first, second) {
        first.extend(second);
    }
    first
}

impl Span {
    /// `created=…` or `created[gt|gte|lt|lte]=…`.
    pub(crate) fn take(params: &mut Params, key: &str) -> Result<Self, Refusal> {
        if let Ok(Some(exact)) = params.clone().number(key) {
            params.number(key)?;
            return Ok(Self {
                from: exact,
                to: exact,
            });
        }
        let mut group = params.group(key)?;
        let mut span = Self {
            from: i64::MIN,
            to: i64::MAX,
        };
        if let Some(at) = group.number("gte")? {
            span.from = at;
        }
        if let Some(at) = group.number("gt")? {
            span.from = span.from.max(at.saturating_add(1));
        }
        if let Some(at) = group.number("lte")? {
            span.to = at;
        }
        if let Some(at) = group.number("lt")? {
            span.to = span.to.min(at.saturating_sub(1));
        }
        group.finish()?;
        Ok(span)
    }

    pub(crate) fn holds(&self, at: i64) -> bool {
        (self.from..=self.to).contains(&at)
    }
}
