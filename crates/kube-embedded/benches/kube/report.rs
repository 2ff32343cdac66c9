//! What was measured on both sides beside what it should be, for a person and for a program.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::{Map, json};

pub(super) struct Report {
    pub figures: Vec<Figure>,
}

/// One thing that was measured.
pub(super) struct Figure {
    /// The key in the JSON.
    key: Cow<'static, str>,
    what: String,
    ours: f64,
    real: Option<f64>,
    unit: &'static str,
    goal: Goal,
}

/// What a figure is to be.
enum Goal {
    None,
    /// Ours.
    AtMost(f64),
    /// Ours by the real one's.
    ShareAtMost(f64),
    /// Ours by the real one's.
    TimesAtLeast(f64),
}

impl Figure {
    /// The medians of what was measured on each side.
    pub(super) fn of(
        key: &'static str,
        what: impl Into<String>,
        ours: Vec<f64>,
        real: Vec<f64>,
        unit: &'static str,
    ) -> Self {
        Self {
            key: key.into(),
            what: what.into(),
            ours: quantile(ours, 0.5).unwrap_or_default(),
            real: quantile(real, 0.5),
            unit,
            goal: Goal::None,
        }
    }

    /// What only this server was asked for.
    pub(super) fn alone(
        key: impl Into<Cow<'static, str>>,
        what: impl Into<String>,
        value: f64,
        unit: &'static str,
    ) -> Self {
        Self {
            key: key.into(),
            what: what.into(),
            ours: value,
            real: None,
            unit,
            goal: Goal::None,
        }
    }

    pub(super) fn at_most(self, most: f64) -> Self {
        Self {
            goal: Goal::AtMost(most),
            ..self
        }
    }

    pub(super) fn share_at_most(self, share: f64) -> Self {
        Self {
            goal: Goal::ShareAtMost(share),
            ..self
        }
    }

    pub(super) fn times_at_least(self, times: f64) -> Self {
        Self {
            goal: Goal::TimesAtLeast(times),
            ..self
        }
    }

    fn ratio(&self) -> Option<f64> {
        Some(self.ours / self.real?)
    }

    /// None without a goal, or without the other side to judge by.
    fn is_met(&self) -> Option<bool> {
        match self.goal {
            Goal::None => None,
            Goal::AtMost(most) => Some(self.ours <= most),
            Goal::ShareAtMost(share) => Some(self.ratio()? <= share),
            Goal::TimesAtLeast(times) => Some(self.ratio()? >= times),
        }
    }

    fn wish(&self) -> String {
        match self.goal {
            Goal::None => String::new(),
            Goal::AtMost(most) => format!("≤ {}", figure(most)),
            Goal::ShareAtMost(share) => format!("≤ {} ×", figure(share)),
            Goal::TimesAtLeast(times) => format!("≥ {} ×", figure(times)),
        }
    }
}

impl Report {
    /// The goals that were missed, as a person would say it.
    pub(super) fn missed(&self) -> Vec<String> {
        let missed = self
            .figures
            .iter()
            .filter(|one| one.is_met() == Some(false));
        missed
            .map(|one| {
                let ratio = one.ratio().map(|ratio| format!(", {ratio:.2} ×"));
                let ratio = ratio.unwrap_or_default();
                format!(
                    "{}: {} {}{ratio}, to be {}",
                    one.what,
                    figure(one.ours),
                    one.unit,
                    one.wish()
                )
            })
            .collect()
    }

    pub(super) fn table(&self) -> String {
        let longest = self
            .figures
            .iter()
            .map(|one| one.what.chars().count())
            .max();
        let width = longest.unwrap_or_default();
        let mut table = format!(
            "{:<width$}  {:>9} {:>9} {:<4} {:>8}\n",
            "", "ours", "real", "", "ratio"
        );
        for one in &self.figures {
            let real = one.real.map(figure).unwrap_or_default();
            let ratio = one
                .ratio()
                .map(|ratio| format!("{ratio:.2} ×"))
                .unwrap_or_default();
            let mark = match one.is_met() {
                Some(true) => "✓",
                Some(false) => "✗",
                None => "",
            };
            let line = format!(
                "{:<width$}  {:>9} {real:>9} {:<4} {ratio:>8}  {mark} {}",
                one.what,
                figure(one.ours),
                one.unit,
                one.wish(),
            );
            // Writing to a String cannot fail.
            let _ = writeln!(table, "{}", line.trim_end());
        }
        table
    }

    /// Everything in one line.
    pub(super) fn json(&self) -> String {
        let mut told = Map::new();
        for one in &self.figures {
            let mut said = json!({ "ours": one.ours, "unit": one.unit });
            if let (Some(real), Some(ratio)) = (one.real, one.ratio()) {
                said["real"] = json!(real);
                said["ratio"] = json!(ratio);
            }
            if let Some(met) = one.is_met() {
                said["goal"] = json!(one.wish());
                said["met"] = json!(met);
            }
            told.insert(one.key.to_string(), said);
        }
        json!({
            "bench": "kube",
            "figures": told,
            "met": self.missed().is_empty(),
        })
        .to_string()
    }
}

/// The value that this part of them do not exceed; None of nothing.
pub(super) fn quantile(mut values: Vec<f64>, part: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place in a list, rounded"
    )]
    let place = (part * values.len().saturating_sub(1) as f64).round() as usize;
    values.get(place).copied()
}

/// With as many places as say something.
fn figure(value: f64) -> String {
    if value.fract().abs() < 1e-9 || value >= 1000.0 {
        format!("{value:.0}")
    } else if value < 10.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.1}")
    }
}
