//! What every secret store must do, and what this one keeps off the disk.

use std::path::PathBuf;
use std::sync::Arc;

use super::*;

const CANARY: &str = "canary-3b9f";

struct Bench {
    folder: tempfile::TempDir,
    database: Database,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("clawdet.db")).await;
        Self {
            folder,
            database: database.unwrap(),
        }
    }

    fn key_file(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    async fn secrets(&self) -> EmbeddedSecrets {
        let secrets = self.try_secrets().await;
        secrets.unwrap_or_else(|fault| panic!("{fault}"))
    }

    async fn try_secrets(&self) -> Result<EmbeddedSecrets, String> {
        let opened = EmbeddedSecrets::open(&self.database, &self.key_file()).await;
        opened.map_err(|fault| crate::cause::chain(&fault))
    }
}

fn path(uid: &str) -> SecretPath {
    SecretPath(format!("instances/{uid}/gateway"))
}

fn values(token: &str) -> SecretValues {
    SecretValues::from([("token".to_owned(), SecretString::from(token.to_owned()))])
}

async fn token(secrets: &dyn Secrets, path: &SecretPath) -> Option<(String, u64)> {
    let found = secrets.read(path).await.unwrap()?;
    let token = found.values["token"].expose_secret().to_owned();
    Some((token, found.version))
}

fn why<T>(done: Result<T, ProviderError>) -> Option<Refusal> {
    done.err().and_then(|error| error.refusal())
}

/// The contract of the trait, for any implementation that starts empty.
async fn keeps_the_contract(secrets: &dyn Secrets) {
    let (one, two) = (path("1"), path("2"));
    assert!(token(secrets, &one).await.is_none(), "nothing is None");
    secrets.destroy(&one).await.unwrap();

    assert_eq!(secrets.write(&one, &values("a"), 0).await.unwrap(), 1);
    assert_eq!(
        why(secrets.write(&one, &values("b"), 0).await),
        Some(Refusal::Stale)
    );
    assert_eq!(token(secrets, &one).await, Some(("a".into(), 1)));
    assert_eq!(secrets.write(&one, &values("b"), 1).await.unwrap(), 2);
    assert_eq!(
        why(secrets.write(&one, &values("c"), 1).await),
        Some(Refusal::Stale)
    );
    assert_eq!(
        why(secrets.write(&one, &values("c"), 3).await),
        Some(Refusal::Stale)
    );
    assert_eq!(
        why(secrets.write(&two, &values("c"), 1).await),
        Some(Refusal::Stale)
    );
    assert!(
        token(secrets, &two).await.is_none(),
        "a refused write leaves nothing"
    );

    secrets.destroy(&one).await.unwrap();
    secrets.destroy(&one).await.unwrap();
    assert!(token(secrets, &one).await.is_none());
    assert_eq!(
        why(secrets.write(&one, &values("d"), 2).await),
        Some(Refusal::Stale)
    );
    let after = secrets.write(&one, &values("d"), 0).await.unwrap();
    assert!(
        after > 2,
        "versions only rise, also after everything was destroyed: {after}"
    );
    assert_eq!(token(secrets, &one).await, Some(("d".into(), after)));
}

#[tokio::test]
async fn it_keeps_the_contract_of_every_secret_store() {
    keeps_the_contract(&Bench::new().await.secrets().await).await;
}

#[tokio::test]
async fn of_many_writers_at_once_one_wins_each_version() {
    let bench = Bench::new().await;
    let secrets = Arc::new(bench.secrets().await);
    let write = |number: u64| {
        let secrets = Arc::clone(&secrets);
        async move {
            secrets
                .write(&path("1"), &values(&number.to_string()), 0)
                .await
        }
    };
    let done = futures::future::join_all((0..16).map(write)).await;
    assert_eq!(done.iter().filter(|one| one.is_ok()).count(), 1);
    let others = done.into_iter().filter(Result::is_err);
    assert!(
        others
            .into_iter()
            .all(|one| why(one) == Some(Refusal::Stale))
    );
}

