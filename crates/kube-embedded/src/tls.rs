//! The certificate the server shows, and the authority clients know it by: made anew at every start.

use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot make a certificate")]
    Certificate(#[source] rcgen::Error),
    #[error("cannot use the certificate made")]
    Config(#[source] rustls::Error),
    #[error("the key made is none")]
    Key,
}

/// Who the server is, to clients that ask over TLS. Its authority's key is forgotten once used.
#[derive(Clone)]
pub(crate) struct Identity {
    /// The authority's certificate, as PEM.
    pub(crate) authority: String,
    pub(crate) acceptor: TlsAcceptor,
}

impl Identity {
    /// An identity good for `localhost`, the loopback addresses, and `address`.
    pub(crate) fn make(address: Option<IpAddr>) -> Result<Self, TlsError> {
        let (authority, issuer) = authority().map_err(TlsError::Certificate)?;
        let key = KeyPair::generate().map_err(TlsError::Certificate)?;
        let certificate = params(address)
            .and_then(|params| params.signed_by(&key, &issuer))
            .map_err(TlsError::Certificate)?;
        let secret = PrivateKeyDer::try_from(key.serialize_der()).map_err(|_| TlsError::Key)?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Config)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], secret)
            .map_err(TlsError::Config)?;
        config.alpn_protocols = ["h2", "http/1.1"].map(Vec::from).to_vec();
        Ok(Self {
            authority,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }
}

fn authority() -> Result<(String, Issuer<'static, KeyPair>), rcgen::Error> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
        .distinguished_name
        .push(DnType::CommonName, "kube-embedded authority");
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok((certificate.pem(), Issuer::new(params, key)))
}

fn params(address: Option<IpAddr>) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(["localhost".to_owned()])?;
    let loopback = [
        IpAddr::from([127, 0, 0, 1]),
        IpAddr::from(std::net::Ipv6Addr::LOCALHOST),
    ];
    let addresses = loopback.into_iter().chain(address);
    params
        .subject_alt_names
        .extend(addresses.map(SanType::IpAddress));
    params
        .distinguished_name
        .push(DnType::CommonName, "kube-embedded");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}
