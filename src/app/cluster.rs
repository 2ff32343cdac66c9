//! The cluster the program works on: a real one, or the embedded one which it then also sets up.

use std::path::Path;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{ObjectMeta, Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::conditions::is_crd_established;
use kube::runtime::wait::await_condition;
use kube::{Api, Client, ResourceExt};
use kube_embedded::{Server, Storage};

use super::{AppError, Embedded, listen};
use crate::api::{self, MANAGER_OPERATOR};
use crate::config::Kubernetes;
use crate::supervisor::Supervisor;

pub(super) struct Cluster {
    pub(super) client: Client,
    pub(super) embedded: Option<Embedded>,
}

impl Cluster {
    pub(super) async fn open(
        settings: &Kubernetes,
        namespace: &str,
        supervisor: &mut Supervisor,
    ) -> Result<Self, AppError> {
        match settings {
            Kubernetes::Embedded {
                database,
                listen: address,
                kubeconfig,
            } => {
                let listener = listen(*address, "kubernetes.embedded.listen").await?;
                let storage = Storage::sqlite(database)
                    .await
                    .map_err(AppError::start("open the embedded cluster's database"))?;
                let server = Server::builder()
                    .storage(storage)
                    .build()
                    .await
                    .map_err(AppError::start("start the embedded cluster"))?;
                let bound = listener
                    .local_addr()
                    .map_err(AppError::start("read a listener's address"))?;
                let embedded = Embedded {
                    url: format!("http://{bound}"),
                    token: server.token().to_owned(),
                    kubeconfig: kubeconfig.clone(),
                };
                let (serving, stop) = (server.clone(), supervisor.stop());
                supervisor.spawn("embedded cluster", async move {
                    serving.serve(listener, stop).await
                });
                let client = Client::new(server.clone(), namespace);
                prepare(&client, namespace)
                    .await
                    .map_err(AppError::start("set up the embedded cluster"))?;
                server
                    .write_kubeconfig(&embedded.kubeconfig, bound, namespace)
                    .map_err(AppError::start("write the kubeconfig"))?;
                Ok(Self {
                    client,
                    embedded: Some(embedded),
                })
            }
            Kubernetes::Cluster {
                kubeconfig,
                context,
            } => Ok(Self {
                client: connect(kubeconfig.as_deref(), context.clone()).await?,
                embedded: None,
            }),
        }
    }
}

async fn connect(kubeconfig: Option<&Path>, context: Option<String>) -> Result<Client, AppError> {
    let mut config = match kubeconfig {
        None => kube::Config::incluster().map_err(AppError::start(
            "read the pod's service account (no kubernetes.cluster.kubeconfig is set)",
        ))?,
        Some(path) => {
            let file = Kubeconfig::read_from(path)
                .map_err(AppError::start("read kubernetes.cluster.kubeconfig"))?;
            let options = KubeConfigOptions {
                context,
                ..KubeConfigOptions::default()
            };
            kube::Config::from_custom_kubeconfig(file, &options)
                .await
                .map_err(AppError::start("use kubernetes.cluster.kubeconfig"))?
        }
    };
    // Retrying is decided in one place, and it is not the client: a Lease must not wait for minutes.
    config.default_retry = false;
    Client::try_from(config).map_err(AppError::start("connect to the cluster"))
}

/// The definitions and the namespace; on a real cluster these are installed by people.
async fn prepare(client: &Client, namespace: &str) -> Result<(), kube::Error> {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let params = PatchParams::apply(MANAGER_OPERATOR).force();
    for crd in api::definitions() {
        let name = crd.name_any();
        definitions
            .patch(&name, &params, &Patch::Apply(&crd))
            .await?;
        await_condition(definitions.clone(), &name, is_crd_established())
            .await
            .map_err(|error| kube::Error::Service(Box::new(error)))?;
    }
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let object = Namespace {
        metadata: ObjectMeta {
            name: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        },
        ..Namespace::default()
    };
    namespaces
        .patch(namespace, &params, &Patch::Apply(&object))
        .await?;
    Ok(())
}
