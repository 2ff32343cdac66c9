//! What an Instance asks for, parsed once. Deletion needs metadata only, so that a bad spec cannot
//! hold a finalizer.

use kube::ResourceExt;

use crate::api::instance::DeletionPolicy;
use crate::api::names::NameError;
use crate::api::{
    ANNOTATION_PROJECT, ANNOTATION_SERVER, FINALIZER, Hostname, InstallationName, Instance,
    Placement, Power, ProjectName, ServerName, Subdomain, Uid,
};
use crate::provider::ServerId;

/// An Instance as the plan sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    pub uid: Uid,
    pub server_name: ServerName,
    /// The object carries our finalizer.
    pub finalizer: bool,
    /// The project the server is (to be) bought in, once that is written down.
    pub project: Option<ProjectName>,
    /// The server we have seen as ours, once that is written down.
    pub recorded: Option<ServerId>,
    pub protect: bool,
    pub life: Life,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Life {
    Wanted(Wanted),
    /// The object carries a deletion timestamp.
    Deleting,
}

/// What the spec asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub hostname: Hostname,
    pub customer: String,
    pub plan: String,
    pub placement: Option<Vec<Placement>>,
    pub power: Power,
}

/// Why a spec cannot be understood, in words for the person who wrote it.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSpec {
    #[error("spec.subdomain {0:?}: {1}")]
    Subdomain(String, #[source] NameError),
    #[error("the object has no uid yet")]
    NoUid,
}

impl Desired {
    pub fn parse(
        object: &Instance,
        installation: &InstallationName,
        zone: &str,
    ) -> Result<Self, InvalidSpec> {
        let uid = Uid::new(object.uid().ok_or(InvalidSpec::NoUid)?);
        let annotation = |key: &str| object.annotations().get(key).map(String::as_str);
        let life = if object.metadata.deletion_timestamp.is_some() {
            Life::Deleting
        } else {
            Life::Wanted(Wanted::parse(object, zone)?)
        };
        Ok(Self {
            server_name: ServerName::derive(installation, &uid),
            uid,
            finalizer: object.finalizers().iter().any(|held| held == FINALIZER),
            project: annotation(ANNOTATION_PROJECT).and_then(|name| ProjectName::parse(name).ok()),
            recorded: annotation(ANNOTATION_SERVER).and_then(parse_server),
            protect: object.spec.deletion_policy == DeletionPolicy::Protect,
            life,
        })
    }
}

impl Wanted {
    fn parse(object: &Instance, zone: &str) -> Result<Self, InvalidSpec> {
        let spec = &object.spec;
        let subdomain = Subdomain::parse(&spec.subdomain)
            .map_err(|error| InvalidSpec::Subdomain(spec.subdomain.clone(), error))?;
        Ok(Self {
            hostname: subdomain.within(zone),
            customer: spec.customer_ref.clone(),
            plan: spec.plan.clone(),
            placement: spec.placement.clone(),
            power: spec.power,
        })
    }
}

/// `<project>/<id>`, as [`ServerId`] is displayed.
fn parse_server(text: &str) -> Option<ServerId> {
    let (project, id) = text.split_once('/')?;
    Some(ServerId {
        project: ProjectName::parse(project).ok()?,
        id: id.parse().ok()?,
    })
}
