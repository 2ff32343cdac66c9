//! Configurations as people write them, right and wrong, and the file that lists every setting.

use std::collections::BTreeSet;
use std::io::Write;

use secrecy::ExposeSecret;

use super::*;

/// What `clawdet run` cannot do without.
const LEAST: &str = r#"
    installation = "prod"
    zone = "clawdet.example"
    [site]
    public_url = "https://clawdet.example"
    [[hetzner.projects]]
    name = "main"
    token = "hetzner-token"
    [cloudflare]
    token = "cloudflare-token"
    [stripe]
    secret_key = "sk_test_1"
    webhook_secrets = ["whsec_1", "whsec_2"]
"#;

fn given(text: &str) -> Source {
    Source::Given {
        by: "the test",
        settings: text.parse().unwrap(),
    }
}

fn environment(variables: &[(&str, &str)]) -> Source {
    Source::Environment(
        variables
            .iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect(),
    )
}

fn file(text: &str) -> (tempfile::NamedTempFile, Source) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let source = Source::File(file.path().to_owned());
    (file, source)
}

fn problems(sources: &[Source]) -> Vec<Problem> {
    Config::load(sources)
        .err()
        .map(|all| all.0)
        .unwrap_or_default()
}

/// The only problem of the least configuration with this on top.
fn fault(text: &str) -> String {
    let found = problems(&[given(LEAST), given(text)]);
    assert_eq!(found.len(), 1, "{}", Problems(found));
    found[0].to_string()
}

#[test]
fn the_least_that_is_needed_is_enough() {
    let config = Config::load(&[given(LEAST)]).map_err(|all| all.to_string());
    let config = config.unwrap_or_else(|all| panic!("{all}"));
    assert_eq!(config.installation.as_str(), "prod");
    assert_eq!(config.operator.resync, Duration::from_mins(5));
    assert_eq!(config.stripe.webhook_secrets.len(), 2);
    assert_eq!(config.hetzner.projects[0].requests_per_hour, 3600);
    assert!(
        config.sweep.dry_run,
        "nothing is deleted unless somebody said so"
    );
}

#[test]
fn five_mistakes_are_named_all_five_each_with_its_key_its_place_and_a_remedy() {
    let (_kept, wrong) = file(
        "instalation = \"prod\"\n\
         [site]\nlisten = \"here\"\n\
         [operator]\nresync = \"5\"\n\
         [stripe]\nlive_mode = \"maybe\"\n",
    );
    let sources = [
        given(LEAST),
        wrong,
        environment(&[("CLAWDET__GUESTS__PORT", "99999")]),
    ];
    let found = problems(&sources);
    let keys: BTreeSet<&str> = found.iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(
        keys,
        BTreeSet::from([
            "instalation",
            "site.listen",
            "operator.resync",
            "stripe.live_mode",
            "guests.port",
        ])
    );
    let said = Problems(found.clone()).to_string();
    for expected in [
        "5 problems",
        "did you mean installation?",
        "line 3): \"here\" is not an address and a port; write an IP address and a port",
        "line 5): \"5\" is not a duration with a unit; write a duration from 1s",
        "line 7): \"maybe\" is neither true nor false; write true or false",
        "guests.port (CLAWDET__GUESTS__PORT): \"99999\" is not such a number; write a number from 1 to 65535",
    ] {
        assert!(said.contains(expected), "{expected}\nis not in\n{said}");
    }
    assert!(found.iter().all(|problem| !problem.remedy.is_empty()));
}

#[test]
fn the_defaults_alone_name_everything_that_must_be_set() {
    let found = problems(&[]);
    let keys: Vec<&str> = found.iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "installation",
            "zone",
            "site.public_url",
            "hetzner.projects[0].name",
            "hetzner.projects[0].token",
            "cloudflare.token",
            "stripe.secret_key",
            "stripe.webhook_secrets",
        ]
    );
    let token = found.iter().find(|p| p.key == "hetzner.projects[0].token");
    let remedy = &token.unwrap().remedy;
    assert!(
        remedy.contains("CLAWDET__HETZNER__PROJECTS__0__TOKEN") && remedy.contains("token_file"),
        "{remedy}"
    );
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
    let (_kept, settings) = file("namespace = \"file\"\n[sweep]\ndry_run = false\n");
    let sources = [
        given(LEAST),
        settings,
        environment(&[
            ("CLAWDET__NAMESPACE", "environment"),
            ("CLAWDET__HETZNER__PROJECTS__0__TOKEN", "other"),
            ("CLAWDET__HETZNER__PROJECTS__1__NAME", "second"),
            ("CLAWDET__HETZNER__PROJECTS__1__TOKEN", "t2"),
            ("CLAWDET__STRIPE__WEBHOOK_SECRETS", "whsec_3, whsec_4"),
            ("CLAWDET_SERVICE_HOST", "10.0.0.1"),
            ("PATH", "/bin"),
        ]),
    ];
    let (config, settings) = Config::explain(&sources).unwrap_or_else(|all| panic!("{all}"));
    assert_eq!(config.namespace, "environment");
    assert!(!config.sweep.dry_run);
    let [first, second] = &config.hetzner.projects[..] else {
        panic!("two projects");
    };
    assert_eq!(first.name.as_str(), "main");
    assert_eq!(first.token.expose_secret(), "other");
    assert_eq!(second.name.as_str(), "second");
    assert_eq!(config.stripe.webhook_secrets[1].expose_secret(), "whsec_4");
    let origin = |key: &str| {
        let setting = settings.iter().find(|setting| setting.key == key);
        setting.map(|setting| setting.origin.clone()).unwrap()
    };
    assert_eq!(origin("namespace"), "CLAWDET__NAMESPACE");
    assert_eq!(origin("site.listen"), "the defaults");
    assert!(origin("sweep.dry_run").ends_with("line 3"));
}

