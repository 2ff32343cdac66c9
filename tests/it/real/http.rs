//! HTTP as a browser without JavaScript does it: pages, and the forms on them.

use std::time::Duration;

use reqwest::redirect::Policy;

/// A client that gives up after a while and shows redirects instead of following them.
pub(super) fn client() -> reqwest::Client {
    // Another test may have chosen it already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .timeout(Duration::from_secs(20))
        .redirect(Policy::none())
        .build()
        .unwrap()
}

/// A form on a page, as it would be sent if a person touched nothing.
pub(super) struct Form {
    /// Where it is sent to, as written.
    pub(super) action: String,
    pub(super) fields: Vec<(String, String)>,
}

impl Form {
    /// The first form of a page that has a field of that name.
    pub(super) fn with_field(page: &str, name: &str) -> Option<Form> {
        page.split("<form")
            .skip(1)
            .map(|rest| Form::read(rest.split("</form").next().unwrap_or_default()))
            .find(|form| form.fields.iter().any(|(field, _)| field == name))
    }

    fn read(text: &str) -> Form {
        let mut fields: Vec<(String, String)> = Vec::new();
        let mut choice = None;
        for tag in text.split('<').skip(1) {
            let (kind, _) = tag.split_once([' ', '>', '\n']).unwrap_or((tag, ""));
            let name = attribute(tag, "name");
            let value = attribute(tag, "value").unwrap_or_default();
            match (kind, name) {
                ("input", Some(name)) => {
                    let seen = fields.iter_mut().find(|(field, _)| *field == name);
                    match seen {
                        Some((_, first)) if tag.contains(" checked") => *first = value,
                        Some(_) => {}
                        None => fields.push((name, value)),
                    }
                }
                ("textarea", Some(name)) => fields.push((name, String::new())),
                ("select", name) => choice = name,
                ("option", _) => {
                    if let Some(name) = choice.take() {
                        fields.push((name, value));
                    }
                }
                _ => {}
            }
        }
        let head = text.split('>').next().unwrap_or_default();
        Form {
            action: attribute(head, "action").unwrap_or_default(),
            fields,
        }
    }

    /// Types into a field.
    ///
    /// # Panics
    /// When the form has no such field.
    pub(super) fn fill(mut self, name: &str, value: &str) -> Form {
        let field = self.fields.iter_mut().find(|(field, _)| field == name);
        let (_, old) = field.unwrap_or_else(|| panic!("the form has no field {name}"));
        value.clone_into(old);
        self
    }
}

/// `value` of `name="value"` in a tag.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let tag = tag.split('>').next()?;
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let value = rest.split('"').next()?;
    Some(value.replace("&#38;", "&").replace("&amp;", "&"))
}

#[test]
fn a_form_is_read_as_it_would_be_sent() {
    let page = r#"<form action="/other"><input name="q"></form>
        <form method="post" action="/checkout?a=1&amp;b=2">
        <input type="hidden" name="token" value="t">
        <input type="radio" name="plan" value="basic"><input type="radio" name="plan" value="pro" checked>
        <select name="country"><option value="de">Germany</option><option value="fr">France</option></select>
        <input name="subdomain" required></form>"#;
    let form = Form::with_field(page, "subdomain")
        .unwrap()
        .fill("subdomain", "ada");
    assert_eq!(form.action, "/checkout?a=1&b=2");
    let expected = [
        ("token", "t"),
        ("plan", "pro"),
        ("country", "de"),
        ("subdomain", "ada"),
    ];
    assert_eq!(
        form.fields,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    assert!(Form::with_field(page, "nothing").is_none());
}
