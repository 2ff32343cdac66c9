//! The database file: private, and the same after it was opened again.

use super::*;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn the_database_and_its_journal_are_readable_by_this_user_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clawdet.db");
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let database = Database::open(&path).await.unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap().path();
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    assert!(path.with_extension("db-wal").exists(), "WAL is on");
    database.close().await;
}

#[tokio::test]
async fn opening_it_again_changes_nothing_and_a_broken_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clawdet.db");
    Database::open(&path).await.unwrap().close().await;
    Database::open(&path).await.unwrap().close().await;
    let broken = folder.path().join("broken.db");
    std::fs::write(
        &broken,
        "this is no database, however long it may be".repeat(50),
    )
    .unwrap();
    let said = Database::open(&broken).await.err().unwrap().to_string();
    assert!(said.contains("broken.db"), "{said}");
}
