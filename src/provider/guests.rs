//! Asks the software on a server how it is, over HTTP. What a guest says is a customer's word: it is
//! read within narrow limits, and nothing else is believed of it.

use std::net::Ipv4Addr;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, StatusCode};
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::transport::{Limits, Transport};
use super::{GuestState, Guests};

/// For the way to the guests: a gateway that works answers in milliseconds, with a few words.
pub const LIMITS: Limits = Limits {
    timeout: Duration::from_secs(3),
    body_bytes: 16 * 1024,
};
/// Questions under way at once, so that a fleet that is silent does not use up our sockets.
const CONCURRENT_MAX: usize = 64;
const VERSION_CHARS_MAX: usize = 64;

/// How a gateway is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

/// Guests that answer on one port of their server's address.
pub struct OverHttp {
    transport: Transport,
    scheme: Scheme,
    port: u16,
    room: Semaphore,
}

/// `/startupz` of the gateway; the version is told only to those it trusts.
#[derive(Deserialize)]
struct Startup {
    ok: bool,
    status: String,
    version: Option<String>,
}

impl OverHttp {
    /// `transport` should keep to [`LIMITS`].
    pub fn new(transport: Transport, scheme: Scheme, port: u16) -> Self {
        Self {
            transport,
            scheme,
            port,
            room: Semaphore::new(CONCURRENT_MAX),
        }
    }

    fn url(&self, address: Ipv4Addr) -> String {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        format!("{scheme}://{address}:{}/startupz", self.port)
    }

    async fn ask(&self, address: Ipv4Addr) -> Option<Startup> {
        let request = Request::get(self.url(address)).body(Bytes::new()).ok()?;
        let _room = self.room.acquire().await.ok()?;
        let answer = self.transport.send(request).await.ok()?;
        if answer.status() != StatusCode::OK {
            return None;
        }
        serde_json::from_slice(answer.body()).ok()
    }
}

#[async_trait]
impl Guests for OverHttp {
    async fn startup(&self, address: Ipv4Addr) -> GuestState {
        match self.ask(address).await {
            Some(startup) if startup.ok && startup.status == "started" => GuestState::Started {
                version: startup.version.filter(|version| is_version(version)),
            },
            Some(_) | None => GuestState::Silent,
        }
    }
}

fn is_version(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b".-+".contains(&byte);
    (1..=VERSION_CHARS_MAX).contains(&text.len()) && text.bytes().all(inside)
}

#[cfg(test)]
mod tests;
