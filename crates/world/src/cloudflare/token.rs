//! Who may do what: API tokens with their rights and zones, and the key that only opens the Origin CA. Which request
//! needs what is said where it is routed.
//!
//! Sources: Cloudflare's pages on API tokens and permissions; codes 6003/6111, 9106, 9109 and 10000 as in issue threads
//! (`ddns-go` 916, `libdns/cloudflare` 12, `octodns-cloudflare` 60, `terraform-provider-cloudflare` 913).

use jiff::Timestamp;
use subtle::ConstantTimeEq;

use super::refusal::Refusal;
use crate::call::Asked;
use crate::options::Options;

/// Letters of a token.
const TOKEN_LENGTH: usize = 40;

/// What a token may be allowed, by zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CloudflareRight {
    /// See zones.
    ZoneRead,
    /// Make and delete zones.
    ZoneEdit,
    /// See records.
    DnsRead,
    /// Change records.
    DnsEdit,
    /// See, make and revoke Origin CA certificates.
    CertificatesEdit,
}

/// An API token besides the one with every right. No `Debug`: it holds the secret.
#[derive(Clone)]
pub struct CloudflareToken {
    /// 40 letters, digits, `-` or `_`.
    pub secret: String,
    pub rights: Vec<CloudflareRight>,
    /// The names of the zones it is for; empty: all of them.
    pub zones: Vec<String>,
    pub disabled: bool,
    pub not_before: Option<Timestamp>,
    pub expires_on: Option<Timestamp>,
}

/// What `GET /user/tokens/verify` says of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Active,
    Disabled,
    Expired,
}

impl Standing {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Expired => "expired",
        }
    }
}

/// Who asks.
#[derive(Clone, Copy)]
pub(super) enum Caller<'o> {
    /// The token with every right on every zone.
    Owner,
    Token(&'o CloudflareToken),
    /// `X-Auth-User-Service-Key`.
    OriginCaKey,
}

impl Caller<'_> {
    pub(super) fn may(self, right: CloudflareRight) -> bool {
        match self {
            Self::Owner => true,
            Self::OriginCaKey => right == CloudflareRight::CertificatesEdit,
            Self::Token(token) => token.rights.iter().any(|held| implies(*held, right)),
        }
    }

    pub(super) fn sees(self, zone: &str) -> bool {
        match self {
            Self::Owner | Self::OriginCaKey => true,
            Self::Token(token) => {
                token.zones.is_empty() || token.zones.iter().any(|name| name == zone)
            }
        }
    }

    pub(super) fn standing(self, now: Timestamp) -> Standing {
        let Self::Token(token) = self else {
            return Standing::Active;
        };
        if token.disabled {
            Standing::Disabled
        } else if token.expires_on.is_some_and(|end| end <= now) {
            Standing::Expired
        } else {
            Standing::Active
        }
    }

    pub(super) fn lifetime(self) -> (Option<Timestamp>, Option<Timestamp>) {
        match self {
            Self::Owner | Self::OriginCaKey => (None, None),
            Self::Token(token) => (token.not_before, token.expires_on),
        }
    }
}

fn implies(held: CloudflareRight, wanted: CloudflareRight) -> bool {
    use CloudflareRight::{DnsEdit, DnsRead, ZoneEdit, ZoneRead};
    held == wanted || matches!((held, wanted), (ZoneEdit, ZoneRead) | (DnsEdit, DnsRead))
}

/// Whose token a request carries, whatever it is worth by now.
pub(super) fn caller<'o>(options: &'o Options, asked: &Asked) -> Result<Caller<'o>, Refusal> {
    if let Some(key) = asked.header("x-auth-user-service-key") {
        return if same(key, &options.cloudflare_origin_ca_key) {
            Ok(Caller::OriginCaKey)
        } else {
            Err(Refusal::WrongOriginCaKey)
        };
    }
    let header = asked.header("authorization").ok_or(Refusal::NoToken)?;
    let token = header
        .strip_prefix("Bearer ")
        .map(str::trim)
        .filter(|token| is_token(token))
        .ok_or(Refusal::MalformedToken)?;
    if same(token, &options.cloudflare_token) {
        return Ok(Caller::Owner);
    }
    options
        .cloudflare_tokens
        .iter()
        .find(|known| same(token, &known.secret))
        .map(Caller::Token)
        .ok_or(Refusal::WrongToken)
}

/// Refuses a token that is not valid yet, or no longer.
pub(super) fn refuse_stale(caller: Caller<'_>, now: Timestamp) -> Result<(), Refusal> {
    let (not_before, _) = caller.lifetime();
    let early = not_before.is_some_and(|begin| begin > now);
    match caller.standing(now) {
        Standing::Active if !early => Ok(()),
        Standing::Active | Standing::Disabled | Standing::Expired => Err(Refusal::WrongToken),
    }
}

fn is_token(token: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    token.len() == TOKEN_LENGTH && token.bytes().all(inside)
}

fn same(given: &str, expected: &str) -> bool {
    bool::from(given.as_bytes().ct_eq(expected.as_bytes()))
}
