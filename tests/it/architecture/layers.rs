//! Which module of `src/` may import which: no arrow up a layer, and no circle.

use std::collections::{BTreeMap, BTreeSet};

use super::sources::{self, Source};

/// A module, and after the colon all that it may import; lowest layer first.
///
/// What is missing is the point: the site never buys a server, a controller never sees the site or the
/// store, and nothing below `app` knows whether the world is real.
const MAY_IMPORT: &str = "
    api:
    cause:
    clock:
    mutant:
    config: api

    provider: api clock config
    metrics: api provider
    telemetry: api config metrics provider
    events: api
    election: api clock
    catalog: api
    drift: api catalog provider

    store: api clock config provider
    intent: api provider

    controller: api cause clock events metrics provider telemetry
    instance: api catalog cause clock controller events metrics mutant provider telemetry
    customer: api catalog cause clock controller events intent metrics provider telemetry
    offer: api catalog clock controller events metrics provider telemetry
    payment: api catalog cause clock controller events intent metrics provider telemetry
    sweep: api catalog cause clock controller events metrics provider telemetry
    supervisor: cause provider

    web: api catalog cause clock config intent metrics provider store telemetry

    app: api catalog cause clock config controller customer drift election events instance intent metrics \
         mutant offer payment provider store supervisor sweep telemetry web
    cli: api app cause config store telemetry
    main:
    lib:
";

/// The table, read.
fn may_import() -> Imports {
    let lines = MAY_IMPORT.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            let (module, others) = line.split_once(':').unwrap();
            let others = others.split_whitespace().map(str::to_owned);
            (module.trim().to_owned(), others.collect())
        })
        .collect()
}

type Imports = BTreeMap<String, BTreeSet<String>>;

