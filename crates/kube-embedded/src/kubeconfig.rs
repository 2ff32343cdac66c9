//! The file by which kubectl and every client library find the server and show who they are.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// One cluster, one user, one context, as YAML (JSON is YAML, and needs no second way of quoting).
pub fn kubeconfig(server_url: &str, token: &str, namespace: &str) -> String {
    let name = "embedded";
    let config = serde_json::json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{ "name": name, "cluster": { "server": server_url } }],
        "users": [{ "name": name, "user": { "token": token } }],
        "contexts": [{
            "name": name,
            "context": { "cluster": name, "user": name, "namespace": namespace },
        }],
    });
    serde_yaml_ng::to_string(&config).unwrap_or_else(|_| config.to_string())
}

/// Writes [`kubeconfig`] to `path`, readable by its owner alone from the first byte.
///
/// A file that is there is replaced in one step, so that no reader sees half of it.
pub fn write_kubeconfig(
    path: &Path,
    server_url: &str,
    token: &str,
    namespace: &str,
) -> io::Result<()> {
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
    file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    file.write_all(kubeconfig(server_url, token, namespace).as_bytes())?;
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
    }
}
