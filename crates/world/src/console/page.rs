//! The page as HTML, whole or only its lively part. What is on it is decided in `timeline`; the tables below it are filled by
//! the page's script from JSON.

use askama::Template;
use jiff::Timestamp;

use super::timeline::{Happening, Seen, Thing, Wanted, seen};
use crate::call::Api;
use crate::calls::{Call, Struck};
use crate::history::Outcome;
use crate::world::World;

/// An answer that took longer is worth a second look, in milliseconds.
const SLOW: u64 = 1_000;

/// Letters of an id in the list of calls.
const SHORT_ID: usize = 16;

#[derive(Template)]
#[template(path = "console.html")]
struct Page {
    now: String,
    clock: String,
    speed: f64,
    seed: u64,
    zone: String,
    live: String,
}

#[derive(Template)]
#[template(path = "live.html")]
struct Live {
    chips: Vec<Chip>,
    following: Option<Following>,
    happenings: Vec<Line>,
    calls: Vec<CallLine>,
}

/// A choice of API.
struct Chip {
    id: &'static str,
    word: &'static str,
    href: String,
    chosen: bool,
}

struct Following {
    kind: String,
    name: String,
    others: usize,
    stop: String,
}

struct Link {
    kind: String,
    name: String,
    href: String,
}

struct Answered {
    text: String,
    mood: &'static str,
}

struct Line {
    key: String,
    phase: &'static str,
    at: Timestamp,
    clock: String,
    thing: Option<Link>,
    what: String,
    faults: Vec<String>,
    api: &'static str,
    by: String,
    answer: Answered,
    latency: String,
}

struct CallLine {
    key: u64,
    at: Timestamp,
    clock: String,
    api: &'static str,
    endpoint: String,
    target: Option<Link>,
    faults: Vec<String>,
    answer: Answered,
    latency: String,
}

/// The whole page.
pub(super) fn whole(world: &World, wanted: &Wanted) -> Result<String, askama::Error> {
    let options = world.options();
    let now = world.clock().stamp(world.clock().now());
    let page = Page {
        now: format!("{now:.0}"),
        clock: clock(now),
        speed: options.speed,
        seed: options.seed,
        zone: options.zone.clone(),
        live: live(world, wanted)?,
    };
    page.render()
}

/// The part that changes with every call.
pub(super) fn live(world: &World, wanted: &Wanted) -> Result<String, askama::Error> {
    let Seen {
        happenings,
        calls,
        followed,
        family,
    } = seen(world, wanted);
    let following = (!wanted.follow.is_empty()).then(|| Following {
        kind: followed
            .as_ref()
            .map_or_else(String::new, |thing| thing.kind.clone()),
        name: followed.map_or_else(|| wanted.follow.clone(), |thing| thing.name),
        others: family.saturating_sub(1),
        stop: href("", &wanted.api),
    });
    let live = Live {
        chips: chips(wanted),
        following,
        happenings: happenings
            .into_iter()
            .map(|one| line(one, wanted))
            .collect(),
        calls: calls
            .into_iter()
            .map(|call| call_line(call, wanted))
            .collect(),
    };
    live.render()
}

fn chips(wanted: &Wanted) -> Vec<Chip> {
    let chip = |name: &'static str, word| Chip {
        id: if name.is_empty() { "all" } else { name },
        word,
        href: href(&wanted.follow, name),
        chosen: wanted.api == name,
    };
    let mut chips = vec![chip("", "Everything")];
    chips.extend(Api::ALL.map(|api| chip(api.name(), title(api))));
    chips
}

fn title(api: Api) -> &'static str {
    match api {
        Api::Hetzner => "Hetzner",
        Api::Cloudflare => "Cloudflare",
        Api::Stripe => "Stripe",
        Api::Guests => "Guests",
        Api::Console => "Console",
    }
}

/// The page that shows just this.
fn href(follow: &str, api: &str) -> String {
    let pairs: Vec<(&str, &str)> = [("follow", follow), ("api", api)]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect();
    // Pairs of text always have such a form.
    let query = serde_urlencoded::to_string(pairs).unwrap_or_default();
    format!("/?{query}")
}

fn line(happening: Happening, wanted: &Wanted) -> Line {
    let by = match happening.endpoint {
        endpoint if endpoint == happening.what => "by hand".to_owned(),
        endpoint if endpoint == happening.caller => endpoint,
        endpoint => format!("{endpoint} by {}", happening.caller),
    };
    Line {
        key: happening.key,
        phase: happening.phase,
        at: happening.at,
        clock: clock(happening.at),
        thing: happening.thing.map(|thing| link(thing, wanted)),
        what: happening.what,
        faults: faults(&happening.struck),
        api: happening.api.name(),
        by,
        answer: happening.outcome.map_or_else(nothing, answered),
        latency: happening.milliseconds.map(latency).unwrap_or_default(),
    }
}

fn call_line(call: Call, wanted: &Wanted) -> CallLine {
    let is_order = call.api == Api::Console;
    CallLine {
        key: call.sequence,
        at: call.at,
        clock: clock(call.at),
        api: call.api.name(),
        endpoint: call.endpoint,
        target: call.target.map(|id| Link {
            kind: String::new(),
            href: href(&id, &wanted.api),
            name: shortened(id),
        }),
        faults: faults(&call.struck),
        answer: if is_order {
            nothing()
        } else {
            answered(call.outcome)
        },
        latency: if is_order {
            String::new()
        } else {
            latency(call.milliseconds)
        },
    }
}

/// An id that is read by nobody is only told apart by its beginning.
fn shortened(id: String) -> String {
    match id.char_indices().nth(SHORT_ID) {
        Some((end, _)) => format!("{}…", &id[..end]),
        None => id,
    }
}

fn link(thing: Thing, wanted: &Wanted) -> Link {
    Link {
        href: href(&thing.id, &wanted.api),
        kind: thing.kind,
        name: thing.name,
    }
}

fn faults(struck: &[Struck]) -> Vec<String> {
    struck.iter().map(|one| one.word()).collect()
}

fn nothing() -> Answered {
    Answered {
        text: String::new(),
        mood: "",
    }
}

fn answered(outcome: Outcome) -> Answered {
    let (text, mood) = match outcome {
        Outcome::Lost => ("lost".to_owned(), "bad"),
        Outcome::Answered(status) => {
            let mood = match status {
                500.. => "bad",
                400..=499 => "warn",
                0..=399 => "good",
            };
            (status.to_string(), mood)
        }
    };
    Answered { text, mood }
}

fn latency(milliseconds: u64) -> String {
    if milliseconds < SLOW {
        return format!("{milliseconds} ms");
    }
    format!("{}.{} s", milliseconds / 1_000, milliseconds % 1_000 / 100)
}

/// Month, day and time of day, to the second.
fn clock(at: Timestamp) -> String {
    at.strftime("%m-%d %H:%M:%S").to_string()
}
