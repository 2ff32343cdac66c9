//! The server as a whole: how it is built, called in this process, and served to others.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::access::{AUTHENTICATED, Access, Authorization, User};
use crate::answer::Answer;
use crate::authenticate::{Origin, Tokens};
use crate::cluster::{Clock, Cluster, Guard};
use crate::kubeconfig;
use crate::ledger::Ledger;
use crate::lifecycle;
use crate::listener;
use crate::preload::{self, PreloadError};
use crate::request::Encoding;
use crate::routes::{self, Incoming};
use crate::status::Failure;
use crate::storage::{Storage, StorageError};
use crate::tls::{Identity, TlsError};
use crate::tokens::SigningKey;

/// The largest body taken, in bytes; as in Kubernetes.
const BODY_LIMIT: usize = 3 * 1024 * 1024;
/// Events a resource keeps for watches that catch up.
const EVENT_WINDOW: usize = 4096;

/// A running API server. Clones are the same server.
///
/// It is a [`tower::Service`], so `kube::Client::new(server, "default")` speaks to it without a socket.
#[derive(Clone)]
pub struct Server {
    inner: Arc<Inner>,
    origin: Origin,
    stop: CancellationToken,
}

struct Inner {
    cluster: Arc<Cluster>,
    token: String,
    identity: Identity,
}

/// How a [`Server`] is to be.
pub struct Builder {
    storage: Storage,
    clock: Clock,
    seed: Option<u64>,
    token: Option<String>,
    trust_in_process: bool,
    event_window: usize,
    address: Option<IpAddr>,
    authorization: Authorization,
    users: Tokens,
    objects: Vec<Result<Value, serde_json::Error>>,
}

/// Why a server was not built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("cannot load the objects")]
    Load(#[source] StorageError),
    #[error("cannot make a first state: {0}")]
    Begin(String),
    #[error("the system gives no random numbers")]
    Random(#[source] getrandom::Error),
    #[error("cannot show who the server is")]
    Identity(#[source] TlsError),
    #[error("cannot make an object it is to have from the start")]
    Object(#[source] PreloadError),
}

impl Builder {
    /// Where the objects are kept; in memory unless told otherwise.
    #[must_use]
    pub fn storage(self, storage: Storage) -> Self {
        Self { storage, ..self }
    }

    /// What time it is, for timestamps and ages; the system's clock unless told otherwise. Time-outs run
    /// on tokio's clock.
    #[must_use]
    pub fn clock(self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self {
            clock: Arc::new(clock),
            ..self
        }
    }

    /// Makes uids and generated names come out the same every time.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self {
            seed: Some(seed),
            ..self
        }
    }

    /// The bearer token that opens the server; a random one unless told otherwise.
    #[must_use]
    pub fn token(self, token: impl Into<String>) -> Self {
        Self {
            token: Some(token.into()),
            ..self
        }
    }

    /// Whether calls in this process need no token; they do not, unless told otherwise. Calls through
    /// [`Server::serve`] always need it.
    #[must_use]
    pub fn trust_in_process(self, trust_in_process: bool) -> Self {
        Self {
            trust_in_process,
            ..self
        }
    }

    /// How many of its last events each resource keeps; a watch from before gets 410.
    #[must_use]
    pub fn event_window(self, event_window: usize) -> Self {
        Self {
            event_window,
            ..self
        }
    }

    /// The address clients elsewhere know the server by; its certificate then says so too.
    #[must_use]
    pub fn address(self, address: IpAddr) -> Self {
        Self {
            address: Some(address),
            ..self
        }
    }

    /// Who may do what; everybody everything, unless told otherwise. The server's own token, and trusted
    /// calls in this process, may do everything under [`Authorization::Rbac`] too.
    #[must_use]
    pub fn authorization(self, authorization: Authorization) -> Self {
        Self {
            authorization,
            ..self
        }
    }

    /// A user of that name, in these groups and `system:authenticated`, who shows that token.
    #[must_use]
    pub fn user(
        mut self,
        token: impl Into<String>,
        name: impl Into<String>,
        groups: &[&str],
    ) -> Self {
        let mut groups: Vec<String> = groups.iter().map(|&group| group.to_owned()).collect();
        groups.push(AUTHENTICATED.to_owned());
        let user = User {
            name: name.into(),
            groups,
            ..User::default()
        };
        self.users.add(token.into(), user);
        self
    }

    /// An object to have from the start: a definition, then objects of its kind. It is made as a client would make it,
    /// unless the storage has one of its name; one that names no namespace goes into `default`.
    #[must_use]
    pub fn object(mut self, object: &impl Serialize) -> Self {
        self.objects.push(serde_json::to_value(object));
        self
    }

    pub async fn build(self) -> Result<Server, BuildError> {
        let ledger = Ledger::open(self.storage, self.event_window)
            .await
            .map_err(BuildError::Load)?;
        let seed = self
            .seed
            .map_or_else(random_seed, Ok)
            .map_err(BuildError::Random)?;
        let token = self
            .token
            .map_or_else(random_token, Ok)
            .map_err(BuildError::Random)?;
        let mut tokens = self.users;
        tokens.add(token.clone(), User::admin());
        let guard = Guard {
            access: Access::new(self.authorization),
            tokens,
            signing_key: SigningKey::open(&ledger)
                .await
                .map_err(|error| BuildError::Begin(error.to_string()))?,
        };
        let cluster = Arc::new(Cluster::new(ledger, self.clock, seed, guard));
        let identity = Identity::make(self.address).map_err(BuildError::Identity)?;
        lifecycle::start(&cluster)
            .await
            .map_err(|failure| BuildError::Begin(failure.to_string()))?;
        let trusted = Server {
            inner: Arc::new(Inner {
                cluster,
                token,
                identity,
            }),
            origin: Origin::Trusted,
            stop: CancellationToken::new(),
        };
        for object in self.objects {
            let object = object.map_err(PreloadError::Unwritable);
            let object = object.map_err(BuildError::Object)?;
            let registry = trusted.inner.cluster.registry();
            let made = preload::make(trusted.clone(), &registry, &object).await;
            made.map_err(BuildError::Object)?;
        }
        Ok(Server {
            origin: if self.trust_in_process {
                Origin::Trusted
            } else {
                Origin::Network
            },
            ..trusted
        })
    }
}

fn random_seed() -> Result<u64, getrandom::Error> {
    getrandom::u64()
}

fn random_token() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().fold(String::new(), |mut token, byte| {
        let _ = write!(token, "{byte:02x}");
        token
    }))
}

