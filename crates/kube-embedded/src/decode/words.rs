//! What Go's decoder says of text that is not JSON, as far as serde tells enough to know.

/// The words for serde's `error` on `text`.
pub(crate) fn go(error: &serde_json::Error, text: &[u8]) -> String {
    if error.is_eof() {
        return "unexpected end of JSON input".to_owned();
    }
    let said = error.to_string();
    let known = EXPECTATIONS.iter().find(|(ours, _)| said.starts_with(ours));
    match (known, sign_at(text, error.line(), error.column())) {
        (Some((_, words)), Some(sign)) => format!("invalid character '{sign}' {words}"),
        (Some(_) | None, _) => said,
    }
}

/// How serde's words begin, and what Go was looking for.
const EXPECTATIONS: [(&str, &str); 6] = [
    ("expected value", "looking for beginning of value"),
    (
        "key must be a string",
        "looking for beginning of object key string",
    ),
    ("expected `:`", "after object key"),
    ("expected `,` or `}`", "after object key:value pair"),
    ("expected `,` or `]`", "after array element"),
    ("trailing characters", "after top-level value"),
];

/// Lines and columns count from one; a column counts bytes.
fn sign_at(text: &[u8], line: usize, column: usize) -> Option<char> {
    let line = text
        .split(|byte| *byte == b'\n')
        .nth(line.checked_sub(1)?)?;
    line.get(column.checked_sub(1)?)
        .map(|byte| char::from(*byte))
}

#[cfg(test)]
mod tests {
    #[test]
    fn broken_json_is_told_in_gos_words() {
        let check = |text: &str, words: &str| {
            let error = serde_json::from_str::<serde_json::Value>(text).unwrap_err();
            assert_eq!(super::go(&error, text.as_bytes()), words, "{text}");
        };
        check("", "unexpected end of JSON input");
        check("{\"a\"", "unexpected end of JSON input");
        check("x", "invalid character 'x' looking for beginning of value");
        check(
            "[1,\n x]",
            "invalid character 'x' looking for beginning of value",
        );
        check(
            "{a}",
            "invalid character 'a' looking for beginning of object key string",
        );
        check("{\"a\" 1}", "invalid character '1' after object key");
        check(
            "{\"a\":1 1}",
            "invalid character '1' after object key:value pair",
        );
        check("[1 2]", "invalid character '2' after array element");
        check("{} x", "invalid character 'x' after top-level value");
    }
}
