//! The string formats an API server enforces; all other formats are only hints.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A format that is checked. Source: the supported formats listed in Kubernetes' CRD documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    BsonObjectId,
    Uri,
    Email,
    Hostname,
    Ipv4,
    Ipv6,
    Cidr,
    Mac,
    Uuid,
    Uuid3,
    Uuid4,
    Uuid5,
    Isbn,
    Isbn10,
    Isbn13,
    CreditCard,
    Ssn,
    HexColor,
    RgbColor,
    Byte,
    Date,
    Duration,
    DateTime,
    /// One segment of a name, of at most 63 characters.
    ShortName,
    /// Segments with dots between them, at most 253 characters.
    LongName,
}

const NAMES: [(&str, Format); 25] = [
    ("bsonobjectid", Format::BsonObjectId),
    ("uri", Format::Uri),
    ("email", Format::Email),
    ("hostname", Format::Hostname),
    ("ipv4", Format::Ipv4),
    ("ipv6", Format::Ipv6),
    ("cidr", Format::Cidr),
    ("mac", Format::Mac),
    ("uuid", Format::Uuid),
    ("uuid3", Format::Uuid3),
    ("uuid4", Format::Uuid4),
    ("uuid5", Format::Uuid5),
    ("isbn", Format::Isbn),
    ("isbn10", Format::Isbn10),
    ("isbn13", Format::Isbn13),
    ("creditcard", Format::CreditCard),
    ("ssn", Format::Ssn),
    ("hexcolor", Format::HexColor),
    ("rgbcolor", Format::RgbColor),
    ("byte", Format::Byte),
    ("date", Format::Date),
    ("duration", Format::Duration),
    ("datetime", Format::DateTime),
    ("k8sshortname", Format::ShortName),
    ("k8slongname", Format::LongName),
];

impl Format {
    /// None for a format nobody checks (`int32`, `password`, an invented one). Dashes do not count.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let name = name.replace('-', "");
        let mut known = NAMES.iter().filter(|(known, _)| *known == name);
        known.next().map(|(_, format)| *format)
    }

    pub(super) fn accepts(self, text: &str) -> bool {
        match self {
            Format::BsonObjectId => text.len() == 24 && is_hex(text),
            Format::Uri => is_uri(text),
            Format::Email => is_email(text),
            Format::Hostname => is_hostname(text),
            Format::Ipv4 => Ipv4Addr::from_str(text).is_ok(),
            Format::Ipv6 => Ipv6Addr::from_str(text).is_ok(),
            Format::Cidr => is_cidr(text),
            Format::Mac => is_mac(text),
            Format::Uuid => is_uuid(text, None),
            Format::Uuid3 => is_uuid(text, Some(b'3')),
            Format::Uuid4 => is_uuid(text, Some(b'4')),
            Format::Uuid5 => is_uuid(text, Some(b'5')),
            Format::Isbn => is_isbn10(text) || is_isbn13(text),
            Format::Isbn10 => is_isbn10(text),
            Format::Isbn13 => is_isbn13(text),
            Format::CreditCard => is_credit_card(text),
            Format::Ssn => is_ssn(text),
            Format::HexColor => is_hex_color(text),
            Format::RgbColor => is_rgb_color(text),
            Format::Byte => is_base64(text),
            Format::Date => text.len() == 10 && jiff::civil::Date::from_str(text).is_ok(),
            Format::Duration => duration_nanos(text).is_some(),
            Format::DateTime => is_date_time(text),
            Format::ShortName => is_name(text) && text.len() <= 63,
            Format::LongName => text.len() <= 253 && text.split('.').all(is_name),
        }
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// An absolute URI or an absolute path, as Go's `url.ParseRequestURI` takes them.
fn is_uri(text: &str) -> bool {
    if text.is_empty() || text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return false;
    }
    if text.starts_with('/') {
        return true;
    }
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let mut letters = scheme.bytes();
    let is_scheme = letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    let host = rest.strip_prefix("//").map_or("", |rest| {
        rest.split(['/', '?', '#']).next().unwrap_or_default()
    });
    is_scheme && !host.contains([' ', '"', '<', '>', '\\', '^', '`', '{', '|', '}'])
}