#[test]
fn the_environment_alone_is_enough() {
    let variables = [
        ("CLAWDET__INSTALLATION", "prod"),
        ("CLAWDET__ZONE", "clawdet.example"),
        ("CLAWDET__SITE__PUBLIC_URL", "http://127.0.0.1:8080"),
        ("CLAWDET__HETZNER__PROJECTS__0__NAME", "main"),
        ("CLAWDET__HETZNER__PROJECTS__0__TOKEN", "t"),
        ("CLAWDET__HETZNER__PROJECTS__0__SSH_KEYS", "ops,on call"),
        ("CLAWDET__CLOUDFLARE__TOKEN", "t"),
        ("CLAWDET__STRIPE__SECRET_KEY", "sk_test_1"),
        ("CLAWDET__STRIPE__WEBHOOK_SECRETS", "whsec_1"),
        ("CLAWDET__OPERATOR__IDENTITY", ""),
    ];
    let config = Config::load(&[environment(&variables)]);
    let config = config.unwrap_or_else(|all| panic!("{all}"));
    assert_eq!(config.hetzner.projects[0].ssh_keys, ["ops", "on call"]);
    assert_eq!(config.operator.identity, None, "an empty text is not set");
}

#[test]
fn a_list_in_a_later_source_replaces_the_earlier_one() {
    let sources = [
        given(LEAST),
        given("[[hetzner.projects]]\nname = \"simulated\"\ntoken = \"t\""),
    ];
    let config = Config::load(&sources).unwrap_or_else(|all| panic!("{all}"));
    assert_eq!(config.hetzner.projects.len(), 1);
    assert_eq!(config.hetzner.projects[0].name.as_str(), "simulated");
}

#[test]
fn a_secret_is_read_from_a_file_and_the_later_source_wins() {
    let (kept, _) = file("from-file\n");
    let path = kept.path().display();
    let by_file = given(&format!("[cloudflare]\ntoken_file = \"{path}\""));
    let token = |sources: &[Source]| {
        let config = Config::load(sources).unwrap_or_else(|all| panic!("{all}"));
        config.cloudflare.token.expose_secret().to_owned()
    };
    let least = || given(LEAST);
    assert_eq!(token(&[least(), by_file]), "from-file");
    let by_file = given(&format!("[cloudflare]\ntoken_file = \"{path}\""));
    let later = environment(&[("CLAWDET__CLOUDFLARE__TOKEN", "later")]);
    assert_eq!(token(&[least(), by_file, later]), "later");
    let both = format!("[cloudflare]\ntoken = \"a\"\ntoken_file = \"{path}\"");
    assert!(fault(&both).contains("remove one of the two"));
    let gone = fault("[cloudflare]\ntoken_file = \"/nonexistent/token\"");
    assert!(gone.contains("cannot be read"), "{gone}");
}

#[test]
fn no_problem_and_no_setting_shows_a_secret() {
    let wrong = "[cloudflare]\ntoken = \"canary one\"\n[stripe]\nsecret_key = [\"canary2\", \"canary3\"]\n\
                 webhook_secrets = \"canary 4\"\n[[hetzner.projects]]\nname = \"main\"\ntoken = \"canary\\u0007\"";
    let found = problems(&[given(LEAST), given(wrong)]);
    assert_eq!(found.len(), 4, "{}", Problems(found));
    assert!(!Problems(found).to_string().contains("canary"));

    let (_kept, broken) = file("[cloudflare]\ntoken = \"canary\n");
    let found = problems(&[given(LEAST), broken]);
    let said = Problems(found).to_string();
    assert!(
        said.contains("line 2") && !said.contains("canary"),
        "{said}"
    );

    let (_, settings) = Config::explain(&[given(LEAST)]).unwrap_or_else(|all| panic!("{all}"));
    let shown = format!("{settings:?}");
    for secret in ["hetzner-token", "cloudflare-token", "sk_test_1", "whsec_1"] {
        assert!(!shown.contains(secret), "{secret}");
    }
    assert!(
        shown.contains("\"cloudflare.token\", shown: \"(set)\""),
        "{shown}"
    );
}

