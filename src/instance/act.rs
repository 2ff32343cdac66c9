//! Takes one step. No decisions: if this file grows an `if`, the `if` belongs in `plan`.

use std::collections::BTreeMap;

use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt};
use secrecy::{ExposeSecret, SecretString};

use super::Controller;
use super::desired::Desired;
use super::observe::gateway_secret;
use super::plan::Step;
use crate::api::{
    ANNOTATION_PROJECT, ANNOTATION_SERVER, FINALIZER, Instance, MANAGER_OPERATOR, Placement,
    ProjectName,
};
use crate::mutant::{self, Mutant};
use crate::provider::{Priority, ProviderError, Refusal, SecretValues, ServerOrder};

/// Why a step was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum StepError {
    #[error("a provider did not do it")]
    Provider(#[source] ProviderError),
    #[error("the cluster did not do it")]
    Cluster(#[source] kube::Error),
    /// The object changed since the plan was made: plan again.
    #[error("the object changed meanwhile")]
    Outdated,
    #[error("the machine gave no randomness")]
    Randomness(#[source] getrandom::Error),
}

/// Takes `step`, and gives the object as it is afterwards when the step changed it.
pub(super) async fn act(
    here: &Controller,
    object: &Instance,
    desired: &Desired,
    step: &Step,
) -> Result<Option<Instance>, StepError> {
    match step {
        Step::AddFinalizer => finalizers(here, object, true).await.map(Some),
        Step::RemoveFinalizer => finalizers(here, object, false).await.map(|_| None),
        Step::ClaimProject(project) => {
            let project = Some(project.to_string());
            annotate(here, object, ANNOTATION_PROJECT, project)
                .await
                .map(Some)
        }
        Step::RecordServer(id) => {
            let server = Some(id.to_string());
            annotate(here, object, ANNOTATION_SERVER, server)
                .await
                .map(Some)
        }
        Step::RecordLoss(_) => annotate(here, object, ANNOTATION_SERVER, None)
            .await
            .map(Some),
        Step::IssueSecrets => issue_secrets(here, desired).await.map(|()| None),
        Step::CreateServer {
            project,
            placement,
            image,
        } => {
            still_current(here, object).await?;
            create(here, desired, project, placement, image)
                .await
                .map(|()| None)
        }
        Step::ReturnServer(_) => {
            still_current(here, object).await?;
            change(here, desired, step)
                .await
                .map(|()| None)
                .map_err(StepError::Provider)
        }
        Step::RestoreIdentity(_)
        | Step::SetProtection(..)
        | Step::PowerOn(_)
        | Step::ShutDown(_)
        | Step::PowerOff(_)
        | Step::ChangeRecords { .. }
        | Step::ReleaseAddress(_)
        | Step::DestroySecrets => change(here, desired, step)
            .await
            .map(|()| None)
            .map_err(StepError::Provider),
    }
}

/// The steps that are one call to a provider.
async fn change(here: &Controller, desired: &Desired, step: &Step) -> Result<(), ProviderError> {
    let uid = &desired.uid;
    match step {
        Step::RestoreIdentity(id) => {
            here.servers
                .restore_identity(id, &desired.server_name, uid)
                .await
        }
        Step::SetProtection(id, on) => here.servers.set_protection(id, *on).await,
        Step::PowerOn(id) => here.servers.power_on(id).await,
        Step::ShutDown(id) => {
            here.servers.shut_down(id).await?;
            here.notes.asked_to_shut_down(id);
            Ok(())
        }
        Step::PowerOff(id) => here.servers.power_off(id).await,
        Step::ChangeRecords { host, change } => {
            here.dns.change(Priority::Create, host, uid, change).await
        }
        Step::ReturnServer(id) => here.servers.delete(id, uid).await,
        Step::ReleaseAddress(address) => here.servers.release_address(address).await,
        Step::DestroySecrets => here.secrets.destroy(&gateway_secret(uid)).await,
        Step::AddFinalizer
        | Step::RemoveFinalizer
        | Step::ClaimProject(_)
        | Step::RecordServer(_)
        | Step::RecordLoss(_)
        | Step::IssueSecrets
        | Step::CreateServer { .. } => Ok(()),
    }
}

/// Reads the object live, not from a cache, before money is spent or a server is given back.
async fn still_current(here: &Controller, object: &Instance) -> Result<(), StepError> {
    let live = here
        .api()
        .get_opt(&object.name_any())
        .await
        .map_err(StepError::Cluster)?;
    let same = live.is_some_and(|live| {
        live.uid() == object.uid()
            && live.metadata.generation == object.metadata.generation
            && live.metadata.deletion_timestamp == object.metadata.deletion_timestamp
            && live.finalizers() == object.finalizers()
            && live.annotations() == object.annotations()
    });
    if same {
        Ok(())
    } else {
        Err(StepError::Outdated)
    }
}

async fn create(
    here: &Controller,
    desired: &Desired,
    project: &ProjectName,
    placement: &Placement,
    image: &str,
) -> Result<(), StepError> {
    let order = ServerOrder {
        project: project.clone(),
        name: desired.server_name.clone(),
        owner: desired.uid.clone(),
        placement: placement.clone(),
        image: image.to_owned(),
        user_data: user_data(here, desired).await?,
        protect: desired.protect,
    };
    let mut ordered = here.servers.create(&order).await;
    if mutant::is(Mutant::RetryOnUnknown) && matches!(ordered, Err(ProviderError::Unknown(_))) {
        tokio::time::sleep(mutant::RETRY_AFTER).await;
        ordered = here.servers.create(&order).await;
    }
    ordered.map(drop).map_err(StepError::Provider)
}

/// cloud-init for a new server: who it is, and a one-time token to enrol with; nothing that lasts.
async fn user_data(here: &Controller, desired: &Desired) -> Result<String, StepError> {
    let secret = here
        .secrets
        .read(&gateway_secret(&desired.uid))
        .await
        .map_err(StepError::Provider)?;
    let token = secret
        .as_ref()
        .and_then(|secret| secret.values.get(ENROLMENT_TOKEN))
        .map(ExposeSecret::expose_secret)
        .ok_or(StepError::Outdated)?;
    let enrolment = serde_json::json!({
        "instance": desired.uid,
        "site": here.settings.site_url,
        "token": token,
    });
    let file = serde_json::json!({
        "write_files": [{
            "path": "/etc/clawdet/enrolment.json",
            "permissions": "0600",
            "content": enrolment.to_string(),
        }],
    });
    Ok(format!("#cloud-config\n{file}\n"))
}

const GATEWAY_TOKEN: &str = "gateway_token";
const ENROLMENT_TOKEN: &str = "enrolment_token";

/// Written once: losing the race to another leader is as good as winning it.
async fn issue_secrets(here: &Controller, desired: &Desired) -> Result<(), StepError> {
    let values: SecretValues = BTreeMap::from([
        (GATEWAY_TOKEN.to_owned(), token()?),
        (ENROLMENT_TOKEN.to_owned(), token()?),
    ]);
    let written = here
        .secrets
        .write(&gateway_secret(&desired.uid), &values, 0)
        .await;
    match written {
        Err(error) if error.refusal() != Some(Refusal::Stale) => Err(StepError::Provider(error)),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// 256 random bits as hex.
fn token() -> Result<SecretString, StepError> {
    let mut bytes = zeroize::Zeroizing::new([0_u8; 32]);
    getrandom::fill(&mut *bytes).map_err(StepError::Randomness)?;
    Ok(SecretString::from(hex::encode(*bytes)))
}

/// Adds or removes our finalizer; the resourceVersion makes it a compare-and-swap.
async fn finalizers(
    here: &Controller,
    object: &Instance,
    held: bool,
) -> Result<Instance, StepError> {
    let mut all: Vec<&str> = object
        .finalizers()
        .iter()
        .map(String::as_str)
        .filter(|other| *other != FINALIZER)
        .collect();
    all.extend(held.then_some(FINALIZER));
    patch(&here.api(), object, serde_json::json!({"finalizers": all})).await
}

async fn annotate(
    here: &Controller,
    object: &Instance,
    key: &str,
    value: Option<String>,
) -> Result<Instance, StepError> {
    patch(
        &here.api(),
        object,
        serde_json::json!({"annotations": {key: value}}),
    )
    .await
}

async fn patch(
    api: &Api<Instance>,
    object: &Instance,
    mut metadata: serde_json::Value,
) -> Result<Instance, StepError> {
    if let Some(fields) = metadata.as_object_mut() {
        fields.insert(
            "resourceVersion".to_owned(),
            object.resource_version().into(),
        );
        fields.insert("uid".to_owned(), object.uid().into());
    }
    let params = PatchParams {
        field_manager: Some(MANAGER_OPERATOR.to_owned()),
        ..PatchParams::default()
    };
    let patch = Patch::Merge(serde_json::json!({"metadata": metadata}));
    match api.patch(&object.name_any(), &params, &patch).await {
        Ok(object) => Ok(object),
        Err(kube::Error::Api(status)) if status.is_conflict() || status.is_not_found() => {
            Err(StepError::Outdated)
        }
        Err(error) => Err(StepError::Cluster(error)),
    }
}
