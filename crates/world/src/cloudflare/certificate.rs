//! The Origin CA: which hostnames and how long a certificate may be for, how a request is signed, and which
//! certificates there are. Nothing of HTTP.
//!
//! Sources: Cloudflare's API reference for Origin CA (hostnames, validity in days, the serial number as id).

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SerialNumber,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::record::is_host_name;
use super::refusal::Refusal;
use super::zone::is_within;
use crate::history::{Kind, Subject};
use crate::table::{Stored, Table};

/// Days a certificate may be asked for; the last is also what one gets without asking.
const VALIDITIES: [u32; 7] = [7, 30, 90, 365, 730, 1_095, 5_475];
const LONGEST: u32 = 5_475;
/// Source: Cloudflare's page on Origin CA, which allows 200 names.
const MOST_HOSTNAMES: usize = 200;
const MOST_CSR: usize = 16 * 1024;
/// Longer than any certificate it signs in a simulated life.
const ROOT_LASTS: SignedDuration = SignedDuration::from_hours(24 * 365 * 50);
/// The one row of the authority's table.
const ROOT: &str = "root";

/// What `POST /certificates` asks for.
#[derive(Debug, Deserialize)]
pub(super) struct Wish {
    #[serde(default)]
    csr: String,
    #[serde(default)]
    hostnames: Vec<String>,
    #[serde(default)]
    request_type: String,
    requested_validity: Option<u32>,
}

/// A certificate that was signed, revoked or not.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Certificate {
    /// Its serial number in decimal digits.
    pub(super) id: String,
    pem: String,
    csr: String,
    pub(super) hostnames: Vec<String>,
    request_type: String,
    requested_validity: u32,
    expires: Timestamp,
    revoked: Option<Timestamp>,
}

/// The authority itself. No `Debug`: it holds its key.
#[derive(Serialize, Deserialize)]
struct Root {
    key: String,
    certificate: String,
}

/// The authority, made when first needed, and what it signed.
pub(super) struct OriginCa {
    root: Table<String, Root>,
    certificates: Table<String, Certificate>,
}

impl Default for OriginCa {
    fn default() -> Self {
        Self {
            root: Table::new("cloudflare_origin_ca"),
            certificates: Table::new("cloudflare_certificates"),
        }
    }
}

/// A request that may be signed.
pub(super) struct Request {
    wish: Wish,
    hostnames: Vec<String>,
    validity: u32,
    csr: CertificateSigningRequestParams,
}

impl Wish {
    /// Checks everything but whether the hostnames are the caller's.
    pub(super) fn checked(self) -> Result<Request, Refusal> {
        if !["origin-rsa", "origin-ecc", "keyless-certificate"]
            .contains(&self.request_type.as_str())
        {
            return Err(Refusal::RequestType);
        }
        let validity = self.requested_validity.unwrap_or(LONGEST);
        if !VALIDITIES.contains(&validity) {
            return Err(Refusal::Validity);
        }
        if !(1..=MOST_HOSTNAMES).contains(&self.hostnames.len()) {
            return Err(Refusal::Hostnames(MOST_HOSTNAMES));
        }
        if self.csr.len() > MOST_CSR {
            return Err(Refusal::Csr);
        }
        let csr = CertificateSigningRequestParams::from_pem(&self.csr).map_err(|_| Refusal::Csr)?;
        let hostnames = self
            .hostnames
            .iter()
            .map(|name| name.trim_end_matches('.').to_ascii_lowercase())
            .collect();
        Ok(Request {
            hostnames,
            validity,
            csr,
            wish: self,
        })
    }
}

impl Request {
    /// Refuses the first hostname that lies in none of the zones.
    pub(super) fn refuse_strangers(&self, zones: &[&str]) -> Result<(), Refusal> {
        let is_ours = |name: &str| {
            let bare = name.strip_prefix("*.").unwrap_or(name);
            is_host_name(bare)
                && !bare.starts_with('*')
                && zones.iter().any(|zone| is_within(bare, zone))
        };
        match self.hostnames.iter().find(|name| !is_ours(name)) {
            None => Ok(()),
            Some(stranger) => Err(Refusal::Hostname(stranger.clone())),
        }
    }
}

impl Certificate {
    pub(super) fn subject(&self) -> Subject {
        Subject {
            kind: Kind::Certificate,
            id: self.id.clone(),
            name: self.hostnames.join(", "),
        }
    }

    pub(super) fn is_revoked(&self) -> bool {
        self.revoked.is_some()
    }

    pub(super) fn is_for(&self, zone: &str) -> bool {
        self.hostnames.iter().any(|name| is_within(name, zone))
    }

