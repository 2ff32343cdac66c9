//! One Hetzner project: the requests we make of it, each as one function. What to ask when, and what
//! the answers mean for the fleet, is decided in `hetzner.rs`.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use secrecy::SecretString;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use url::Url;

use super::actions::Actions;
use super::pages::{self, List};
use super::refusal;
use super::wire::{
    self, ActionBody, AddressBody, Created, Firewalls, Labels, OneAction, OneAddress, OneServer,
    Page, ServerBody,
};
use crate::api::{InstallationName, ProjectName, ServerName};
use crate::provider::account::{Account, Ask, Dialect, TokenError};
use crate::provider::budget::{Budget, Law};
use crate::provider::calls::{Calls, Provider};
use crate::provider::transport::Transport;
use crate::provider::{Priority, ProviderError, Refusal, ServerOrder};

/// The provider's limit for cloud-init text. Source: `user_data` in the API's description.
const USER_DATA_BYTES_MAX: usize = 32 * 1024;
/// The bucket refills by one each second, but others may drink from it too.
const BLOCK: Duration = Duration::from_secs(10);

/// What the configuration says of a project.
pub struct ProjectSettings {
    pub name: ProjectName,
    /// With the version: `https://api.hetzner.cloud/v1`.
    pub url: Url,
    pub token: SecretString,
    pub law: Law,
    /// Names of keys in the project. With at least one, no root password is made that could be lost.
    pub ssh_keys: Vec<String>,
    /// Names of firewalls in the project that every server gets.
    pub firewalls: Vec<String>,
}

pub(super) struct Project {
    pub name: ProjectName,
    account: Arc<Account>,
    pub actions: Actions,
    ssh_keys: Vec<String>,
    firewalls: Vec<String>,
    firewall_ids: OnceCell<Vec<i64>>,
}

impl Project {
    pub(super) fn new(
        settings: ProjectSettings,
        transport: Transport,
        calls: Arc<Calls>,
    ) -> Result<Self, TokenError> {
        let dialect = Dialect {
            provider: Provider::Hetzner,
            refusal: refusal::refusal,
            remaining: refusal::remaining,
            block: BLOCK,
        };
        let account = Account::new(
            dialect,
            &settings.url,
            &settings.token,
            settings.law,
            transport,
            calls,
        )?;
        Ok(Self {
            name: settings.name,
            account: Arc::new(account),
            actions: Actions::default(),
            ssh_keys: settings.ssh_keys,
            firewalls: settings.firewalls,
            firewall_ids: OnceCell::new(),
        })
    }

    pub(super) fn account(&self) -> &Arc<Account> {
        &self.account
    }

    pub(super) fn budget(&self) -> &Budget {
        self.account.budget()
    }

    /// Every server of the project, complete, whosever it is: a label selector would hide one whose
    /// labels were taken off by hand.
    pub(super) async fn servers(
        &self,
        priority: Priority,
    ) -> Result<Vec<ServerBody>, ProviderError> {
        let list = List {
            endpoint: "GET /servers",
            path: "/servers".to_owned(),
            id: |server: &ServerBody| server.id,
        };
        pages::all(&self.account, priority, &list).await
    }

    pub(super) async fn server(
        &self,
        priority: Priority,
        id: i64,
    ) -> Result<Option<ServerBody>, ProviderError> {
        let ask = Ask::get(priority, "GET /servers/{id}", format!("/servers/{id}"));
        let found = absent_is_none(self.account.ask::<OneServer>(ask).await)?;
        Ok(found.map(|found| found.server))
    }

    pub(super) async fn server_named(
        &self,
        priority: Priority,
        name: &ServerName,
    ) -> Result<Option<ServerBody>, ProviderError> {
        let query = serde_urlencoded::to_string([("name", name.as_str())])
            .map_err(|error| ProviderError::Unreachable(Box::new(error)))?;
        let ask = Ask::get(priority, "GET /servers?name", format!("/servers?{query}"));
        let page: Page<ServerBody> = self.account.ask(ask).await?;
        Ok(page
            .items
            .into_iter()
            .find(|server| server.name == name.as_str()))
    }

    pub(super) async fn create(
        &self,
        installation: &InstallationName,
        order: &ServerOrder,
    ) -> Result<Created, ProviderError> {
        if order.user_data.len() > USER_DATA_BYTES_MAX {
            return Err(invalid(format!(
                "the user data has {} bytes, {USER_DATA_BYTES_MAX} are allowed",
                order.user_data.len()
            )));
        }
        let firewalls: Vec<Value> = self
            .firewall_ids()
            .await?
            .iter()
            .map(|id| json!({"firewall": id}))
            .collect();
        let body = json!({
            "name": order.name,
            "server_type": order.placement.server_type,
            "location": order.placement.location,
            "image": order.image,
            "labels": wire::labels(installation, &order.owner),
            "ssh_keys": self.ssh_keys,
            "firewalls": firewalls,
            "public_net": {"enable_ipv4": true, "enable_ipv6": true},
            "user_data": order.user_data,
            "start_after_create": true,
        });
        let ask = change(Priority::Create, Method::POST, "POST /servers", "/servers");
        self.account.ask(with(ask, body)).await
    }

