//! Which records a list request asks for, in which order, and which page of them. It changes nothing.

use std::cmp::Ordering;

use super::record::Record;
use super::refusal::Refusal;

const DEFAULT_PER_PAGE: usize = 100;
/// Largest page of the DNS records API, by its description.
const MOST_PER_PAGE: usize = 5_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Type,
    Name,
    Content,
    Ttl,
    Proxied,
}

/// One condition of the query string, such as `comment.contains=…`.
#[derive(Clone, Debug)]
enum Filter {
    Text(Field, Test, String),
    Type(String),
    Proxied(bool),
    /// What the dashboard's search does is left open; here it looks everywhere.
    Search(String),
}

/// One condition on a record's tags: the tag's name, and what its value must be like.
#[derive(Clone, Debug)]
struct TagFilter {
    name: String,
    test: Test,
    value: String,
}

#[derive(Clone, Copy, Debug)]
enum Field {
    Name,
    Content,
    Comment,
}

#[derive(Clone, Copy, Debug)]
enum Test {
    Exact,
    Contains,
    Begins,
    Ends,
    Present,
    Absent,
}

#[derive(Clone, Debug)]
pub(crate) struct Query {
    filters: Vec<Filter>,
    any: bool,
    tags: Vec<TagFilter>,
    any_tag: bool,
    order: Order,
    descending: bool,
    page: Paging,
}

/// Which page, of how many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paging {
    pub(crate) page: usize,
    pub(crate) per_page: usize,
}

impl Query {
    /// Unknown keys are ignored, as Cloudflare does.
    pub(crate) fn parse(pairs: &[(String, String)]) -> Result<Self, Refusal> {
        let mut query = Self {
            filters: Vec::new(),
            any: false,
            tags: Vec::new(),
            any_tag: false,
            order: Order::Type,
            descending: false,
            page: Paging::parse(pairs, DEFAULT_PER_PAGE, MOST_PER_PAGE)?,
        };
        for (key, value) in pairs {
            match key.as_str() {
                "match" => query.any = value == "any",
                "tag_match" | "tag-match" => query.any_tag = value == "any",
                "direction" => query.descending = value == "desc",
                "order" => query.order = order(value),
                "tag" => query.tags.push(tag_filter(Test::Exact, value)),
                _ => match key.strip_prefix("tag.").and_then(test) {
                    Some(test) => query.tags.push(tag_filter(test, value)),
                    None => query.filters.extend(filter(key, value)),
                },
            }
        }
        Ok(query)
    }

    /// The records asked for, all pages of them, in order.
    pub(crate) fn select<'r>(&self, records: impl Iterator<Item = &'r Record>) -> Vec<&'r Record> {
        let mut found: Vec<_> = records.filter(|record| self.matches(record)).collect();
        found.sort_by(|left, right| {
            let order = compare(self.order, left, right).then_with(|| left.id.cmp(&right.id));
            if self.descending {
                order.reverse()
            } else {
                order
            }
        });
        found
    }

    pub(crate) fn paging(&self) -> Paging {
        self.page
    }

    /// The tags together are one more condition beside the others.
    fn matches(&self, record: &Record) -> bool {
        let conditions = self.filters.len() + usize::from(!self.tags.is_empty());
        let (filters, tags) = (&self.filters, &self.tags);
        let tagged = (!tags.is_empty()).then(|| self.tags_match(record));
        let mut held = filters
            .iter()
            .map(|filter| filter.matches(record))
            .chain(tagged);
        if self.any && conditions > 0 {
            held.any(|hit| hit)
        } else {
            held.all(|hit| hit)
        }
    }

    fn tags_match(&self, record: &Record) -> bool {
        let mut held = self.tags.iter().map(|filter| filter.matches(&record.tags));
        if self.any_tag {
            held.any(|hit| hit)
        } else {
            held.all(|hit| hit)
        }
    }
}

impl Paging {
    pub(crate) fn parse(
        pairs: &[(String, String)],
        per_page: usize,
        most: usize,
    ) -> Result<Self, Refusal> {
        let mut paging = Self { page: 1, per_page };
        for (key, value) in pairs {
            let number = || match value.parse::<usize>() {
                Ok(number) if number > 0 => Ok(number),
                Ok(_) | Err(_) => Err(Refusal::Page),
            };
            match key.as_str() {
                "page" => paging.page = number()?,
                "per_page" => paging.per_page = number()?.min(most),
                _ => {}
            }
        }
        Ok(paging)
    }