    /// As Cloudflare shows it.
    pub(super) fn shown(&self) -> Value {
        let mut shown = json!({
            "id": self.id,
            "certificate": self.pem,
            "csr": self.csr,
            "hostnames": self.hostnames,
            "request_type": self.request_type,
            "requested_validity": self.requested_validity,
            "expires_on": format!("{:.0}", self.expires),
        });
        if let Some(at) = self.revoked {
            shown["revoked_at"] = json!(format!("{at:.0}"));
        }
        shown
    }
}

impl OriginCa {
    pub(super) fn tables(&mut self) -> [&mut dyn Stored; 2] {
        [&mut self.root, &mut self.certificates]
    }

    pub(super) fn get(&self, id: &str) -> Result<&Certificate, Refusal> {
        self.certificates
            .get(&id.to_owned())
            .ok_or(Refusal::NoSuchCertificate)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &Certificate> {
        self.certificates.values()
    }

    /// Signs a request. `serial` is the certificate's number, and so its id.
    pub(super) fn sign(
        &mut self,
        request: Request,
        serial: u128,
        now: Timestamp,
    ) -> Result<Certificate, Refusal> {
        let days = SignedDuration::from_hours(24 * i64::from(request.validity));
        let expires = now.saturating_add(days).unwrap_or(Timestamp::MAX);
        let issuer = self.issuer(now)?;
        let pem = signed(&request, serial, now, expires, &issuer).map_err(|_| Refusal::Csr)?;
        let certificate = Certificate {
            id: serial.to_string(),
            pem,
            csr: request.wish.csr,
            hostnames: request.hostnames,
            request_type: request.wish.request_type,
            requested_validity: request.validity,
            expires,
            revoked: None,
        };
        self.certificates
            .insert(certificate.id.clone(), certificate.clone());
        Ok(certificate)
    }

    pub(super) fn revoke(&mut self, id: &str, now: Timestamp) -> Result<Certificate, Refusal> {
        let certificate = self
            .certificates
            .get_mut(&id.to_owned())
            .ok_or(Refusal::NoSuchCertificate)?;
        if certificate.is_revoked() {
            return Err(Refusal::Revoked);
        }
        certificate.revoked = Some(now);
        Ok(certificate.clone())
    }

    /// The root as a PEM, for whoever shall trust it.
    pub(super) fn root(&mut self, now: Timestamp) -> Result<String, Refusal> {
        self.made(now).map(|root| root.certificate.clone())
    }

    fn issuer(&mut self, now: Timestamp) -> Result<Issuer<'static, KeyPair>, Refusal> {
        let root = self.made(now)?;
        let key = KeyPair::from_pem(&root.key).map_err(|_| Refusal::CannotSign)?;
        Issuer::from_ca_cert_pem(&root.certificate, key).map_err(|_| Refusal::CannotSign)
    }

    fn made(&mut self, now: Timestamp) -> Result<&Root, Refusal> {
        let name = ROOT.to_owned();
        if !self.root.contains(&name) {
            let root = new_root(now).map_err(|_| Refusal::CannotSign)?;
            self.root.insert(name.clone(), root);
        }
        self.root.get(&name).ok_or(Refusal::CannotSign)
    }
}

fn new_root(now: Timestamp) -> Result<Root, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.distinguished_name = named("Simulated Origin CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let last = now.saturating_add(ROOT_LASTS).unwrap_or(Timestamp::MAX);
    lasting(&mut params, now, last);
    let certificate = params.self_signed(&key)?;
    Ok(Root {
        key: key.serialize_pem(),
        certificate: certificate.pem(),
    })
}

/// Only the request's key goes into the certificate: its names are those of the API's request, as at Cloudflare.
fn signed(
    request: &Request,
    serial: u128,
    now: Timestamp,
    expires: Timestamp,
    issuer: &Issuer<'_, KeyPair>,
) -> Result<String, rcgen::Error> {
    let mut params = CertificateParams::new(request.hostnames.clone())?;
    params.distinguished_name = named("CloudFlare Origin Certificate");
    params.serial_number = Some(SerialNumber::from_slice(&serial.to_be_bytes()));
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyEncipherment,
    ];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ClientAuth,
        ExtendedKeyUsagePurpose::ServerAuth,
    ];
    params.use_authority_key_identifier_extension = true;
    lasting(&mut params, now, expires);
    Ok(params.signed_by(&request.csr.public_key, issuer)?.pem())
}

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "CloudFlare, Inc.");
    name.push(DnType::CommonName, common_name);
    name
}

/// Whole seconds since 1970, which is all a certificate can say.
fn lasting(params: &mut CertificateParams, from: Timestamp, until: Timestamp) {
    let moment = |at: Timestamp| {
        let seconds = u64::try_from(at.as_second()).unwrap_or(0);
        rcgen::date_time_ymd(1970, 1, 1) + std::time::Duration::from_secs(seconds)
    };
    params.not_before = moment(from);
    params.not_after = moment(until);
}