#[test]
fn what_cannot_go_together_is_refused() {
    let check = |text: &str, expected: &str| {
        let said = fault(text);
        assert!(said.contains(expected), "{text}: {said}");
    };
    check("[stripe]\nlive_mode = true", "the other mode");
    check(
        "[site]\npublic_url = \"http://clawdet.example\"",
        "is not encrypted",
    );
    check(
        "[site]\npublic_url = \"https://clawdet.example/shop\"",
        "more than a host",
    );
    check(
        "[hetzner]\nurl = \"http://hetzner.example\"",
        "is not encrypted",
    );
    check("[operator]\nbackoff_min = \"5m\"", "backoff_max");
    check(
        "[store]\nurl = \"postgres://db\"",
        "a database this version does not know",
    );
    check("[telemetry]\nfilter = \"info,=\"", "not a filter");
    check("site = 5", "is a group of settings");
    check("[hetzner]\nprojects = 1", "is a list of groups");
    check("[zone]\nname = \"x\"", "is one value");
    let twice = "[[hetzner.projects]]\nname = \"a\"\ntoken = \"t\"\n[[hetzner.projects]]\nname = \"a\"\ntoken = \"t\"";
    check(twice, "hetzner.projects[1].name");
}

#[test]
fn an_unknown_setting_is_refused_with_what_was_probably_meant() {
    let check = |text: &str, key: &str, expected: &str| {
        let said = fault(text);
        assert!(said.starts_with(key) && said.contains(expected), "{said}");
    };
    check(
        "[operator]\nresnyc = \"5m\"",
        "operator.resnyc ",
        "operator.resync?",
    );
    check("dry_run = false", "dry_run ", "sweep.dry_run?");
    check("[vault]\nurl = \"x\"\ntoken = \"y\"", "vault ", "remove it");
    let found = problems(&[given(LEAST), environment(&[("CLAWDET__SITE_LISTEN", "x")])]);
    assert_eq!(found[0].key, "site_listen");
    assert!(found[0].remedy.contains("site.listen"), "{}", found[0]);
}

#[test]
fn a_file_that_is_missing_or_not_toml_is_named_with_its_line() {
    let missing = problems(&[Source::File("/nonexistent/clawdet.toml".into())]);
    assert_eq!(missing.len(), 1);
    assert!(missing[0].to_string().contains("/nonexistent/clawdet.toml"));
    let (_kept, broken) = file("zone = \"a.example\"\nnamespace = \n[site\n");
    let found = problems(&[broken]);
    assert!(found.iter().any(|p| p.to_string().contains("line 2")));
    assert!(found.iter().any(|p| p.to_string().contains("line 3")));
}

/// The default file with every commented-out setting switched on.
fn every_setting_written() -> String {
    let mut text = String::new();
    for line in source::DEFAULTS.lines() {
        let switched_on = line
            .strip_prefix('#')
            .filter(|rest| !rest.is_empty() && !rest.starts_with(' '));
        text.push_str(switched_on.unwrap_or(line));
        text.push('\n');
    }
    text
}

fn leaves(value: &toml::Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                let dot = if path.is_empty() { "" } else { "." };
                leaves(value, &format!("{path}{dot}{key}"), found);
            }
        }
        toml::Value::Array(items) if items.iter().all(toml::Value::is_table) => {
            for item in items {
                leaves(item, &format!("{path}[]"), found);
            }
        }
        _ => {
            found.insert(path.to_owned());
        }
    }
}

#[test]
fn the_default_file_lists_every_setting_there_is_and_no_other() {
    let written: toml::Table = every_setting_written().parse().unwrap();
    let mut listed = BTreeSet::new();
    leaves(&toml::Value::Table(written), "", &mut listed);
    let all = source::merge(&[]).map_err(Problems);
    let all = all.unwrap_or_else(|all| panic!("{all}"));
    let log = reader::Log::default();
    let _ = sections::config(&reader::Section::root(&all, &log));
    assert_eq!(listed, log.asked.into_inner());
}

#[test]
fn every_setting_in_the_default_file_is_explained_by_a_sentence() {
    let mut before = "";
    for line in source::DEFAULTS.lines() {
        let is_setting = !line.starts_with("# ") && line.contains(" = ");
        if is_setting {
            assert!(before.starts_with("# ") && before.ends_with('.'), "{line}");
        }
        before = line;
    }
}

#[test]
fn the_example_in_the_guide_is_all_that_is_needed() {
    let guide = include_str!("../../docs/guide/configure.md");
    let (_, rest) = guide.split_once("```toml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let keys: Vec<String> = problems(&[given(example)])
        .into_iter()
        .map(|problem| format!("{} {}", problem.key, problem.what))
        .collect();
    // The files are not on this machine; nothing else is missing.
    assert_eq!(keys.len(), 4, "{keys:?}");
    assert!(
        keys.iter().all(|key| key.contains("_file names a file")),
        "{keys:?}"
    );
}
