//! Which of two API versions is preferred. Source: "Version priority" in Kubernetes' CRD documentation.

use std::cmp::Ordering;

/// How early a group is listed. Source: the priorities in Kubernetes' `pkg/controlplane/apiserver/apis.go`; groups of
/// definitions have all the same.
pub(super) fn of_group(group: &str) -> u16 {
    match group {
        "" => 18000,
        "events.k8s.io" => 17750,
        "authentication.k8s.io" => 17700,
        "authorization.k8s.io" => 17600,
        "autoscaling" => 17500,
        "rbac.authorization.k8s.io" => 17000,
        "apiextensions.k8s.io" => 16700,
        "coordination.k8s.io" => 16500,
        _ => 1000,
    }
}

/// How ready a version is, worst first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Alpha,
    Beta,
    Stable,
}

/// The preferred first: stable, then beta, then alpha; newer before older; anything else by name at the end.
pub(super) fn compare(one: &str, other: &str) -> Ordering {
    match (parse(one), parse(other)) {
        (Some(one), Some(other)) => other.cmp(&one),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => one.cmp(other),
    }
}

/// `v2beta1` as (beta, 2, 1).
fn parse(version: &str) -> Option<(Stage, u64, u64)> {
    let rest = version.strip_prefix('v')?;
    let digits = rest
        .find(|char: char| !char.is_ascii_digit())
        .unwrap_or(rest.len());
    let (major, rest) = rest.split_at(digits);
    let (stage, minor) = if rest.is_empty() {
        (Stage::Stable, "0")
    } else if let Some(minor) = rest.strip_prefix("beta") {
        (Stage::Beta, minor)
    } else {
        (Stage::Alpha, rest.strip_prefix("alpha")?)
    };
    Some((stage, number(major)?, number(minor)?))
}

fn number(text: &str) -> Option<u64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_in_the_documented_order() {
        let expected = [
            "v10",
            "v2",
            "v1",
            "v11beta2",
            "v10beta3",
            "v3beta1",
            "v12alpha1",
            "v11alpha2",
            "foo1",
            "foo10",
            "v",
            "v1gamma",
            "vbeta",
        ];
        let mut versions = expected;
        versions.reverse();
        versions.sort_by(|one, other| compare(one, other));
        assert_eq!(versions, expected);
    }
}
