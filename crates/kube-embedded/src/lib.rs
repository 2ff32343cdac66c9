//! A Kubernetes-compatible API server in one process: memory or `SQLite`, no etcd, no containers.
//!
//! What it serves and what it does not is in its README, which is part of these docs below.
//!
//! A request goes through these files, in this order:
//!
//! | step | file |
//! |---|---|
//! | a connection, a body, an answer | `listener`, `tls`, `server`, `answer` |
//! | what for: method, path, query, accepted forms | `request`, `routes` |
//! | who asks, and may they | `authenticate`, `tokens`, `access` |
//! | documents about what is served | `discovery`, `openapi` |
//! | questions about users | `reviews` |
//! | which resource that is | `registry`, `builtin`, `definition`, `target` |
//! | what is to be done | `verbs` |
//! | the body as a JSON value | `decode` |
//! | patch or apply it | `patch`, `apply` |
//! | fill in, drop, check, note who did it | `admit`, `metadata`, `schema`, `crd` |
//! | delete it | `deletion` |
//! | what follows from that | `cascade`, `containers`, `garbage`, `naming`, `expiry`, `revision` |
//! | what there is at the start | `lifecycle` |
//! | keep it | `ledger`, `storage` |
//! | show it | `convert`, `project`, `table` |
//!
#![doc = include_str!("../README.md")]
#![allow(clippy::doc_markdown, reason = "the README is read as a page, too")]

mod access;
mod admit;
mod answer;
mod apply;
mod authenticate;
mod builtin;
mod cascade;
mod cause;
mod cluster;
mod containers;
mod convert;
mod crd;
mod decode;
mod definition;
mod deletion;
mod discovery;
mod expiry;
mod furnish;
mod garbage;
mod kubeconfig;
mod ledger;
mod lifecycle;
mod listener;
mod metadata;
mod naming;
mod openapi;
mod patch;
mod path;
mod preload;
mod project;
mod registry;
mod request;
mod reviews;
mod revision;
mod routes;
mod scale;
mod schema;
mod selector;
mod server;
mod status;
mod storage;
mod stored;
mod table;
mod target;
mod tls;
mod tokens;
mod types;
mod verbs;

pub use access::Authorization;
pub use kubeconfig::{kubeconfig, write_kubeconfig};
pub use preload::PreloadError;
pub use server::{BuildError, Builder, Server};
pub use storage::{Storage, StorageError};
pub use tls::TlsError;
