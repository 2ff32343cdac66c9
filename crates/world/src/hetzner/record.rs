//! Which names, times and values a zone's records may have, and which sets may stand side by side.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{
    State,
    name::is_host_label,
    refusal::Refusal,
    zone::{Record, RecordType},
};

/// How many records one request may bring, as the description says.
const MOST_IN_A_REQUEST: usize = 50;
/// How many records one set may have, and a zone over all its sets.
const MOST_IN_A_SET: usize = 500;
const MOST_IN_A_ZONE: usize = 10_000;
/// The longest value, in bytes.
const MOST_VALUE: usize = 4_096;
/// The longest comment, in bytes.
const MOST_COMMENT: usize = 255;

/// A zone's name: lower-case, at least two labels, without a dot at the end.
pub(super) fn check_zone_name(name: &str) -> Result<(), Refusal> {
    let labels = name.split('.').count();
    let lower = !name.chars().any(|c| c.is_ascii_uppercase());
    if labels >= 2 && lower && name.len() <= 253 && name.split('.').all(is_host_label) {
        Ok(())
    } else {
        Err(Refusal::invalid("name", "is not a valid zone name"))
    }
}

/// A set's name: lower-case and relative; `@` for the zone itself, `*` as the first label for all others.
pub(super) fn check_set_name(name: &str, zone: &str) -> Result<(), Refusal> {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c))
    };
    let rest = name.strip_prefix("*.").unwrap_or(name);
    let fits = name.len() + 1 + zone.len() <= 253 && (rest == "*" || rest.split('.').all(label));
    if name == "@" || fits {
        Ok(())
    } else {
        Err(Refusal::invalid(
            "name",
            "must be a lower-case name relative to the zone",
        ))
    }
}

/// Seconds: from a minute to what 31 bits hold.
pub(super) fn check_ttl(ttl: Option<u32>) -> Result<(), Refusal> {
    const TTLS: std::ops::RangeInclusive<u32> = 60..=2_147_483_647;
    if ttl.is_none_or(|ttl| TTLS.contains(&ttl)) {
        Ok(())
    } else {
        Err(Refusal::invalid("ttl", "must be from 60 to 2147483647"))
    }
}

/// The records of one request: some, not too many, each well-formed, no value twice.
pub(super) fn check_records(kind: RecordType, records: &[Record]) -> Result<(), Refusal> {
    if records.is_empty() || records.len() > MOST_IN_A_REQUEST {
        return Err(Refusal::invalid("records", "must be from 1 to 50"));
    }
    for (at, record) in records.iter().enumerate() {
        if record.comment.len() > MOST_COMMENT {
            return Err(Refusal::invalid("records", "a comment is too long"));
        }
        if record.value.len() > MOST_VALUE || !is_value(kind, &record.value) {
            let kind = kind.name();
            return Err(Refusal::invalid(
                "records",
                format!("a value is not that of a record of type {kind}"),
            ));
        }
        if records[..at]
            .iter()
            .any(|other| other.value == record.value)
        {
            return Err(Refusal::invalid("records", "a value is there twice"));
        }
    }
    Ok(())
}

fn is_value(kind: RecordType, value: &str) -> bool {
    let words: Vec<&str> = value.split_whitespace().collect();
    let numbers = |words: &[&str]| words.iter().all(|word| word.parse::<u16>().is_ok());
    match kind {
        RecordType::A => value.parse::<Ipv4Addr>().is_ok(),
        RecordType::Aaaa => value.parse::<Ipv6Addr>().is_ok(),
        RecordType::Cname | RecordType::Ns | RecordType::Ptr => is_target(value),
        RecordType::Mx => {
            matches!(words[..], [preference, host] if numbers(&[preference]) && is_target(host))
        }
        RecordType::Srv => {
            matches!(words[..], [priority, weight, port, host]
                if numbers(&[priority, weight, port]) && is_target(host))
        }
        RecordType::Txt => is_quoted(value),
        RecordType::Caa => {
            matches!(words[..], [flags, _tag, value] if flags.parse::<u8>().is_ok() && is_quoted(value))
        }
        RecordType::Ds
        | RecordType::Hinfo
        | RecordType::Https
        | RecordType::Rp
        | RecordType::Soa
        | RecordType::Svcb
        | RecordType::Tlsa => words.len() >= 2 && !value.chars().any(char::is_control),
    }
}

/// A host, relative to the zone or whole with a dot at the end.
fn is_target(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| is_host_label(&label.replace('_', "a"));
    text == "@" || (name.len() <= 253 && name.split('.').all(label))
}

/// One or more texts in double quotes, each of at most 255 bytes.
fn is_quoted(text: &str) -> bool {
    let mut rest = text.trim();
    while let Some(inner) = rest.strip_prefix('"') {
        let mut escaped = false;
        let end = inner.bytes().position(|byte| {
            let closes = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            closes
        });
        match end {
            Some(end) if end <= 255 => rest = inner[end + 1..].trim_start(),
            Some(_) | None => return false,
        }
        if rest.is_empty() {
            return true;
        }
    }
    false
}

impl State {
    /// Whether a set of this name and type, with this many records, may stand beside the zone's others.
    pub(super) fn check_beside(
        &self,
        zone: u64,
        name: &str,
        kind: RecordType,
        records: usize,
    ) -> Result<(), Refusal> {
        let others = || {
            self.record_sets_of(zone)
                .filter(move |set| set.name != name || set.kind != kind)
        };
        let alias = |kind| kind == RecordType::Cname;
        let clashes = others().any(|set| set.name == name && (alias(kind) || alias(set.kind)));
        if clashes || alias(kind) && (records > 1 || name == "@") {
            return Err(Refusal::invalid(
                "type",
                "a CNAME stands alone, and never at the zone itself",
            ));
        }
        let all: usize = others().map(|set| set.records.len()).sum();
        if records > MOST_IN_A_SET || all + records > MOST_IN_A_ZONE {
            return Err(Refusal::limit("record_limit", "record limit exceeded"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{RecordType, check_set_name, check_zone_name, is_value};

    #[test]
    fn a_value_is_held_to_its_type() {
        for (kind, good, bad) in [
            (RecordType::A, "192.0.2.1", "192.0.2.256"),
            (RecordType::Aaaa, "2001:db8::1", "192.0.2.1"),
            (RecordType::Cname, "www.example.com.", "a b"),
            (RecordType::Mx, "10 mail.example.com.", "mail.example.com."),
            (RecordType::Srv, "1 2 443 host", "1 2 host"),
            (RecordType::Txt, r#""v=1" "two \" parts""#, "v=1"),
            (
                RecordType::Caa,
                r#"0 issue "ca.example""#,
                "0 issue ca.example",
            ),
        ] {
            assert!(is_value(kind, good), "{good}");
            assert!(!is_value(kind, bad), "{bad}");
        }
        assert!(!is_value(
            RecordType::Txt,
            &format!("\"{}\"", "x".repeat(256))
        ));
    }

    #[test]
    fn names_are_lower_case_and_relative() {
        for good in ["@", "*", "www", "*.a", "_dmarc", "a.b"] {
            assert!(check_set_name(good, "example.com").is_ok(), "{good}");
        }
        for bad in ["", "WWW", "www.", "a..b", "a b", "a.*"] {
            assert!(check_set_name(bad, "example.com").is_err(), "{bad}");
        }
        assert!(check_zone_name("example.com").is_ok());
        for bad in ["com", "example.com.", "Example.com", "-a.com"] {
            assert!(check_zone_name(bad).is_err(), "{bad}");
        }
    }
}
