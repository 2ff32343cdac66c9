//! Lists: filters by label and name, order, pages, and what a list may wrongly show or hide.

use http::{StatusCode, header::LINK};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Value, json};

use super::{
    refusal::Refusal,
    selector::{Labels, Selector},
};
use crate::{
    call::{self, Answer, Asked, Turn},
    clock::{Millis, SECOND},
    faults::FaultKind,
};

/// The longest that a list may lag behind.
const LAG: Millis = 10 * SECOND;
const PER_PAGE: usize = 25;
const MOST_PER_PAGE: usize = 50;

/// What a list needs to know of each thing in it.
pub(super) trait Listed {
    fn id(&self) -> u64;
    fn name(&self) -> &str;
    fn labels(&self) -> Option<&Labels>;
    fn created(&self) -> Millis;
    /// When it ended, if a list may still show it after that.
    fn gone(&self) -> Option<Millis> {
        None
    }
}

/// How far behind the world a list is shown. Drawn once for each list.
pub(super) struct View {
    now: Millis,
    lingering: Millis,
    hidden: Millis,
}

impl View {
    pub(super) fn draw(turn: &Turn<'_>, asked: &Asked) -> View {
        let lag = |kind| {
            if turn.strikes(kind) {
                drawn_lag(turn.faults.roll(turn.api, kind))
            } else {
                0
            }
        };
        let lingering = lag(FaultKind::LingeringList);
        // A look-up by name reads the index that keeps names unique; it is never behind.
        let hidden = if asked.query_value("name").is_some() {
            0
        } else {
            lag(FaultKind::HiddenNew)
        };
        View {
            now: turn.now,
            lingering,
            hidden,
        }
    }

    pub(super) fn shows(&self, row: &impl Listed) -> bool {
        let still_there = row
            .gone()
            .is_none_or(|gone| gone > self.now - self.lingering);
        let there_already = self.hidden == 0 || row.created() <= self.now - self.hidden;
        still_there && there_already
    }
}

fn drawn_lag(drawn: u64) -> Millis {
    Millis::try_from(drawn % LAG.unsigned_abs()).unwrap_or(0) + 1
}

/// The rows a request asks for, in its order: filters `name`, `label_selector`; `sort`.
pub(super) fn chosen<'a, T: Listed>(
    turn: &Turn<'_>,
    asked: &Asked,
    rows: impl Iterator<Item = &'a T>,
) -> Result<Vec<&'a T>, Refusal> {
    let view = View::draw(turn, asked);
    let selector = asked
        .query_value("label_selector")
        .map(Selector::parse)
        .transpose()?;
    let name = asked.query_value("name");
    let mut rows: Vec<&T> = rows
        .filter(|row| view.shows(*row))
        .filter(|row| name.is_none_or(|name| row.name() == name))
        .filter(|row| {
            let chosen =
                |selector: &Selector| row.labels().is_some_and(|labels| selector.chooses(labels));
            selector.as_ref().is_none_or(chosen)
        })
        .collect();
    sort(&mut rows, asked)?;
    Ok(rows)
}

/// Orders rows by each `sort=field[:asc|:desc]`, the first counting most; by id without one.
fn sort<T: Listed>(rows: &mut [&T], asked: &Asked) -> Result<(), Refusal> {
    let wanted: Vec<&str> = asked
        .query_values("sort")
        .flat_map(|list| list.split(','))
        .collect();
    rows.sort_by_key(|row| row.id());
    for one in wanted.into_iter().rev() {
        let (field, direction) = one.split_once(':').unwrap_or((one, "asc"));
        match field {
            "id" => rows.sort_by_key(|row| row.id()),
            "name" => rows.sort_by(|one, other| one.name().cmp(other.name())),
            "created" => rows.sort_by_key(|row| row.created()),
            _ => {
                return Err(Refusal::invalid(
                    "sort",
                    format!("cannot sort by '{field}'"),
                ));
            }
        }
        match direction {
            "asc" => {}
            "desc" => rows.reverse(),
            _ => {
                return Err(Refusal::invalid(
                    "sort",
                    format!("'{direction}' is no direction"),
                ));
            }
        }
    }
    Ok(())
}

/// A page's body: the rows under their own key, `meta` beside them.
struct Page<'a, S> {
    key: &'a str,
    shown: Vec<S>,
    meta: Value,
}

impl<S: Serialize> Serialize for Page<'_, S> {
    fn serialize<T: Serializer>(&self, to: T) -> Result<T::Ok, T::Error> {
        let mut body = to.serialize_map(Some(2))?;
        body.serialize_entry(self.key, &self.shown)?;
        body.serialize_entry("meta", &self.meta)?;
        body.end()
    }
}

/// Answers one page of rows under `key`, with its `meta.pagination` and `Link` header.
pub(super) fn page<T, S: Serialize>(
    turn: &Turn<'_>,
    asked: &Asked,
    key: &str,
    rows: &[T],
    show: impl Fn(&T) -> S,
) -> Result<Answer, Refusal> {
    page_of(turn, asked, (key, MOST_PER_PAGE), rows, show)
}

/// A page as `page` answers it, of at most so many rows.
pub(super) fn page_of<T, S: Serialize>(
    turn: &Turn<'_>,
    asked: &Asked,
    (key, most): (&str, usize),
    rows: &[T],
    show: impl Fn(&T) -> S,
) -> Result<Answer, Refusal> {
    let page = number(asked, "page", 1)?;
    let per_page = number(asked, "per_page", PER_PAGE)?.min(most);
    let last = rows.len().div_ceil(per_page).max(1);
    let first_row = (page - 1).saturating_mul(per_page);
    let mut shown: Vec<S> = rows
        .iter()
        .skip(first_row)
        .take(per_page)
        .map(show)
        .collect();
    if !shown.is_empty() && turn.strikes(FaultKind::ShortList) {
        let kept = turn.faults.roll(turn.api, FaultKind::ShortList) % shown.len() as u64;
        shown.truncate(usize::try_from(kept).unwrap_or(0));
    }
    let next = (page < last).then_some(page + 1);
    let previous = (page > 1).then(|| page - 1);
    let pagination = json!({
        "page": page, "per_page": per_page, "previous_page": previous, "next_page": next,
        "last_page": last, "total_entries": rows.len(),
    });
    let body = Page {
        key,
        shown,
        meta: json!({ "pagination": pagination }),
    };
    let mut answer = call::json(StatusCode::OK, &body);
    let links: Vec<String> = [("prev", previous), ("next", next), ("last", Some(last))]
        .into_iter()
        .filter_map(|(rel, page)| {
            Some(format!(
                "<{}?page={}&per_page={per_page}>; rel=\"{rel}\"",
                asked.path, page?
            ))
        })
        .collect();
    if let Ok(links) = links.join(", ").try_into() {
        answer.headers_mut().insert(LINK, links);
    }
    Ok(answer)
}

fn number(asked: &Asked, name: &str, otherwise: usize) -> Result<usize, Refusal> {
    let Some(text) = asked.query_value(name) else {
        return Ok(otherwise);
    };
    match text.parse() {
        Ok(number) if number >= 1 => Ok(number),
        _ => Err(Refusal::invalid(name, "must be a number of at least 1")),
    }
}
