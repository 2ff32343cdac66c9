//! A schema's `pattern` as Go's RE2 reads it: ASCII `\d \w \s`, and `[` plain inside a class.

use regex::{Regex, RegexBuilder};

/// Bytes a compiled pattern may take; a hostile `{1000}{1000}` is refused, not compiled.
const COMPILED_LIMIT: usize = 1 << 20;

/// Compiles a pattern. It matches anywhere unless anchored.
pub(crate) fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(&translated(pattern))
        .size_limit(COMPILED_LIMIT)
        .build()
}

/// The same language in the regex crate's spelling.
fn translated(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut in_class = false;
    let mut class_start = false;
    let mut chars = pattern.chars().peekable();
    while let Some(char) = chars.next() {
        let at_start = std::mem::take(&mut class_start);
        match char {
            '\\' => match chars.next() {
                Some(next) => out.push_str(&escape(next)),
                None => out.push('\\'),
            },
            '[' if !in_class => {
                in_class = true;
                class_start = true;
                out.push('[');
                if chars.peek() == Some(&'^') {
                    out.extend(chars.next());
                }
            }
            // A bracket expression such as [:alpha:] is copied whole.
            '[' if chars.peek() == Some(&':') => {
                out.push('[');
                for inner in chars.by_ref() {
                    out.push(inner);
                    if inner == ']' {
                        break;
                    }
                }
            }
            ']' if in_class && at_start => out.push_str("\\]"),
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '[' | '&' | '~' if in_class => {
                out.push('\\');
                out.push(char);
            }
            other => out.push(other),
        }
    }
    out
}

fn escape(letter: char) -> String {
    match letter {
        'd' => "[0-9]".to_owned(),
        'D' => "[^0-9]".to_owned(),
        'w' => "[0-9A-Za-z_]".to_owned(),
        'W' => "[^0-9A-Za-z_]".to_owned(),
        's' => "[\\t\\n\\x0c\\r ]".to_owned(),
        'S' => "[^\\t\\n\\x0c\\r ]".to_owned(),
        'b' => "(?-u:\\b)".to_owned(),
        'z' => "\\z".to_owned(),
        other => format!("\\{other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, text: &str, matches: bool) {
        assert_eq!(
            compile(pattern).unwrap().is_match(text),
            matches,
            "{pattern} on {text}"
        );
    }

    #[test]
    fn patterns_mean_what_go_means() {
        check(r"^\d+$", "12", true);
        check(r"^\d+$", "١٢", false);
        check(r"^[\d.]+$", "1.2", true);
        check(r"^[^\d]+$", "ab", true);
        check(r"^[^\d]+$", "a1", false);
        check(r"^[[]$", "[", true);
        check(r"^[]a]$", "]", true);
        check(r"^[[:alpha:]]+$", "ab", true);
        check(r"^[a&&b]+$", "a&b", true);
        check(r"^\w+\s\w+$", "a b", true);
        check(
            r"^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$",
            "* * * * */5",
            true,
        );
        check("b", "abc", true);
        check(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "a-b", true);
        check(r"^a\.b$", "a.b", true);
        check(r"^a\.b$", "axb", false);
    }

    #[test]
    fn a_pattern_too_large_to_compile_is_refused() {
        assert!(compile(r"((a{1000}){1000}){1000}").is_err());
        assert!(compile(r"(?=a)").is_err());
    }
}