    /// A request names firewalls by id only.
    async fn firewall_ids(&self) -> Result<&[i64], ProviderError> {
        let ids = self.firewall_ids.get_or_try_init(async || {
            let mut ids = Vec::new();
            for name in &self.firewalls {
                ids.push(self.firewall_id(name).await?);
            }
            Ok(ids)
        });
        ids.await.map(Vec::as_slice)
    }

    async fn firewall_id(&self, name: &str) -> Result<i64, ProviderError> {
        let query = serde_urlencoded::to_string([("name", name)])
            .map_err(|error| ProviderError::Unreachable(Box::new(error)))?;
        let path = format!("/firewalls?{query}");
        let ask = Ask::get(Priority::Create, "GET /firewalls", path);
        let found: Firewalls = self.account.ask(ask).await?;
        let id = found
            .firewalls
            .into_iter()
            .find(|found| found.name == name)
            .map(|found| found.id);
        id.ok_or_else(|| invalid(format!("the project has no firewall named {name:?}")))
    }

    /// `verb` is the last part of the path: `poweron`.
    pub(super) async fn act(
        &self,
        priority: Priority,
        endpoint: &'static str,
        id: i64,
        verb: &str,
        body: Option<Value>,
    ) -> Result<Option<ActionBody>, ProviderError> {
        let path = format!("/servers/{id}/actions/{verb}");
        let mut ask = change(priority, Method::POST, endpoint, path);
        ask.body = body;
        let answer: OneAction = self.account.ask(ask).await?;
        Ok(answer.action)
    }

    /// `labels` replace all the server has. Source: `PUT /servers/{id}` in the API's description.
    pub(super) async fn rename(
        &self,
        id: i64,
        name: &ServerName,
        labels: &Labels,
    ) -> Result<ServerBody, ProviderError> {
        let path = format!("/servers/{id}");
        let ask = change(Priority::Create, Method::PUT, "PUT /servers/{id}", path);
        let body = json!({"name": name, "labels": labels});
        let changed: OneServer = self.account.ask(with(ask, body)).await?;
        Ok(changed.server)
    }

    pub(super) async fn delete(&self, id: i64) -> Result<Option<ActionBody>, ProviderError> {
        let path = format!("/servers/{id}");
        let ask = change(
            Priority::Delete,
            Method::DELETE,
            "DELETE /servers/{id}",
            path,
        );
        let answer: Option<OneAction> = self.account.ask(ask).await?;
        Ok(answer.and_then(|answer| answer.action))
    }

    /// The newest action on a server, ours or not; None when there was none or the server is gone.
    pub(super) async fn newest_action(&self, id: i64) -> Result<Option<ActionBody>, ProviderError> {
        let path = format!("/servers/{id}/actions?sort=id:desc&per_page=1");
        let ask = Ask::get(Priority::Create, "GET /servers/{id}/actions", path);
        let answer: Result<wire::Actions, _> = self.account.ask(ask).await;
        let found = absent_is_none(answer)?;
        Ok(found.and_then(|found| found.actions.into_iter().max_by_key(|action| action.id)))
    }

    /// Every primary IP that matches the selector, complete.
    pub(super) async fn addresses(
        &self,
        priority: Priority,
        selector: &str,
    ) -> Result<Vec<AddressBody>, ProviderError> {
        let query = serde_urlencoded::to_string([("label_selector", selector)])
            .map_err(|error| ProviderError::Unreachable(Box::new(error)))?;
        let list = List {
            endpoint: "GET /primary_ips",
            path: format!("/primary_ips?{query}"),
            id: |address: &AddressBody| address.id,
        };
        pages::all(&self.account, priority, &list).await
    }

    pub(super) async fn address(&self, id: i64) -> Result<Option<AddressBody>, ProviderError> {
        let path = format!("/primary_ips/{id}");
        let ask = Ask::get(Priority::Delete, "GET /primary_ips/{id}", path);
        let found = absent_is_none(self.account.ask::<OneAddress>(ask).await)?;
        Ok(found.map(|found| found.primary_ip))
    }

    pub(super) async fn release(&self, id: i64) -> Result<(), ProviderError> {
        let path = format!("/primary_ips/{id}");
        let endpoint = "DELETE /primary_ips/{id}";
        let ask = change(Priority::Delete, Method::DELETE, endpoint, path);
        self.account.ask::<IgnoredAny>(ask).await.map(drop)
    }
}

fn change(
    priority: Priority,
    method: Method,
    endpoint: &'static str,
    path: impl Into<String>,
) -> Ask {
    Ask {
        priority,
        method,
        endpoint,
        path: path.into(),
        body: None,
    }
}

fn with(ask: Ask, body: Value) -> Ask {
    Ask {
        body: Some(body),
        ..ask
    }
}

fn absent_is_none<T: DeserializeOwned>(
    answer: Result<T, ProviderError>,
) -> Result<Option<T>, ProviderError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.refusal() == Some(Refusal::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

fn invalid(message: String) -> ProviderError {
    ProviderError::Refused {
        why: Refusal::Invalid,
        message,
    }
}