/// One address, with or without a display name: `a@b.c`, `Ada <a@b.c>`.
fn is_email(text: &str) -> bool {
    let address = match text
        .strip_suffix('>')
        .and_then(|rest| rest.rsplit_once('<'))
    {
        Some((_, inner)) => inner,
        None => text,
    };
    let Some((local, domain)) = address.rsplit_once('@') else {
        return false;
    };
    let plain = |part: &str| {
        !part.is_empty()
            && !part.contains(|char: char| char.is_whitespace() || "<>()[]\\,;:@\"".contains(char))
    };
    plain(local) && plain(domain) && dotted_atoms(local) && dotted_atoms(domain)
}

fn dotted_atoms(text: &str) -> bool {
    text.split('.').all(|atom| !atom.is_empty())
}

/// One label, or several that end in a top level domain of letters. The odd rule for a single label (a dash only
/// in second place) is that of the real server.
fn is_hostname(text: &str) -> bool {
    let letter = |char: char| char.is_alphabetic();
    let allowed = |char: char| letter(char) || char.is_ascii_digit() || "$+<=>^`|~".contains(char);
    let label = |label: &str| {
        let edges = label.chars().next().zip(label.chars().next_back());
        edges.is_some_and(|(first, last)| allowed(first) && allowed(last))
            && label.chars().all(|char| allowed(char) || char == '-')
            && label.len() <= 63
    };
    if text.len() > 255 {
        return false;
    }
    let Some((labels, top)) = text.rsplit_once('.') else {
        let mut chars = text.chars();
        let first = chars.next().is_some_and(allowed);
        let rest = chars.as_str();
        let rest = rest.strip_prefix('-').unwrap_or(rest);
        return first && rest.chars().all(allowed) && text.len() <= 63;
    };
    labels.split('.').all(label) && top.chars().all(letter) && (2..=63).contains(&top.len())
}

fn is_cidr(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else {
        return false;
    };
    let longest = match IpAddr::from_str(address) {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    digits && length.parse::<u32>().is_ok_and(|bits| bits <= longest)
}

fn is_mac(text: &str) -> bool {
    let separated = |separator: char, width: usize, counts: &[usize]| {
        let parts: Vec<&str> = text.split(separator).collect();
        counts.contains(&parts.len())
            && parts.iter().all(|part| part.len() == width && is_hex(part))
    };
    separated(':', 2, &[6, 8, 20])
        || separated('-', 2, &[6, 8, 20])
        || separated('.', 4, &[3, 4, 10])
}

/// With or without dashes; the version digit is the first of the third group.
fn is_uuid(text: &str, version: Option<u8>) -> bool {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'-').collect();
    let dashes_fit = text.len() == 32
        || [8, 13, 18, 23]
            .iter()
            .all(|&at| text.as_bytes().get(at) == Some(&b'-'))
            && text.len() == 36;
    let version_fits = version.is_none_or(|version| digits.get(12) == Some(&version));
    dashes_fit && version_fits && digits.len() == 32 && digits.iter().all(u8::is_ascii_hexdigit)
}

fn digits_of(text: &str) -> Vec<u32> {
    text.chars()
        .filter(|char| *char != '-' && *char != ' ')
        .map(|char| char.to_digit(10).unwrap_or(99))
        .collect()
}

fn is_isbn10(text: &str) -> bool {
    let bare: String = text
        .chars()
        .filter(|char| *char != '-' && *char != ' ')
        .collect();
    let values: Option<Vec<u32>> = bare
        .chars()
        .enumerate()
        .map(|(at, char)| {
            if at == 9 && char == 'X' {
                Some(10)
            } else {
                char.to_digit(10)
            }
        })
        .collect();
    values.is_some_and(|values| {
        let sum: u32 = values
            .iter()
            .zip(1..)
            .map(|(digit, weight)| digit * weight)
            .sum();
        values.len() == 10 && sum.is_multiple_of(11)
    })
}

fn is_isbn13(text: &str) -> bool {
    let digits = digits_of(text);
    let sum: u32 = digits
        .iter()
        .zip([1, 3].iter().cycle())
        .map(|(digit, weight)| digit * weight)
        .sum();
    digits.len() == 13 && digits.iter().all(|digit| *digit < 10) && sum.is_multiple_of(10)
}

/// 13 to 19 digits whose Luhn sum is a multiple of ten.
fn is_credit_card(text: &str) -> bool {
    let digits = digits_of(text);
    let doubled = |(at, digit): (usize, &u32)| match at % 2 {
        0 => *digit,
        _ if *digit > 4 => digit * 2 - 9,
        _ => digit * 2,
    };
    let sum: u32 = digits.iter().rev().enumerate().map(doubled).sum();
    (13..=19).contains(&digits.len())
        && digits.iter().all(|digit| *digit < 10)
        && sum.is_multiple_of(10)
}

