//! A server's measured load: invented, but always the same for the same server, series and moment. Which moments are
//! answered follows the documented rules for period and step.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{refusal::Refusal, servers};
use crate::{
    call::{self, Answer, Asked, Turn},
    clock::{DAY, SECOND},
    table::draw,
};

/// Samples without a step of the caller's, and with one.
const SAMPLES: i64 = 200;
const MOST_SAMPLES: i64 = 500;
/// How long samples are kept, in seconds.
const KEPT: i64 = 30 * DAY / SECOND;

/// A series and the most that is measured, in its documented unit: percent, operations, packets or bytes a second.
type Series = (&'static str, u64);

const CPU: &[Series] = &[("cpu", 40)];
const DISK: &[Series] = &[
    ("disk.0.iops.read", 200),
    ("disk.0.iops.write", 400),
    ("disk.0.bandwidth.read", 8_000_000),
    ("disk.0.bandwidth.write", 16_000_000),
];
const NETWORK: &[Series] = &[
    ("network.0.pps.in", 3_000),
    ("network.0.pps.out", 3_000),
    ("network.0.bandwidth.in", 4_000_000),
    ("network.0.bandwidth.out", 4_000_000),
];

/// `GET /servers/{id}/metrics`.
pub(super) fn get(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let id = servers::known(turn, project, asked)?;
    let created = turn
        .state
        .hetzner
        .servers
        .get(&id)
        .map_or(0, |server| server.created);
    let wanted = wanted(asked)?;
    let (start, end) = (moment(asked, "start")?, moment(asked, "end")?);
    let span = end.as_second() - start.as_second();
    if span <= 0 {
        return Err(Refusal::invalid("end", "must be after start"));
    }
    let step = step(asked, span)?;
    let now = turn.stamp(turn.now).as_second();
    let first = turn.stamp(created).as_second().max(now - KEPT);
    let moments: Vec<i64> = (0..=span / step)
        .map(|n| start.as_second() + n * step)
        .filter(|at| (first..=now).contains(at))
        .collect();
    let sampled = |(name, most): &Series| {
        let values: Vec<Value> = moments
            .iter()
            .map(|at| json!([at, sample(turn.options.seed, id, (name, *most), *at)]))
            .collect();
        ((*name).to_owned(), json!({ "values": values }))
    };
    let series: Map<String, Value> = wanted.into_iter().flatten().map(sampled).collect();
    let metrics = json!({ "start": start, "end": end, "step": step, "time_series": series });
    Ok(call::json(StatusCode::OK, &json!({ "metrics": metrics })))
}

/// The series of each type that is asked for, in one value or several.
fn wanted(asked: &Asked) -> Result<Vec<&'static [Series]>, Refusal> {
    let types: Vec<&str> = asked
        .query_values("type")
        .flat_map(|types| types.split(','))
        .collect();
    if types.is_empty() {
        return Err(Refusal::invalid("type", "must be given"));
    }
    let series = |name: &str| match name {
        "cpu" => Ok(CPU),
        "disk" => Ok(DISK),
        "network" => Ok(NETWORK),
        _ => Err(Refusal::invalid("type", "must be cpu, disk or network")),
    };
    types.into_iter().map(series).collect()
}

fn moment(asked: &Asked, name: &str) -> Result<Timestamp, Refusal> {
    let given = asked.query_value(name).unwrap_or_default();
    given
        .parse()
        .map_err(|_| Refusal::invalid(name, "must be a time in RFC 3339"))
}

/// Seconds between samples: as asked for, but never so few that there are too many samples.
fn step(asked: &Asked, span: i64) -> Result<i64, Refusal> {
    let Some(given) = asked.query_value("step") else {
        return Ok(spread(span, SAMPLES));
    };
    match given.parse::<i64>() {
        Ok(step) if step >= 1 => Ok(step.max(spread(span, MOST_SAMPLES))),
        Ok(_) | Err(_) => Err(Refusal::invalid("step", "must be a number of at least 1")),
    }
}

/// The smallest step at which a span has at most so many samples, both ends counted.
fn spread(span: i64, samples: i64) -> i64 {
    span / samples + 1
}

fn sample(seed: u64, server: u64, (name, most): (&str, u64), at: i64) -> String {
    let drawn = draw(seed, &format!("metrics/{server}/{name}"), at.unsigned_abs());
    let thousandths = drawn % (most * 1_000);
    format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000)
}
