//! Why Cloudflare says no: the refusals of its DNS API with their status, code and words. It does
//! not decide when.
//!
//! Sources: codes 81044, 81053, 81054, 81057, 81058, 9005, 9300 and 9313 with HTTP 400/404 as seen in public issue
//! trackers (`ddns-go` 1378, `external-dns` 2410 and 3706, `cloudflare-tunnel-ingress-controller` 168);
//! the others are from knowledge.

use http::StatusCode;
use serde_json::{Value, json};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("Missing X-Auth-Key, X-Auth-Email or Authorization headers")]
    NoToken,
    #[error("Invalid access token")]
    WrongToken,
    #[error("Please wait and consider throttling your request speed")]
    TooFast,
    #[error("Could not route to {0}, perhaps your object identifier is invalid?")]
    NoRoute(String),
    #[error("Record does not exist.")]
    NoSuchRecord,
    #[error("Failed to parse request body: {0}")]
    Unreadable(String),
    #[error("DNS name is invalid.")]
    Name,
    #[error("Content for A record must be a valid IPv4 address.")]
    Ipv4,
    #[error("Content for AAAA record must be a valid IPv6 address.")]
    Ipv6,
    #[error("Content for {0} record is invalid.")]
    Content(&'static str),
    #[error("Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.")]
    Ttl,
    #[error("This record type cannot be proxied.")]
    NotProxiable,
    #[error("The record type cannot be changed.")]
    TypeChanged,
    #[error("DNS record has {0} tags, exceeding the quota of 0.")]
    Tags(usize),
    #[error("DNS record comment exceeds the maximum length of {0} characters.")]
    Comment(usize),
    #[error("DNS record comment contains invalid characters.")]
    CommentCharacters,
    #[error("The batch has {0} operations, more than the limit of {1}.")]
    Batch(usize, usize),
    #[error("An A, AAAA, or CNAME record with that host already exists.")]
    HostTaken,
    #[error("A CNAME record with that host already exists.")]
    CnameTaken,
    #[error("The record already exists.")]
    Exists,
    #[error("An identical record already exists.")]
    Identical,
    #[error("page and per_page must be whole numbers of 1 or more")]
    Page,
}

impl Refusal {
    pub(crate) fn code(&self) -> u32 {
        match self {
            Self::NoToken => 9106,
            Self::WrongToken => 9109,
            Self::TooFast => 971,
            Self::NoRoute(_) => 7003,
            Self::NoSuchRecord => 81044,
            Self::Unreadable(_) => 9207,
            Self::Name => 9000,
            Self::Ipv4 => 9005,
            Self::Ipv6 => 9006,
            Self::Content(_) => 9007,
            Self::Ttl => 9021,
            Self::NotProxiable => 9004,
            Self::TypeChanged => 9034,
            Self::Tags(_) => 9300,
            Self::Comment(_) => 9313,
            Self::CommentCharacters => 9314,
            Self::Batch(..) => 9400,
            Self::HostTaken => 81053,
            Self::CnameTaken => 81054,
            Self::Exists => 81057,
            Self::Identical => 81058,
            Self::Page => 1004,
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::WrongToken => StatusCode::FORBIDDEN,
            Self::TooFast => StatusCode::TOO_MANY_REQUESTS,
            Self::NoRoute(_) | Self::NoSuchRecord => StatusCode::NOT_FOUND,
            Self::NoToken
            | Self::Unreadable(_)
            | Self::Name
            | Self::Ipv4
            | Self::Ipv6
            | Self::Content(_)
            | Self::Ttl
            | Self::NotProxiable
            | Self::TypeChanged
            | Self::Tags(_)
            | Self::Comment(_)
            | Self::CommentCharacters
            | Self::Batch(..)
            | Self::HostTaken
            | Self::CnameTaken
            | Self::Exists
            | Self::Identical
            | Self::Page => StatusCode::BAD_REQUEST,
        }
    }

    /// The envelope every answer of Cloudflare has, with this as its only error.
    pub(crate) fn envelope(&self) -> Value {
        json!({
            "result": null,
            "success": false,
            "errors": [{ "code": self.code(), "message": self.to_string() }],
            "messages": [],
        })
    }
}