fn is_ssn(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['-', ' ']).collect();
    let widths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let digits = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    widths == [3, 2, 4] && parts.iter().all(digits)
}

/// Whole groups of four, the last one padded.
fn is_base64(text: &str) -> bool {
    let bare = text.trim_end_matches('=');
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    !text.is_empty()
        && text.len().is_multiple_of(4)
        && text.len() - bare.len() <= 2
        && bare.bytes().all(allowed)
}

fn is_hex_color(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or(text);
    (digits.len() == 3 || digits.len() == 6) && is_hex(digits)
}

fn is_rgb_color(text: &str) -> bool {
    let Some(inner) = text
        .strip_prefix("rgb(")
        .and_then(|rest| rest.strip_suffix(')'))
    else {
        return false;
    };
    let parts: Vec<&str> = inner.split(',').map(str::trim).collect();
    parts.len() == 3 && parts.iter().all(|part| part.parse::<u8>().is_ok())
}

/// Lower case letters, digits and dashes, with no dash at either end.
fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(allowed) && !text.starts_with('-') && !text.ends_with('-')
}

/// Would a real server know the format of a value of this type?
pub(crate) fn is_known_format(kind: &str, format: &str) -> bool {
    match kind {
        "" | "string" => format == "password" || Format::parse(format).is_some(),
        "integer" => matches!(format, "int32" | "int64"),
        "number" => matches!(format, "float" | "double"),
        _ => false,
    }
}

/// RFC 3339 with a `T` and an offset.
fn is_date_time(text: &str) -> bool {
    text.contains(['T', 't']) && jiff::Timestamp::from_str(text).is_ok()
}

/// The length of a duration in nanoseconds: Go's form (`1h30m`, `-1.5s`, `0`) or counts with units anywhere in the
/// text (`3 days`, `1w 2d`).
pub(super) fn duration_nanos(text: &str) -> Option<f64> {
    go_duration(text).or_else(|| long_duration(text))
}

const SECOND: f64 = 1e9;
const MINUTE: f64 = 60.0 * SECOND;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;

fn go_duration(text: &str) -> Option<f64> {
    let negative = text.starts_with('-');
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned == "0" {
        return Some(0.0);
    }
    let mut rest = unsigned;
    let mut total = 0.0;
    while !rest.is_empty() {
        let (number, tail) = split_where(rest, |char| char.is_ascii_digit() || char == '.');
        let (unit, next) = split_where(tail, |char| !char.is_ascii_digit() && char != '.');
        let length = match unit {
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => SECOND,
            "m" => MINUTE,
            "h" => HOUR,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * length;
        rest = next;
    }
    let signed = if negative { -total } else { total };
    (!unsigned.is_empty()).then_some(signed)
}

/// Splits before the first character that does not fit.
fn split_where(text: &str, fits: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|char| !fits(char)).unwrap_or(text.len());
    text.split_at(end)
}

/// Units by their short names, and by how their long names begin.
const UNITS: [(&[&str], &str, f64); 8] = [
    (&["ns"], "nano", 1.0),
    (&["us", "µs"], "micro", 1e3),
    (&["ms"], "milli", 1e6),
    (&["s"], "sec", SECOND),
    (&["m"], "min", MINUTE),
    (&["h", "hr"], "hour", HOUR),
    (&["d"], "day", DAY),
    (&["w", "wk"], "week", 7.0 * DAY),
];

fn long_duration(text: &str) -> Option<f64> {
    let mut total = None;
    let mut rest = text;
    while let Some(start) = rest.find(|char: char| char.is_ascii_digit()) {
        let (number, tail) = split_where(&rest[start..], |char| char.is_ascii_digit());
        let (unit, next) = split_where(tail.trim_start(), |char| {
            char.is_ascii_alphabetic() || char == 'µ'
        });
        let unit = unit.to_lowercase();
        let known = UNITS
            .iter()
            .find(|(short, long, _)| short.contains(&unit.as_str()) || unit.starts_with(long));
        if let Some((_, _, length)) = known {
            total = Some(total.unwrap_or(0.0) + number.parse::<f64>().ok()? * length);
        }
        rest = next;
    }
    total
}

#[cfg(test)]
mod tests;
