//! What each format takes and refuses.

use super::*;

fn check(name: &str, accepted: &[&str], refused: &[&str]) {
    let format = Format::parse(name).unwrap();
    for text in accepted {
        assert!(format.accepts(text), "{name} should accept {text:?}");
    }
    for text in refused {
        assert!(!format.accepts(text), "{name} should refuse {text:?}");
    }
}

#[test]
fn network_formats_know_their_addresses() {
    check(
        "ipv4",
        &["1.2.3.4", "0.0.0.0"],
        &["", "1.2.3", "1.2.3.256", "::1", "01.2.3.4"],
    );
    check("ipv6", &["::1", "2001:db8::1"], &["1.2.3.4", ":::", ""]);
    check(
        "cidr",
        &["10.0.0.0/8", "::/0", "1.2.3.4/32"],
        &["10.0.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/+8", "/8"],
    );
    check(
        "mac",
        &["00:00:5e:00:53:01", "0000.5e00.5301", "02-00-5e-10-00-00"],
        &["00:00:5e", "00:00:5e:00:53:0g", ""],
    );
    check(
        "hostname",
        &["a", "ab", "a-b", "a.b-c.example", "xn--a.example"],
        &["", "-a", "a.b", "a..bc", "a_b", "a-.bc", "ab-c", "a."],
    );
    check(
        "uri",
        &["https://a.example/x", "/x", "mailto:a@b", "x:"],
        &["", "a", "1a:b", "http:// a", ":x", "/a\u{7}"],
    );
    check(
        "email",
        &["a@b.c", "Ada <a@b.c>", "a.b+c@d"],
        &["", "a", "@b", "a@", "a@b@", "a..b@c", "a b@c"],
    );
}

#[test]
fn time_formats_know_dates_and_durations() {
    check(
        "date-time",
        &["2026-11-24T20:19:00Z", "2026-11-24T20:19:00.123456+02:00"],
        &[
            "2026-11-24",
            "2026-11-24 20:19:00Z",
            "2026-13-01T00:00:00Z",
            "",
        ],
    );
    check(
        "date",
        &["2026-11-24"],
        &["2026-11-31", "26-11-24", "2026-11-24T00:00:00Z", ""],
    );
    check(
        "duration",
        &[
            "1h30m", "-1.5s", "0", "10ms", "3 days", "2 w", "1w", "1h 30m",
        ],
        &["", "1", "1x", "h", "days"],
    );
}

#[test]
fn identifier_formats_check_their_digits() {
    check(
        "uuid",
        &[
            "123e4567-e89b-12d3-a456-426614174000",
            "123e4567e89b12d3a456426614174000",
        ],
        &["", "123e4567", "123e4567-e89b-12d3-a456-42661417400g"],
    );
    check(
        "uuid4",
        &["123e4567-e89b-42d3-a456-426614174000"],
        &["123e4567-e89b-12d3-a456-426614174000"],
    );
    check(
        "isbn",
        &["0-306-40615-2", "978-0-306-40615-7", "0-8044-2957-X"],
        &["0-306-40615-3", "978-0-306-40615-8", "1"],
    );
    check(
        "creditcard",
        &["4111111111111111", "4111 1111 1111 1111"],
        &["4111111111111112", "4111", "x"],
    );
    check(
        "ssn",
        &["123-45-6789", "123 45 6789"],
        &["123456789", "123-456-789", "abc"],
    );
    check(
        "bsonobjectid",
        &["507f1f77bcf86cd799439011"],
        &["507f1f77bcf86cd79943901", "g07f1f77bcf86cd799439011"],
    );
    check(
        "hexcolor",
        &["#fff", "ffffff", "#A0b1C2"],
        &["#ff", "red", "#ggg"],
    );
    check(
        "rgbcolor",
        &["rgb(0, 1,255)"],
        &["rgb(0,1)", "rgb(0,1,256)", "0,1,2"],
    );
    check("byte", &["YQ==", "YWI="], &["", "YQ", "YQ=", "not base64!"]);
}

#[test]
fn a_format_nobody_checks_is_only_a_hint() {
    for name in ["int32", "int64", "password", "float", "invented", ""] {
        assert_eq!(Format::parse(name), None, "{name}");
    }
}

#[test]
fn a_duration_has_a_length() {
    for (text, seconds) in [
        ("1h30m", 5400.0),
        ("-1.5s", -1.5),
        ("0", 0.0),
        ("3 days", 259_200.0),
        ("1w 2d", 777_600.0),
        ("2 hours", 7200.0),
    ] {
        assert_eq!(duration_nanos(text), Some(seconds * 1e9), "{text}");
    }
    assert_eq!(duration_nanos("soon"), None);
}

#[test]
fn names_of_kubernetes_are_formats_too() {
    check(
        "k8s-short-name",
        &["a", "a-b", "1a"],
        &["", "-a", "a.b", "A", &"a".repeat(64)],
    );
    check(
        "k8s-long-name",
        &["a", "a.b-c"],
        &["", "a..b", "a.-b", "A.b", &"a".repeat(254)],
    );
}

#[test]
fn a_format_is_known_for_the_types_it_is_for() {
    for (kind, format, known) in [
        ("string", "date-time", true),
        ("string", "datetime", true),
        ("", "uuid", true),
        ("string", "password", true),
        ("string", "int32", false),
        ("string", "invented", false),
        ("integer", "int64", true),
        ("integer", "double", false),
        ("number", "double", true),
        ("object", "uuid", false),
    ] {
        assert_eq!(is_known_format(kind, format), known, "{kind} {format}");
    }
}
