//! The pages as data: what each template is given, in words and never in our own types. It decides nothing.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};

use super::Site;
use super::progress::Step;

/// What stands around every page.
#[derive(Clone)]
pub(super) struct Chrome {
    /// No real money is taken here.
    pub(super) test_mode: bool,
}

impl Chrome {
    pub(super) fn of(site: &Site) -> Self {
        Self {
            test_mode: !site.live_mode,
        }
    }
}

pub(super) fn page(template: &impl Template) -> Result<Response, askama::Error> {
    Ok(Html(template.render()?).into_response())
}

#[derive(Template)]
#[template(path = "landing.html")]
pub(super) struct LandingPage<'a> {
    pub(super) chrome: Chrome,
    pub(super) zone: &'a str,
    pub(super) plans: Vec<PlanCard>,
    /// Offered only when there is more than one.
    pub(super) intervals: Vec<IntervalChoice>,
    pub(super) subdomain: &'a str,
    pub(super) display_name: &'a str,
    /// Makes a form sent twice one order.
    pub(super) order: String,
    pub(super) faults: &'a Faults,
}

pub(super) struct PlanCard {
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) description: Option<String>,
    pub(super) prices: Vec<String>,
    pub(super) chosen: bool,
}

pub(super) struct IntervalChoice {
    pub(super) value: &'static str,
    pub(super) label: &'static str,
    pub(super) chosen: bool,
}

/// What is wrong with what was entered, at the field it is wrong with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Faults {
    pub(super) plan: Option<String>,
    pub(super) subdomain: Option<String>,
    pub(super) display_name: Option<String>,
    /// Not the fault of a field: the payment provider did not take the order.
    pub(super) form: Option<&'static str>,
}

impl Faults {
    pub(super) fn any(&self) -> bool {
        self.in_fields() || self.form.is_some()
    }

    pub(super) fn in_fields(&self) -> bool {
        self.plan.is_some() || self.subdomain.is_some() || self.display_name.is_some()
    }
}

#[derive(Template)]
#[template(path = "cancelled.html")]
pub(super) struct CancelledPage {
    pub(super) chrome: Chrome,
    /// Leads back to the form as it was filled in.
    pub(super) back: String,
}

#[derive(Template)]
#[template(path = "done.html")]
pub(super) struct DonePage<'a> {
    pub(super) chrome: Chrome,
    pub(super) steps: Vec<Step>,
    /// Where the assistant answers, once it does.
    pub(super) url: Option<&'a str>,
    /// One word for support, when a person has to help.
    pub(super) stuck: Option<&'a str>,
    /// This page's own address, for those who look again by hand.
    pub(super) again: String,
}

impl DonePage<'_> {
    /// Whether looking again can show anything new.
    pub(super) fn settled(&self) -> bool {
        self.url.is_some()
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
pub(super) struct ProblemPage<'a> {
    pub(super) chrome: &'a Chrome,
    pub(super) title: &'a str,
    pub(super) advice: &'a str,
    pub(super) request_id: &'a str,
}
