//! How a real kube-apiserver runs beside etcd and its controllers, on loopback: the words of each command and the
//! files they read. What starts and ends them is up to those who include this: the bench, the tests, xtask.

#![allow(dead_code, reason = "each who includes it takes a part")]

use std::fs;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

/// The name of its one user, a member of `system:masters`.
const USER: &str = "admin";

/// One that is to run, with all it reads and keeps in one folder.
pub(crate) struct Cluster {
    folder: PathBuf,
    etcd: u16,
    etcd_peers: u16,
    pub(crate) port: u16,
}

impl Cluster {
    /// On ports that are free now; the folder gets the token and the kubeconfig of whoever may do everything.
    pub(crate) fn in_folder(folder: &Path, token: &str) -> io::Result<Self> {
        let [etcd, etcd_peers, port] = free_ports()?;
        let cluster = Self {
            folder: folder.to_path_buf(),
            etcd,
            etcd_peers,
            port,
        };
        let user = format!("{token},{USER},{USER},\"system:masters\"\n");
        fs::write(folder.join("tokens"), user)?;
        fs::write(cluster.kubeconfig(), kubeconfig(&cluster.url(), token))?;
        Ok(cluster)
    }

    pub(crate) fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    /// Where the key belongs that service account tokens are signed with: an elliptic curve's, in PEM.
    pub(crate) fn signing_key(&self) -> PathBuf {
        self.folder.join("key")
    }

    /// With `fsync`, as in production; `--unsafe-no-fsync` is for those who measure nothing.
    pub(crate) fn etcd_words(&self) -> Vec<String> {
        let clients = format!("http://127.0.0.1:{}", self.etcd);
        let peers = format!("http://127.0.0.1:{}", self.etcd_peers);
        vec![
            format!("--data-dir={}", self.folder.join("etcd").display()),
            format!("--listen-client-urls={clients}"),
            format!("--advertise-client-urls={clients}"),
            format!("--listen-peer-urls={peers}"),
            format!("--initial-advertise-peer-urls={peers}"),
            format!("--initial-cluster=default={peers}"),
        ]
    }

    /// `verifying_key`: a public key, or a private one that is no PKCS#8.
    pub(crate) fn apiserver_words(&self, verifying_key: &Path) -> Vec<String> {
        let at = |name: &str| self.folder.join(name).display().to_string();
        vec![
            format!("--etcd-servers=http://127.0.0.1:{}", self.etcd),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={}", self.port),
            format!("--cert-dir={}", at("certificates")),
            format!("--token-auth-file={}", at("tokens")),
            format!("--service-account-key-file={}", verifying_key.display()),
            format!(
                "--service-account-signing-key-file={}",
                self.signing_key().display()
            ),
            "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
            "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
            "--authorization-mode=RBAC".to_owned(),
        ]
    }

    /// All controllers, unless told which.
    pub(crate) fn controllers_words(&self) -> Vec<String> {
        vec![
            format!("--kubeconfig={}", self.kubeconfig().display()),
            "--leader-elect=false".to_owned(),
            "--secure-port=0".to_owned(),
        ]
    }
}

fn kubeconfig(server: &str, token: &str) -> String {
    format!(
        "apiVersion: v1
kind: Config
clusters: [{{name: real, cluster: {{server: '{server}', insecure-skip-tls-verify: true}}}}]
users: [{{name: {USER}, user: {{token: {token}}}}}]
contexts: [{{name: real, context: {{cluster: real, user: {USER}}}}}]
current-context: real
"
    )
}

/// Ports that nothing listens on; all held at once, so that they differ.
pub(crate) fn free_ports<const N: usize>() -> io::Result<[u16; N]> {
    let mut held = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}