#[tokio::test]
async fn what_was_written_survives_a_restart_and_nothing_of_it_is_readable_on_disk() {
    let bench = Bench::new().await;
    bench
        .secrets()
        .await
        .write(&path("1"), &values(CANARY), 0)
        .await
        .unwrap();
    let again = bench.secrets().await;
    assert_eq!(token(&again, &path("1")).await, Some((CANARY.into(), 1)));
    for file in std::fs::read_dir(bench.folder.path()).unwrap() {
        let file = file.unwrap().path();
        let bytes = std::fs::read(&file).unwrap();
        let found = bytes
            .windows(CANARY.len())
            .any(|part| part == CANARY.as_bytes());
        assert!(!found, "{} holds the secret", file.display());
    }
}

#[tokio::test]
async fn a_tampered_or_swapped_value_is_an_error_and_never_absent() {
    let bench = Bench::new().await;
    let secrets = bench.secrets().await;
    for uid in ["1", "2"] {
        secrets.write(&path(uid), &values(uid), 0).await.unwrap();
    }
    sqlx::query(
        "UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE path = $1) WHERE path = $2",
    )
    .bind(path("2").0)
    .bind(path("1").0)
    .execute(&secrets.pool)
    .await
    .unwrap();
    assert_eq!(why(secrets.read(&path("1")).await), Some(Refusal::Denied));
    assert!(token(&secrets, &path("2")).await.is_some());
    sqlx::query("UPDATE secrets SET sealed = 'v1.AAAA.AAAA'")
        .execute(&secrets.pool)
        .await
        .unwrap();
    assert_eq!(why(secrets.read(&path("2")).await), Some(Refusal::Denied));
}

#[tokio::test]
async fn a_lost_or_foreign_key_file_is_found_at_the_start() {
    let bench = Bench::new().await;
    bench
        .secrets()
        .await
        .write(&path("1"), &values(CANARY), 0)
        .await
        .unwrap();
    std::fs::remove_file(bench.key_file()).unwrap();
    let said = bench.try_secrets().await.err().unwrap();
    assert!(
        said.contains("is missing while the database holds secrets"),
        "{said}"
    );
    assert!(!bench.key_file().exists(), "a new key would hide the loss");

    let other = Bench::new().await;
    other.secrets().await;
    std::fs::copy(other.key_file(), bench.key_file()).unwrap();
    let said = bench.try_secrets().await.err().unwrap();
    assert!(said.contains("does not fit"), "{said}");
}

#[tokio::test]
async fn an_endless_path_or_value_is_refused() {
    let secrets = Bench::new().await.secrets().await;
    let long = SecretPath("x".repeat(PATH_CHARACTERS_MAX + 1));
    assert_eq!(
        why(secrets.write(&long, &values("a"), 0).await),
        Some(Refusal::Invalid)
    );
    let huge = values(&"x".repeat(VALUES_BYTES_MAX));
    assert_eq!(
        why(secrets.write(&path("1"), &huge, 0).await),
        Some(Refusal::Invalid)
    );
}

#[tokio::test]
async fn no_error_repeats_a_secret() {
    let bench = Bench::new().await;
    let secrets = bench.secrets().await;
    secrets.write(&path("1"), &values(CANARY), 0).await.unwrap();
    let stale = secrets
        .write(&path("1"), &values(CANARY), 0)
        .await
        .unwrap_err();
    bench.database.close().await;
    let lost = secrets
        .write(&path("1"), &values(CANARY), 1)
        .await
        .unwrap_err();
    let unreachable = secrets.read(&path("1")).await.err().unwrap();
    for error in [stale, lost, unreachable] {
        let said = format!("{error:?} {}", crate::cause::chain(&error));
        assert!(!said.contains(CANARY), "{said}");
    }
}