#[allow(
    clippy::disallowed_methods,
    reason = "the one clock of this crate; a builder with another never comes here"
)]
fn system_time() -> Timestamp {
    Timestamp::now()
}

impl Server {
    pub fn builder() -> Builder {
        Builder {
            storage: Storage::memory(),
            clock: Arc::new(system_time),
            seed: None,
            token: None,
            trust_in_process: true,
            event_window: EVENT_WINDOW,
            address: None,
            authorization: Authorization::AlwaysAllow,
            users: Tokens::default(),
            objects: Vec::new(),
        }
    }

    /// The bearer token that opens this server.
    pub fn token(&self) -> &str {
        &self.inner.token
    }

    /// The same server as whoever has that token meets it: one of [`Builder::user`], or of a service
    /// account.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            origin: Origin::Holder(token.into()),
            ..self.clone()
        }
    }

    /// A kubeconfig for the server where it is being served, with the authority of its certificate: what
    /// kubectl needs.
    pub fn kubeconfig(&self, address: SocketAddr, namespace: &str) -> String {
        let url = format!("https://{address}");
        let authority = Some(self.inner.identity.authority.as_str());
        kubeconfig::described(&url, authority, &self.inner.token, namespace)
    }

    /// Writes [`Server::kubeconfig`] to `path`, readable by its owner alone, in one step.
    pub fn write_kubeconfig(
        &self,
        path: impl AsRef<Path>,
        address: SocketAddr,
        namespace: &str,
    ) -> std::io::Result<()> {
        kubeconfig::write_private(path.as_ref(), &self.kubeconfig(address, namespace))
    }

    /// The whole API as a router, as trusting as the builder said.
    pub fn router(&self) -> Router {
        Router::new().fallback_service(self.clone())
    }

    /// Serves TLS to everybody and plain HTTP to this machine, until `stop`; then open watches end and
    /// requests under way are finished. Every request needs the token.
    pub async fn serve(
        &self,
        tcp: tokio::net::TcpListener,
        stop: CancellationToken,
    ) -> std::io::Result<()> {
        let networked = Self {
            inner: Arc::clone(&self.inner),
            origin: Origin::Network,
            stop: stop.clone(),
        };
        let acceptor = self.inner.identity.acceptor.clone();
        listener::serve(tcp, acceptor, networked, stop).await;
        Ok(())
    }

    pub(crate) async fn answer<B>(self, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let (head, body) = request.into_parts();
        let body = match read_body(body).await {
            Ok(body) => body,
            Err(failure) => return Answer::refusal(&failure).into_response(Encoding::Json),
        };
        let changes = head.method != Method::GET;
        let incoming = Incoming {
            head,
            body,
            origin: self.origin,
            stop: self.stop,
        };
        let inner = self.inner;
        let waits = inner.cluster.ledger.waits();
        let work = async move { routes::respond(&inner.cluster, incoming).await };
        if changes && waits {
            finished(work).await
        } else {
            work.await
        }
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

async fn read_body<B>(body: B) -> Result<Bytes, Failure>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let whole = Limited::new(body, BODY_LIMIT).collect().await;
    whole
        .map(http_body_util::Collected::to_bytes)
        .map_err(|error| {
            if error.is::<LengthLimitError>() {
                Failure::TooLarge(BODY_LIMIT)
            } else {
                Failure::BadRequest(format!("cannot read the body: {error}"))
            }
        })
}

/// A caller that goes away does not stop what it began: a namespace half deleted would stay so.
#[allow(
    clippy::disallowed_methods,
    reason = "a request is finished even if nobody waits for it; a panic in it is answered with 500"
)]
async fn finished(work: impl Future<Output = Response<Body>> + Send + 'static) -> Response<Body> {
    let done = tokio::spawn(work).await;
    done.unwrap_or_else(|error| {
        let failure = Failure::Internal(error.to_string());
        Answer::refusal(&failure).into_response(Encoding::Json)
    })
}

impl<B> tower::Service<Request<B>> for Server
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let server = self.clone();
        Box::pin(async move { Ok(server.answer(request).await) })
    }
}
