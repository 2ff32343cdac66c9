//! Clawdet sells and runs personal AI assistants, each on a server of its own.
//!
//! The code map: one line per module, lowest layer first.

/// The words everything else is written in: kinds, names, conditions, reasons.
pub mod api;
/// The composition root.
pub mod app;
/// What the cluster holds, kept by watches: a cache.
pub mod catalog;
/// An error told with its causes.
pub mod cause;
/// The command line; the only place that prints.
pub mod cli;
/// What time it is.
pub mod clock;
/// What is set, checked: defaults, a file, the environment.
pub mod config;
/// Runs one reconciler over one kind.
pub mod controller;
/// Customer: what their standing leads to, and when.
pub mod customer;
/// Whom a change of the fleet or the zone wakes.
pub mod drift;
/// Who leads, by a Lease.
pub mod election;
/// The story of an object, as Events.
pub mod events;
/// Instance: one server, one name, its secrets; kept true or returned.
pub mod instance;
/// Writes what people and payments ask for.
pub mod intent;
/// What the process as a whole tells Prometheus.
pub mod metrics;
/// Decisions made wrong on purpose, in tests.
pub mod mutant;
/// Plan: whether it can be sold as it is shown, and how often it was.
pub mod offer;
/// Payment events become customers and instances.
pub mod payment;
/// What we ask of the outside world; one vendor, one file.
pub mod provider;
/// The database; no SQL elsewhere.
pub mod store;
/// Keeps the tasks of the process; one that dies ends it.
pub mod supervisor;
/// What we pay for and nobody owns.
pub mod sweep;
/// How log lines look and which are written.
pub mod telemetry;
/// The site: what each address answers.
pub mod web;
