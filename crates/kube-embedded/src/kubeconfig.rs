//! The file by which kubectl and every client library find the server and show who they are.

use std::fs::{OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

/// One cluster, one user, one context, as YAML.
///
/// Clients built on client-go (kubectl) send the token to `https` addresses only; for those see
/// [`crate::Server::kubeconfig`].
pub fn kubeconfig(server_url: &str, token: &str, namespace: &str) -> String {
    described(server_url, None, token, namespace)
}

/// Writes [`kubeconfig`] to `path`, readable by its owner alone from the first byte.
///
/// A file that is there is replaced in one step, so that no reader sees half of it.
pub fn write_kubeconfig(
    path: impl AsRef<Path>,
    server_url: &str,
    token: &str,
    namespace: &str,
) -> io::Result<()> {
    write_private(path.as_ref(), &kubeconfig(server_url, token, namespace))
}

/// `authority` is the certificate the server's is signed by, as PEM.
pub(crate) fn described(
    server_url: &str,
    authority: Option<&str>,
    token: &str,
    namespace: &str,
) -> String {
    let name = "embedded";
    let mut cluster = json!({ "server": server_url });
    if let Some(authority) = authority {
        cluster["certificate-authority-data"] = STANDARD.encode(authority).into();
    }
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{ "name": name, "cluster": cluster }],
        "users": [{ "name": name, "user": { "token": token } }],
        "contexts": [{
            "name": name,
            "context": { "cluster": name, "user": name, "namespace": namespace },
        }],
    });
    // JSON is YAML too, should the writer ever fail.
    serde_yaml_ng::to_string(&config).unwrap_or_else(|_| config.to_string())
}

pub(crate) fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = Path::new(&fresh);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(fresh)?;
    // Left over from a run that was killed, it may have any mode.
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(fresh, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_owner_may_read_it_whatever_was_there_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        std::fs::write(&path, "old, and open to everyone").unwrap();
        write_kubeconfig(&path, "http://127.0.0.1:1", "secret", "default").unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let read: serde_json::Value =
            serde_yaml_ng::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(read["users"][0]["user"]["token"], "secret");
        assert_eq!(
            read["clusters"][0]["cluster"]["server"],
            "http://127.0.0.1:1"
        );
        assert_eq!(read["contexts"][0]["context"]["namespace"], "default");
        assert!(read["clusters"][0]["cluster"]["certificate-authority-data"].is_null());
    }
}
