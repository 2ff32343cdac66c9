//! The order of the measurements: both sides in turns, so that whatever else the machine does meets both.

use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::report::{Figure, Report};
use super::side::{Real, Side};
use super::work::{self, Watchers, boats, count};
use super::{Asked, say};

/// Turns each side takes at everything; the median counts.
const TURNS: u32 = 5;
/// Objects that requests for one object are spread over, and that a list is of.
const STOCK: u64 = 1000;
const SMALLEST: u64 = 100;
/// At once, where several ask.
const WORKERS: u64 = 32;

pub(super) async fn run(asked: &Asked) -> Result<Report> {
    say("starting");
    let real = match (&asked.apiserver, &asked.etcd) {
        (Some(apiserver), Some(etcd)) => Some(Real { apiserver, etcd }),
        _ => None,
    };
    let mut figures = starts(real.as_ref()).await?;
    let ours = Side::ours().await?;
    let real = match &real {
        Some(programs) => Some(Side::real(programs).await?),
        None => None,
    };
    let sides = Sides { ours, real };
    figures.push(sides.memory("memory_start", "memory after the start")?);
    let many = asked.objects / 10;
    for side in sides.all() {
        work::define(&side.client).await?;
        work::make_namespace(&side.client, "crowd").await?;
        work::fill(&side.client, "crowd", 0, many).await?;
    }
    let what = format!("memory with {many} objects");
    figures.push(sides.memory("memory_full", what)?);
    for side in sides.all() {
        for namespace in ["stock", "one", "many", "fan"] {
            work::make_namespace(&side.client, namespace).await?;
        }
        work::fill(&side.client, "stock", 0, STOCK).await?;
        work::fill(&side.client, "fan", 0, 1).await?;
    }
    let turn = Duration::from_secs(asked.seconds) / TURNS;
    figures.extend(sides.rates(turn).await?);
    figures.extend(sides.fan_out(turn).await?);
    drop(sides);
    figures.extend(growth(asked, turn).await?);
    Ok(Report { figures })
}

/// The time each needs to start with nothing.
async fn starts(real: Option<&Real<'_>>) -> Result<Vec<Figure>> {
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    for _ in 0..TURNS {
        ours.push(Side::ours().await?.start.as_secs_f64() * 1000.0);
    }
    // It takes seconds; once is told well enough.
    if let Some(programs) = real {
        theirs.push(Side::real(programs).await?.start.as_secs_f64() * 1000.0);
    }
    let what = "start until /readyz is answered";
    let figure = Figure::of("start", what, ours, theirs, "ms");
    Ok(vec![figure.at_most(100.0)])
}

struct Sides {
    ours: Side,
    real: Option<Side>,
}

impl Sides {
    fn all(&self) -> impl Iterator<Item = &Side> {
        std::iter::once(&self.ours).chain(&self.real)
    }

    /// What `measure` measures, by turns.
    async fn measure(&self, measure: impl AsyncFn(&Side) -> Result<f64>) -> Result<[Vec<f64>; 2]> {
        let mut measured = [Vec::new(), Vec::new()];
        for _ in 0..TURNS {
            for (side, values) in self.all().zip(&mut measured) {
                values.push(measure(side).await?);
            }
        }
        Ok(measured)
    }

    fn memory(&self, key: &'static str, what: impl Into<String>) -> Result<Figure> {
        let mebibytes = |side: &Side| {
            side.resident()
                .map(|bytes| count(bytes) / f64::from(1 << 20))
        };
        let ours = mebibytes(&self.ours)?;
        let theirs = self.real.as_ref().map(mebibytes).transpose()?;
        let theirs = theirs.into_iter().collect();
        Ok(Figure::of(key, what, vec![ours], theirs, "MiB").share_at_most(0.1))
    }

    async fn rates(&self, turn: Duration) -> Result<Vec<Figure>> {
        let next = AtomicU64::new(0);
        let in_stock = |number: u64| format!("{}/b{}", boats("stock"), number % STOCK);
        let mut figures = Vec::new();
        let mut told = |key, what: &str, [ours, theirs]: [Vec<f64>; 2]| {
            say(what);
            figures.push(Figure::of(key, what, ours, theirs, "/s").times_at_least(3.0));
        };
        for (key, what, workers, namespace) in [
            ("create_one", "create, one after the other", 1, "one"),
            ("create_many", "create, 32 at a time", WORKERS, "many"),
        ] {
            let measured = self.measure(async |side| {
                work::rate(workers, turn, &next, async |number| {
                    let create = work::create(namespace, &format!("b{number}"))?;
                    side.client.request_text(create).await?;
                    Ok(true)
                })
                .await
            });
            told(key, what, measured.await?);
        }
        let plain =
            async |side: &Side, workers, ask: &dyn Fn(u64) -> Result<http::Request<Vec<u8>>>| {
                work::rate(workers, turn, &next, async |number| {
                    side.client.request_text(ask(number)?).await?;
                    Ok(true)
                })
                .await
            };
        let get = |number| work::get(&in_stock(number));
        let list = |_| work::get(&boats("stock"));
        let patch = |number| work::patch(&in_stock(number), number);
        let apply = |number| work::apply("stock", &format!("b{}", number % STOCK), number);
        told(
            "get",
            "get, 32 at a time",
            self.measure(async |side| plain(side, WORKERS, &get).await)
                .await?,
        );
        told(
            "list",
            "list 1,000, 4 at a time",
            self.measure(async |side| plain(side, 4, &list).await)
                .await?,
        );
        told(
            "patch",
            "merge patch, 32 at a time",
            self.measure(async |side| plain(side, WORKERS, &patch).await)
                .await?,
        );
        told(
            "apply",
            "server-side apply, 32 at a time",
            self.measure(async |side| plain(side, WORKERS, &apply).await)
                .await?,
        );
        let measured = self.measure(async |side| {
            work::rate(WORKERS, turn, &next, async |number| {
                work::update(&side.client, &in_stock(number), number).await?;
                Ok(true)
            })
            .await
        });
        told("update", "get and update, 32 at a time", measured.await?);
        told("delete", "delete, 32 at a time", self.deletes(turn).await?);
        Ok(figures)
    }

