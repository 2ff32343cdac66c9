//! Why Cloudflare says no: its refusals with their status, code and words. It does not decide when.
//!
//! Sources: codes 81044, 81053, 81054, 81057, 81058, 9005, 9300 and 9313 with HTTP 400/404 as seen in public issue
//! trackers (`ddns-go` 1378, `external-dns` 2410 and 3706, `cloudflare-tunnel-ingress-controller` 168); 6003 with 6111
//! (`ddns-go` 916), 1001 (`cloudflare-dyndns` 40), 1061 (`tezos-on-gke` 3), 10000 on certificates with 400
//! (`terraform-provider-cloudflare` 1361), 1016 (`origin-ca-issuer` 65), 1010 (Cloudflare's page on Origin CA
//! troubleshooting); the others are from knowledge.

use http::StatusCode;
use serde_json::{Value, json};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("Missing X-Auth-Key, X-Auth-Email or Authorization headers")]
    NoToken,
    #[error("Missing \"Authorization\" header")]
    NoTokenToVerify,
    #[error("Invalid request headers")]
    MalformedToken,
    #[error("Invalid access token")]
    WrongToken,
    #[error("Invalid API Token")]
    NotAToken,
    #[error("Authentication error")]
    NoRight,
    #[error("Unauthorized to access requested resource")]
    NotYours,
    #[error("Authentication error")]
    NoCertificateRight,
    #[error("User is not authorized to perform this action")]
    WrongOriginCaKey,
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
    #[error("DNS record has {0} tags, exceeding the quota of {1}.")]
    Tags(usize, usize),
    #[error("DNS record has an invalid tag.")]
    Tag,
    #[error("DNS record comment exceeds the maximum length of {0} characters.")]
    Comment(usize),
    #[error("DNS record comment contains invalid characters.")]
    CommentCharacters,
    #[error("The batch has {0} operations, more than the limit of {1}.")]
    Batch(usize, usize),
    #[error("Record quota exceeded.")]
    Quota,
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
    #[error("{0} already exists")]
    ZoneExists(String),
    #[error("{0} is not a registered domain")]
    ZoneName(String),
    #[error(
        "Please ensure you are providing the root domain and not any subdomains (e.g., example.com, not subdomain.example.com)"
    )]
    NotARoot,
    #[error("You have exceeded the limit for adding zones. Please activate some zones.")]
    TooManyZones,
    #[error(
        "Requires permission \"com.cloudflare.api.account.zone.create\" to create zones for the selected account"
    )]
    NoNewZones,
    #[error("The certificate signing request is invalid.")]
    Csr,
    #[error(
        "Failed to validate requested hostname {0}: This zone is either not part of your account, or you do not have access to it. Please contact support if using a multi-user organization."
    )]
    Hostname(String),
    #[error("A certificate needs between 1 and {0} hostnames.")]
    Hostnames(usize),
    #[error("The requested validity must be 7, 30, 90, 365, 730, 1095 or 5475 days.")]
    Validity,
    #[error("The request type must be origin-rsa, origin-ecc or keyless-certificate.")]
    RequestType,
    #[error("The zone_id is missing.")]
    NoZoneId,
    #[error("The certificate does not exist.")]
    NoSuchCertificate,
    #[error("The certificate is already revoked.")]
    Revoked,
    #[error("Failed to write certificate to Database")]
    CannotSign,
}

impl Refusal {
    pub(crate) fn code(&self) -> u32 {
        match self {
            Self::NoToken => 9106,
            Self::NoTokenToVerify | Self::NoZoneId => 1001,
            Self::MalformedToken => 6003,
            Self::WrongToken | Self::NotYours => 9109,
            Self::NotAToken => 1000,
            Self::NoRight | Self::NoCertificateRight => 10_000,
            Self::WrongOriginCaKey => 1016,
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
            Self::Tags(..) => 9300,
            Self::Tag => 9301,
            Self::Comment(_) => 9313,
            Self::CommentCharacters => 9314,
            Self::Batch(..) => 9400,
            Self::Quota => 81045,
            Self::HostTaken => 81053,
            Self::CnameTaken => 81054,
            Self::Exists => 81057,
            Self::Identical => 81058,
            Self::Page => 1004,
            Self::ZoneExists(_) => 1061,
            Self::ZoneName(_) => 1049,
            Self::NotARoot => 1116,
            Self::TooManyZones => 1118,
            Self::NoNewZones => 0,
            Self::Csr => 1002,
            Self::Hostname(_) | Self::Hostnames(_) => 1010,
            Self::Validity => 1012,
            Self::RequestType => 1013,
            Self::NoSuchCertificate => 1101,
            Self::Revoked => 1102,
            Self::CannotSign => 1100,
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NotAToken => StatusCode::UNAUTHORIZED,
            Self::WrongToken
            | Self::NoRight
            | Self::NotYours
            | Self::NoNewZones
            | Self::WrongOriginCaKey => StatusCode::FORBIDDEN,
            Self::TooFast => StatusCode::TOO_MANY_REQUESTS,
            Self::NoRoute(_) | Self::NoSuchRecord | Self::NoSuchCertificate => {
                StatusCode::NOT_FOUND
            }
            Self::CannotSign => StatusCode::INTERNAL_SERVER_ERROR,
            Self::NoToken
            | Self::NoTokenToVerify
            | Self::MalformedToken
            | Self::NoCertificateRight
            | Self::Unreadable(_)
            | Self::Name
            | Self::Ipv4
            | Self::Ipv6
            | Self::Content(_)
            | Self::Ttl
            | Self::NotProxiable
            | Self::TypeChanged
            | Self::Tags(..)
            | Self::Tag
            | Self::Comment(_)
            | Self::CommentCharacters
            | Self::Batch(..)
            | Self::Quota
            | Self::HostTaken
            | Self::CnameTaken
            | Self::Exists
            | Self::Identical
            | Self::Page
            | Self::ZoneExists(_)
            | Self::ZoneName(_)
            | Self::NotARoot
            | Self::TooManyZones
            | Self::Csr
            | Self::Hostname(_)
            | Self::Hostnames(_)
            | Self::Validity
            | Self::RequestType
            | Self::NoZoneId
            | Self::Revoked => StatusCode::BAD_REQUEST,
        }
    }

    /// The envelope every answer of Cloudflare has, with this as its error.
    pub(crate) fn envelope(&self) -> Value {
        let mut errors = vec![json!({ "code": self.code(), "message": self.to_string() })];
        if matches!(self, Self::MalformedToken) {
            let cause =
                json!({ "code": 6111, "message": "Invalid format for Authorization header" });
            errors[0]["error_chain"] = json!([cause]);
        }
        if matches!(self, Self::NoRoute(_)) {
            errors.push(json!({ "code": 7000, "message": "No route for that URI" }));
        }
        json!({
            "result": null,
            "success": false,
            "errors": errors,
            "messages": [],
        })
    }
}
