//! What Go says of a text that is no time: where its layout and the text part.

use serde_json::Value;

use super::Builtin;

/// The layouts of `metav1.Time` and `metav1.MicroTime`, in the pieces Go names when one does not fit.
const SECONDS: [&str; 12] = [
    "2006", "-", "01", "-", "02", "T", "15", ":", "04", ":", "05", "Z07:00",
];
const MICROSECONDS: [&str; 13] = [
    "2006", "-", "01", "-", "02", "T", "15", ":", "04", ":", "05", ".000000", "Z07:00",
];

/// The first of the kind's moments with microseconds that is none.
pub(super) fn broken_moment(builtin: Builtin, object: &Value) -> Option<String> {
    let places: &[&str] = match builtin {
        Builtin::Lease => &["/spec/acquireTime", "/spec/renewTime"],
        Builtin::CoreEvent | Builtin::Event => &["/eventTime", "/series/lastObservedTime"],
        _ => &[],
    };
    let mut texts = places
        .iter()
        .filter_map(|place| object.pointer(place)?.as_str());
    texts.find_map(|text| unfit(text, &MICROSECONDS))
}

/// What is said of a text that should be a time with whole seconds.
pub(super) fn broken_time(text: &str) -> String {
    unfit(text, &SECONDS).unwrap_or_else(|| format!("parsing time {text:?}: day out of range"))
}

fn unfit(text: &str, layout: &[&str]) -> Option<String> {
    let mut rest = text;
    for piece in layout {
        let Some(length) = fitting(rest, piece) else {
            let layout = layout.concat();
            return Some(format!(
                "parsing time {text:?} as {layout:?}: cannot parse {rest:?} as {piece:?}"
            ));
        };
        rest = &rest[length..];
    }
    (!rest.is_empty()).then(|| format!("parsing time {text:?}: extra text: {rest:?}"))
}

/// How much of the beginning of `rest` is what the layout's piece stands for.
fn fitting(rest: &str, piece: &str) -> Option<usize> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match piece {
        "-" | "T" | ":" => rest.starts_with(piece).then_some(1),
        "Z07:00" if rest.starts_with('Z') => Some(1),
        "Z07:00" => {
            let offset = rest.get(..6)?;
            let (sign, time) = offset.split_at_checked(1)?;
            let (hours, minutes) = time.split_once(':')?;
            ("+-".contains(sign) && digits(hours) && digits(minutes)).then_some(6)
        }
        ".000000" => {
            let fraction = rest.get(..7)?;
            (fraction.starts_with('.') && digits(&fraction[1..])).then_some(7)
        }
        number => digits(rest.get(..number.len())?).then_some(number.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_time_is_told_where_it_breaks() {
        let check = |text: &str, at: Option<(&str, &str)>| {
            let said = unfit(text, &MICROSECONDS);
            match at {
                None => assert_eq!(said, None),
                Some((rest, piece)) => {
                    let end = format!("cannot parse {rest:?} as {piece:?}");
                    assert!(said.unwrap().ends_with(&end), "{text}");
                }
            }
        };
        check("2020-01-01T00:00:00.000000Z", None);
        check("2020-01-01T00:00:00.123456+02:00", None);
        check("2020-01-01T00:00:00Z", Some(("Z", ".000000")));
        check("2020-01-01T00:00:00.12Z", Some((".12Z", ".000000")));
        check("yesterday", Some(("yesterday", "2006")));
        check("2020-01", Some(("", "-")));
        check("", Some(("", "2006")));
    }
}