    /// Every turn deletes what was made for it.
    async fn deletes(&self, turn: Duration) -> Result<[Vec<f64>; 2]> {
        self.measure(async |side| {
            work::fill(&side.client, "one", 1 << 40, (1 << 40) + STOCK).await?;
            let next = AtomicU64::new(1 << 40);
            work::rate(
                WORKERS,
                turn.max(Duration::from_secs(30)),
                &next,
                async |number| {
                    if number >= (1 << 40) + STOCK {
                        return Ok(false);
                    }
                    let path = format!("{}/b{number}", boats("one"));
                    side.client.request_text(work::delete(&path)?).await?;
                    Ok(true)
                },
            )
            .await
        })
        .await
    }

    async fn fan_out(&self, turn: Duration) -> Result<Vec<Figure>> {
        say("watch");
        let mut rates = [Vec::new(), Vec::new()];
        let mut latencies = [Vec::new(), Vec::new()];
        let path = format!("{}/b0", boats("fan"));
        for round in 0..TURNS {
            for (at, side) in self.all().enumerate() {
                let mut watchers = Watchers::start(&side.client, "fan").await?;
                let turns = AtomicU64::new(u64::from(round));
                let begun = Instant::now();
                let change = async || {
                    let number = turns.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    side.client
                        .request_text(work::patch(&path, number)?)
                        .await?;
                    Ok(())
                };
                let seen = watchers.latencies(turn, change).await?;
                rates[at].push(count(seen.len() as u64) / begun.elapsed().as_secs_f64());
                latencies[at].extend(seen.iter().map(|seen| seen.as_secs_f64() * 1000.0));
            }
        }
        let quantile = |part: f64| {
            latencies
                .clone()
                .map(|values| super::report::quantile(values, part))
        };
        let [ours, theirs] = rates;
        let mut figures = vec![
            Figure::of("watch", "changes seen by 100 watchers", ours, theirs, "/s")
                .times_at_least(3.0),
        ];
        for (key, what, part) in [
            ("watch_p50", "from a change to its sight, half of them", 0.5),
            ("watch_p99", "from a change to its sight, 99 of 100", 0.99),
        ] {
            let [ours, theirs] = quantile(part).map(|value| value.into_iter().collect());
            figures.push(Figure::of(key, what, ours, theirs, "ms"));
        }
        Ok(figures)
    }
}

/// What a write costs this server as it grows.
async fn growth(asked: &Asked, turn: Duration) -> Result<Vec<Figure>> {
    let side = Side::ours().await?;
    work::define(&side.client).await?;
    work::make_namespace(&side.client, "growing").await?;
    let mut figures = Vec::new();
    let mut first = None;
    let (mut have, mut size) = (0, SMALLEST);
    while size <= asked.objects {
        say(&format!("a write among {size} objects"));
        work::fill(&side.client, "growing", have, size).await?;
        let next = AtomicU64::new(0);
        let before = side.processor_time()?;
        let begun = Instant::now();
        let rate = work::rate(WORKERS, turn * TURNS, &next, async |number| {
            // A stride that meets them all, and not in their order.
            let path = format!("{}/b{}", boats("growing"), number * 7919 % size);
            side.client
                .request_text(work::patch(&path, number)?)
                .await?;
            Ok(true)
        })
        .await?;
        let writes = rate * begun.elapsed().as_secs_f64();
        let spent = side.processor_time()?.saturating_sub(before);
        let processor = spent.as_secs_f64() * 1e6 / writes;
        let first = *first.get_or_insert(processor);
        let what = format!("processor time of a write among {size} objects");
        figures.push(
            Figure::alone(format!("write_{size}"), what, processor, "µs").at_most(first * 1.5),
        );
        let what = format!("writes among {size} objects");
        figures.push(Figure::alone(format!("writes_{size}"), what, rate, "/s"));
        have = size;
        size *= 10;
    }
    let start = side.again().await?.start.as_secs_f64() * 1000.0;
    let what = format!("start with {have} objects until /readyz is answered");
    figures.push(Figure::alone("start_full", what, start, "ms"));
    Ok(figures)
}