    pub(crate) fn cut<'i, T>(&self, items: &'i [T]) -> &'i [T] {
        let begin = (self.page - 1)
            .saturating_mul(self.per_page)
            .min(items.len());
        let end = begin.saturating_add(self.per_page).min(items.len());
        &items[begin..end]
    }

    /// The `result_info` of a page that holds `count` of `total`.
    pub(crate) fn info(&self, count: usize, total: usize) -> serde_json::Value {
        serde_json::json!({
            "page": self.page,
            "per_page": self.per_page,
            "count": count,
            "total_count": total,
            "total_pages": total.div_ceil(self.per_page),
        })
    }
}

fn order(word: &str) -> Order {
    match word {
        "name" => Order::Name,
        "content" => Order::Content,
        "ttl" => Order::Ttl,
        "proxied" => Order::Proxied,
        _ => Order::Type,
    }
}

fn compare(order: Order, left: &Record, right: &Record) -> Ordering {
    match order {
        Order::Type => (left.kind.word(), &left.name).cmp(&(right.kind.word(), &right.name)),
        Order::Name => left.name.cmp(&right.name),
        Order::Content => left.content.cmp(&right.content),
        Order::Ttl => left.ttl.cmp(&right.ttl),
        Order::Proxied => left.proxied.cmp(&right.proxied),
    }
}

fn filter(key: &str, value: &str) -> Option<Filter> {
    match key {
        "type" => return Some(Filter::Type(value.to_ascii_uppercase())),
        "proxied" => return Some(Filter::Proxied(value == "true")),
        "search" => return Some(Filter::Search(value.to_lowercase())),
        _ => {}
    }
    let (field, word) = key.split_once('.').unwrap_or((key, "exact"));
    let field = match field {
        "name" => Field::Name,
        "content" => Field::Content,
        "comment" => Field::Comment,
        _ => return None,
    };
    Some(Filter::Text(field, test(word)?, value.to_lowercase()))
}

fn test(word: &str) -> Option<Test> {
    Some(match word {
        "exact" => Test::Exact,
        "contains" => Test::Contains,
        "startswith" => Test::Begins,
        "endswith" => Test::Ends,
        "present" => Test::Present,
        "absent" => Test::Absent,
        _ => return None,
    })
}

/// From `name:value`, or a name alone.
fn tag_filter(test: Test, text: &str) -> TagFilter {
    let text = text.to_lowercase();
    let (name, value) = text.split_once(':').unwrap_or((&text, ""));
    TagFilter {
        name: name.to_owned(),
        test,
        value: value.to_owned(),
    }
}

impl TagFilter {
    /// A record may have several tags of one name: one that fits is enough, and for `absent` none may be there.
    fn matches(&self, tags: &[String]) -> bool {
        let mut values = tags.iter().filter_map(|tag| {
            let tag = tag.to_lowercase();
            let (name, value) = tag.split_once(':')?;
            (name == self.name).then(|| value.to_owned())
        });
        match self.test {
            Test::Absent => values.next().is_none(),
            test @ (Test::Exact | Test::Contains | Test::Begins | Test::Ends | Test::Present) => {
                values.any(|value| test.holds(Some(value), &self.value))
            }
        }
    }
}

impl Filter {
    fn matches(&self, record: &Record) -> bool {
        match self {
            Self::Type(word) => record.kind.word() == word,
            Self::Proxied(proxied) => record.proxied == *proxied,
            Self::Search(wanted) => [
                Some(&record.name),
                Some(&record.content),
                record.comment.as_ref(),
            ]
            .into_iter()
            .flatten()
            .chain(&record.tags)
            .any(|text| text.to_lowercase().contains(wanted)),
            Self::Text(field, test, wanted) => {
                let text = match field {
                    Field::Name => Some(&record.name),
                    Field::Content => Some(&record.content),
                    Field::Comment => record.comment.as_ref(),
                };
                test.holds(text.map(|text| text.to_lowercase()), wanted)
            }
        }
    }
}

impl Test {
    fn holds(self, text: Option<String>, wanted: &str) -> bool {
        let Some(text) = text else {
            return matches!(self, Self::Absent);
        };
        match self {
            Self::Exact => text == wanted,
            Self::Contains => text.contains(wanted),
            Self::Begins => text.starts_with(wanted),
            Self::Ends => text.ends_with(wanted),
            Self::Present => true,
            Self::Absent => false,
        }
    }
}