#[test]
fn no_module_imports_one_above_it() {
    let faults = arrows_up(&imports(&sources::rust()));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn modules_form_no_circle() {
    let circle = circle(&imports(&sources::rust()));
    assert!(
        circle.is_none(),
        "a circle: {}",
        circle.unwrap().join(" -> ")
    );
}

/// What each module of `src/` imports of the others, tests left out: they may look anywhere.
fn imports(sources: &[Source]) -> Imports {
    let mut imports = Imports::new();
    for Source { path, text } in sources {
        let Some(inner) = path.strip_prefix("src/") else {
            continue;
        };
        if inner.ends_with("/tests.rs") || inner.contains("/tests/") {
            continue;
        }
        let module = inner.split(['/', '.']).next().unwrap_or_default();
        let found = imports.entry(module.to_owned()).or_default();
        found.extend(imported(text).into_iter().filter(|other| other != module));
    }
    imports
}

/// The top-level modules named after `crate::` in the code of a file.
fn imported(text: &str) -> BTreeSet<String> {
    let code: String = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default()
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect();
    code.split("crate::")
        .skip(1)
        .flat_map(|rest| match rest.strip_prefix('{') {
            Some(group) => first_words(group),
            None => vec![word(rest)],
        })
        .filter(|name| name.starts_with(|sign: char| sign.is_ascii_lowercase()))
        .map(str::to_owned)
        .collect()
}

/// The first word of each entry of `{a, b::{c, d}, e}`, given what follows its first brace.
fn first_words(group: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut depth, mut from) = (0_u32, 0);
    for (at, sign) in group.char_indices() {
        match sign {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                words.push(word(group[from..at].trim_start()));
                from = at + 1;
                if sign == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    words
}

fn word(text: &str) -> &str {
    let end = text.find(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_');
    &text[..end.unwrap_or(text.len())]
}

fn arrows_up(imports: &Imports) -> Vec<String> {
    let may_import = may_import();
    let mut faults = Vec::new();
    for (module, found) in imports {
        let Some(allowed) = may_import.get(module) else {
            faults.push(format!(
                "src/{module}.rs has no line in MAY_IMPORT: which layer is it?"
            ));
            continue;
        };
        let above = found
            .iter()
            .filter(|&other| imports.contains_key(other) && !allowed.contains(other));
        faults.extend(above.map(|other| format!("{module} may not import {other}")));
    }
    faults
}

/// A circle of imports, its first module named again at its end.
fn circle(imports: &Imports) -> Option<Vec<String>> {
    let mut done = BTreeSet::new();
    imports
        .keys()
        .find_map(|module| circle_from(module, imports, &mut Vec::new(), &mut done))
}

fn circle_from(
    module: &str,
    imports: &Imports,
    path: &mut Vec<String>,
    done: &mut BTreeSet<String>,
) -> Option<Vec<String>> {
    if let Some(start) = path.iter().position(|seen| seen == module) {
        let mut found = path.split_off(start);
        found.push(module.to_owned());
        return Some(found);
    }
    if done.contains(module) {
        return None;
    }
    path.push(module.to_owned());
    for other in imports.get(module).into_iter().flatten() {
        if let Some(found) = circle_from(other, imports, path, done) {
            return Some(found);
        }
    }
    path.pop();
    done.insert(module.to_owned());
    None
}

fn file(path: &str, text: &str) -> Source {
    Source {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

#[test]
fn imports_are_read_in_every_form_they_are_written_in() {
    let check = |text: &str, expected: &[&str]| {
        let found = imported(text);
        assert_eq!(
            found.iter().map(String::as_str).collect::<Vec<_>>(),
            expected,
            "{text}"
        );
    };
    check("use crate::api::Plan;", &["api"]);
    check(
        "use crate::{api::{self, Plan}, clock, provider::Fate};",
        &["api", "clock", "provider"],
    );
    check(
        "use crate::{\n    api,\n    web::{page::{Page}, view},\n};\nfn store() {}",
        &["api", "web"],
    );
    check("fn x() -> crate::store::Row {}", &["store"]);
    check("use crate::Thing;", &[]);
    check(
        "// use crate::web;\n#[cfg(test)]\nmod tests {\n use crate::web; }",
        &[],
    );
}

#[test]
fn an_arrow_up_is_named() {
    let caught = |path: &str, text: &str| {
        let all = may_import()
            .into_keys()
            .map(|name| file(&format!("src/{name}.rs"), ""));
        arrows_up(&imports(&all.chain([file(path, text)]).collect::<Vec<_>>()))
    };
    let forbidden = [
        ("src/web/checkout.rs", "instance"),
        ("src/web/checkout.rs", "sweep"),
        ("src/web.rs", "app"),
        ("src/store/secrets.rs", "web"),
        ("src/intent.rs", "web"),
        ("src/payment/act.rs", "web"),
        ("src/payment/act.rs", "store"),
        ("src/customer/act.rs", "store"),
        ("src/instance/act.rs", "intent"),
        ("src/provider/hetzner.rs", "instance"),
        ("src/api/names.rs", "provider"),
        ("src/app.rs", "cli"),
        ("src/controller.rs", "app"),
    ];
    for (path, other) in forbidden {
        let module = word(path.trim_start_matches("src/"));
        assert_eq!(
            caught(path, &format!("use crate::{other}::X;")),
            [format!("{module} may not import {other}")]
        );
    }
    assert_eq!(caught("src/web.rs", "use crate::intent::apply;"), [""; 0]);
    assert_eq!(caught("src/web/tests.rs", "use crate::instance;"), [""; 0]);
    let said = caught("src/novelty.rs", "");
    assert!(said[0].contains("which layer"), "{said:?}");
}

#[test]
fn a_circle_is_found_and_its_path_told() {
    let sources = |texts: &[(&str, &str)]| {
        let all: Vec<Source> = texts.iter().map(|(path, text)| file(path, text)).collect();
        circle(&imports(&all))
    };
    let line = [
        ("src/a.rs", "use crate::b;"),
        ("src/b.rs", "use crate::c;"),
        ("src/c.rs", ""),
    ];
    assert_eq!(sources(&line), None);
    let round = [
        ("src/a.rs", "use crate::b;"),
        ("src/b/x.rs", "use crate::c;"),
        ("src/c/y.rs", "fn f() -> crate::b::Z {}"),
    ];
    assert_eq!(sources(&round).unwrap(), ["b", "c", "b"]);
}

/// The table itself allows no circle, so a module can only move by a decision.
#[test]
fn the_allowed_imports_form_no_circle() {
    assert_eq!(circle(&may_import()), None);
}
