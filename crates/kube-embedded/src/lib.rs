//! A Kubernetes-compatible API server in one process: memory or `SQLite`, no etcd, no containers.
//!
//! It serves what controllers and `kubectl` need of the API itself: custom resource definitions and
//! the resources they define, namespaces, Secrets, `ConfigMaps`, Events, Leases and `ServiceAccounts`.
//! It runs nothing: there are no nodes, no pods and no controllers behind it.
//!
//! A request goes through these files, in this order:
//!
//! | step | file |
//! |---|---|
//! | who asks | `authenticate` |
//! | what for: path, query, accepted forms | `request`, `accept` |
//! | the body as a JSON value | `decode` |
//! | which resource that is | `registry`, `definition` |
//! | patch or apply it | `patch`, `apply` |
//! | fill in, drop, check | `admit`, `schema` |
//! | keep it | `ledger`, `storage` |
//! | show it | `project`, `table` |
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let server = kube_embedded::Server::builder().build().await?;
//! let client = kube::Client::new(server, "default");
//! # drop(client); Ok(()) }
//! ```

mod admit;
mod answer;
mod apply;
mod authenticate;
mod builtin;
mod cause;
mod cluster;
mod convert;
mod crd;
mod decode;
mod definition;
mod discovery;
mod kubeconfig;
mod ledger;
mod lifecycle;
mod listener;
mod metadata;
mod openapi;
mod patch;
mod path;
mod project;
mod registry;
mod request;
mod reviews;
mod routes;
mod schema;
mod selector;
mod server;
mod status;
mod storage;
mod stored;
mod table;
mod target;
mod tls;
mod types;
mod verbs;

pub use kubeconfig::{kubeconfig, write_kubeconfig};
pub use server::{BuildError, Builder, Server};
pub use storage::{Storage, StorageError};
pub use tls::TlsError;
