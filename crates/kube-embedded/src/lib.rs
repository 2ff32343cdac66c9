//! A Kubernetes-compatible API server in one process.
