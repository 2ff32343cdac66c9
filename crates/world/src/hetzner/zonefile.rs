//! Zone files, read and written: one record a line, `name [ttl] [IN] TYPE value`, with `$ORIGIN` and `$TTL` (RFC 1035, 5.1).
//! Records over several lines and `$INCLUDE` are refused.

use std::{collections::BTreeMap, fmt::Write};

use super::{
    refusal::Refusal,
    selector::Labels,
    zone::{Record, RecordSet, RecordType, Zone},
    zone_route::NewSet,
};

/// How many lines a file may have.
const MOST_LINES: usize = 10_000;

/// The record sets in a file; the zone's own SOA is left out.
pub(super) fn read(text: &str, zone: &str) -> Result<Vec<NewSet>, Refusal> {
    if text.lines().count() > MOST_LINES {
        return Err(Refusal::invalid("zonefile", "has too many lines"));
    }
    let mut sets: BTreeMap<(String, RecordType), NewSet> = BTreeMap::new();
    let (mut ttl, mut name) = (None, "@".to_owned());
    for (at, line) in text.lines().enumerate() {
        let wrong = || Refusal::invalid("zonefile", format!("line {} cannot be read", at + 1));
        let line = without_comment(line);
        if line.trim().is_empty() {
            continue;
        }
        if let Some(directive) = line.strip_prefix('$') {
            match directive.split_whitespace().collect::<Vec<_>>()[..] {
                ["TTL", seconds] => ttl = Some(seconds.parse().map_err(|_| wrong())?),
                ["ORIGIN", origin] if origin.trim_end_matches('.') == zone => {}
                _ => return Err(wrong()),
            }
            continue;
        }
        // A line that begins with a blank goes on with the name before.
        let mut rest = line.as_str();
        if !line.starts_with(char::is_whitespace) {
            name = relative(word(&mut rest), zone);
        }
        let entry = entry(rest, ttl).ok_or_else(wrong)?;
        if entry.kind != RecordType::Soa {
            add(&mut sets, &name, entry);
        }
    }
    Ok(sets.into_values().collect())
}

/// What one line says besides the name.
struct Entry {
    ttl: Option<u32>,
    kind: RecordType,
    value: String,
}

fn entry(mut rest: &str, mut ttl: Option<u32>) -> Option<Entry> {
    // A time and a class may stand before the type, in either order.
    for _ in 0..3 {
        let word = word(&mut rest);
        if let Ok(seconds) = word.parse() {
            ttl = Some(seconds);
        } else if !word.eq_ignore_ascii_case("IN") {
            let kind = RecordType::named(word)?;
            // The value as it is written: blanks inside quotes count.
            let value = rest.trim().to_owned();
            return (!value.contains('(')).then_some(Entry { ttl, kind, value });
        }
    }
    None
}

/// Takes the next word off a line.
fn word<'a>(rest: &mut &'a str) -> &'a str {
    let line = rest.trim_start();
    let (word, after) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    *rest = after;
    word
}

fn add(sets: &mut BTreeMap<(String, RecordType), NewSet>, name: &str, entry: Entry) {
    let set = sets
        .entry((name.to_owned(), entry.kind))
        .or_insert_with(|| NewSet {
            name: name.to_owned(),
            kind: entry.kind,
            ttl: entry.ttl,
            labels: Labels::new(),
            records: Vec::new(),
        });
    set.records.push(Record {
        value: entry.value,
        comment: String::new(),
    });
}

fn without_comment(line: &str) -> String {
    let mut quoted = false;
    line.chars()
        .take_while(|c| {
            quoted ^= *c == '"';
            *c != ';' || quoted
        })
        .collect()
}

/// A name without the zone at its end.
fn relative(name: &str, zone: &str) -> String {
    let lower = name.to_lowercase();
    let whole = lower.strip_suffix('.').unwrap_or(&lower);
    if !lower.ends_with('.') {
        lower
    } else if whole == zone {
        "@".to_owned()
    } else {
        let inner = whole
            .strip_suffix(zone)
            .and_then(|name| name.strip_suffix('.'));
        inner.map_or(lower.clone(), str::to_owned)
    }
}

/// A zone and its sets as a file that `read` takes.
pub(super) fn write<'a>(zone: &Zone, sets: impl Iterator<Item = &'a RecordSet>) -> String {
    let mut text = format!("$ORIGIN {}.\n$TTL {}\n", zone.name, zone.ttl);
    let mut sets: Vec<&RecordSet> = sets.collect();
    sets.sort_by_key(|set| (set.kind != RecordType::Soa, set.number));
    for set in sets {
        let ttl = set.ttl.map_or(String::new(), |ttl| format!("{ttl} "));
        for record in &set.records {
            // Writing into a string cannot fail.
            let _ = writeln!(
                text,
                "{} {ttl}IN {} {}",
                set.name,
                set.kind.name(),
                record.value
            );
        }
    }
    text
}
