//! Hetzner Cloud as [`Servers`]: a list of projects, their servers in one shared picture, and what we
//! change laid over it at once. Nobody outside this folder sees the vendor's words.

mod actions;
mod pages;
mod project;
mod refusal;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use futures::future::try_join_all;
use serde_json::json;

pub use project::ProjectSettings;

use self::actions::{Aim, Going};
use self::project::Project;
use self::wire::ServerBody;
use super::account::TokenError;
use super::budget::Budget;
use super::calls::Calls;
use super::shared_list::SharedList;
use super::transport::Transport;
use super::view::View;
use super::{
    BegunAfter, Fleet, Owner, Priority, Progress, ProviderError, Refusal, Server, ServerId,
    ServerOrder, ServerPower, Servers, SpareAddress,
};
use crate::api::{InstallationName, LABEL_INSTALLATION, ProjectName, ServerName, Uid};

pub struct Hetzner(Arc<Inner>);

struct Inner {
    installation: InstallationName,
    projects: Vec<Project>,
    fleet: View<ServerId, Server, Fleet>,
    addresses: SharedList<Vec<SpareAddress>>,
}

impl Hetzner {
    /// Over the projects, best first, each with the way to it.
    pub fn new(
        installation: InstallationName,
        projects: impl IntoIterator<Item = (ProjectSettings, Transport)>,
        calls: &Arc<Calls>,
    ) -> Result<Self, TokenError> {
        let projects = projects
            .into_iter()
            .map(|(settings, transport)| Project::new(settings, transport, Arc::clone(calls)))
            .collect::<Result<_, _>>()?;
        Ok(Self(Arc::new(Inner {
            installation,
            projects,
            fleet: View::new(|server| server.id.clone(), Fleet::new),
            addresses: SharedList::default(),
        })))
    }

    /// Each project's request budget, for metrics.
    pub fn budgets(&self) -> impl Iterator<Item = (&ProjectName, &Budget)> {
        let projects = self.0.projects.iter();
        projects.map(|project| (&project.name, project.budget()))
    }
}

impl Inner {
    fn project(&self, name: &ProjectName) -> Result<&Project, ProviderError> {
        let found = self.projects.iter().find(|project| &project.name == name);
        found.ok_or_else(|| ProviderError::Refused {
            why: Refusal::Invalid,
            message: format!("there is no project named {name} in the configuration"),
        })
    }

    fn seen(&self, project: &Project, body: ServerBody) -> Server {
        body.seen(&project.name, &self.installation)
    }

    /// All servers of all projects that carry our mark or a name like ours.
    async fn list(&self, priority: Priority) -> Result<Vec<Server>, ProviderError> {
        let lists = self.projects.iter().map(async |project| {
            let all = project.servers(priority).await?;
            let seen = all.into_iter().map(|body| self.seen(project, body));
            Ok(seen.collect::<Vec<_>>())
        });
        let lists = try_join_all(lists).await?;
        let all = lists.into_iter().flatten();
        Ok(all.filter(|server| self.belongs(server)).collect())
    }

    /// Whether it is part of our fleet: it carries our mark or a name like ours.
    fn belongs(&self, server: &Server) -> bool {
        let name = server
            .name
            .as_str()
            .strip_prefix(self.installation.as_str());
        server.owner != Owner::Stranger || name.is_some_and(|rest| rest.starts_with('-'))
    }

    /// Lets everybody see what was read or made just now.
    fn note(&self, server: &Server) {
        if self.belongs(server) {
            self.fleet.note(server.clone());
        } else {
            self.fleet.note_gone(server.id.clone());
        }
    }

    /// Reads one server now, and lets everybody see what was read.
    async fn look(
        &self,
        priority: Priority,
        id: &ServerId,
    ) -> Result<Option<Server>, ProviderError> {
        let project = self.project(&id.project)?;
        if project.actions.is_gone(id.id) {
            return Ok(None);
        }
        let Some(body) = project.server(priority, id.id).await? else {
            self.fleet.note_gone(id.clone());
            return Ok(None);
        };
        let server = self.seen(project, body);
        self.note(&server);
        Ok(Some(server))
    }

    /// Refuses to touch what is not ours, by what was read of it lately or else by looking.
    async fn check_is_ours(&self, priority: Priority, id: &ServerId) -> Result<(), ProviderError> {
        let known = match self.fleet.known_lately(id) {
            Some(server) => Some(server),
            None => self.look(priority, id).await?,
        };
        match known {
            Some(server) if server.owner != Owner::Stranger => Ok(()),
            Some(_) => Err(stale(id, "does not carry our mark")),
            None => Err(gone(id)),
        }
    }

    /// Sends a power action, and lets everybody see that it is under way.
    async fn switch(&self, id: &ServerId, switch: Switch) -> Result<(), ProviderError> {
        self.check_is_ours(Priority::Customer, id).await?;
        let project = self.project(&id.project)?;
        let Switch {
            endpoint,
            verb,
            meanwhile,
            aim,
        } = switch;
        let action = project
            .act(Priority::Customer, endpoint, id.id, verb, None)
            .await?;
        project.actions.follow(id.id, aim, action);
        if let Some(power) = meanwhile {
            self.fleet.note_change(id, |server| server.power = power);
        }
        Ok(())
    }

    /// After a restart, or when somebody else is changing the server: one look at its newest action.
    async fn look_for_action(&self, id: &ServerId) -> Result<Option<Going>, ProviderError> {
        let project = self.project(&id.project)?;
        if project.actions.rests(id.id) {
            return Ok(None);
        }
        let newest = project.newest_action(id.id).await?;
        project.actions.follow(id.id, Aim::Unsaid, newest);
        project.actions.going(project.account(), id.id).await
    }

    /// Lets everybody see what an ended change has made of the server.
    async fn settle(&self, id: &ServerId, aim: Aim) -> Result<(), ProviderError> {
        let power = match aim {
            Aim::Running => Some(ServerPower::Running),
            Aim::Off => Some(ServerPower::Off),
            Aim::Gone => {
                self.fleet.note_gone(id.clone());
                self.project(&id.project)?.actions.bury(id.id);
                None
            }
            Aim::Unsaid => {
                self.look(Priority::Create, id).await?;
                None
            }
        };
        if let Some(power) = power {
            self.fleet.note_change(id, |server| {
                server.power = power;
                server.locked = false;
            });
        }
        self.project(&id.project)?.actions.rest(id.id);
        Ok(())
    }
}

/// A power action: its endpoint, what the server is meanwhile (None: nobody can say) and afterwards.
struct Switch {
    endpoint: &'static str,
    verb: &'static str,
    meanwhile: Option<ServerPower>,
    aim: Aim,
}

fn stale(id: &ServerId, why: &str) -> ProviderError {
    ProviderError::Refused {
        why: Refusal::Stale,
        message: format!("server {id} {why}"),
    }
}

fn gone(id: &ServerId) -> ProviderError {
    ProviderError::Refused {
        why: Refusal::NotFound,
        message: format!("server {id} is gone"),
    }
}

#[async_trait]
impl Servers for Hetzner {
    fn projects(&self) -> Vec<ProjectName> {
        let projects = self.0.projects.iter();
        projects.map(|project| project.name.clone()).collect()
    }

    async fn fleet(
        &self,
        priority: Priority,
        asked: BegunAfter,
    ) -> Result<Arc<Fleet>, ProviderError> {
        let inner = Arc::clone(&self.0);
        let list = move |priority| async move { inner.list(priority).await };
        self.0.fleet.get(priority, asked, list).await
    }

    async fn find(
        &self,
        priority: Priority,
        project: &ProjectName,
        name: &ServerName,
    ) -> Result<Option<Server>, ProviderError> {
        let project = self.0.project(project)?;
        let found = project.server_named(priority, name).await?;
        let found = found.map(|body| self.0.seen(project, body));
        if let Some(server) = &found {
            self.0.note(server);
        }
        Ok(found)
    }

    async fn get(
        &self,
        priority: Priority,
        id: &ServerId,
    ) -> Result<Option<Server>, ProviderError> {
        self.0.look(priority, id).await
    }

    /// The API cannot protect a server in the request that makes it; `protect` is a change of its own.
    async fn create(&self, order: &ServerOrder) -> Result<Server, ProviderError> {
        let project = self.0.project(&order.project)?;
        match project.create(&self.0.installation, order).await {
            Ok(created) => {
                let server = self.0.seen(project, created.server);
                let actions = created.action.into_iter().chain(created.next_actions);
                project.actions.follow(server.id.id, Aim::Running, actions);
                self.0.note(&server);
                Ok(server)
            }
            Err(error) => {
                if error.refusal() == Some(Refusal::NameTaken) {
                    // It may be ours, from a request whose answer was lost, and lists may not show it
                    // yet: the name does.
                    self.find(Priority::Create, &order.project, &order.name)
                        .await?;
                }
                Err(error)
            }
        }
    }

    async fn progress(&self, id: &ServerId) -> Result<Progress, ProviderError> {
        let project = self.0.project(&id.project)?;
        let mut going = project.actions.going(project.account(), id.id).await?;
        if going.is_none() {
            going = self.0.look_for_action(id).await?;
        }
        match going {
            Some(Going::Running { percent }) => Ok(Progress::Running { percent }),
            Some(Going::Failed { code }) => Ok(Progress::Failed { code }),
            Some(Going::Ended(aim)) => {
                self.0.settle(id, aim).await?;
                Ok(Progress::Idle)
            }
            None => Ok(Progress::Idle),
        }
    }

    async fn power_on(&self, id: &ServerId) -> Result<(), ProviderError> {
        let switch = Switch {
            endpoint: "POST /servers/{id}/actions/poweron",
            verb: "poweron",
            meanwhile: Some(ServerPower::Starting),
            aim: Aim::Running,
        };
        self.0.switch(id, switch).await
    }

    /// That the action succeeds means that the request was delivered, not that the server is off.
    async fn shut_down(&self, id: &ServerId) -> Result<(), ProviderError> {
        let switch = Switch {
            endpoint: "POST /servers/{id}/actions/shutdown",
            verb: "shutdown",
            meanwhile: None,
            aim: Aim::Unsaid,
        };
        self.0.switch(id, switch).await
    }

    async fn power_off(&self, id: &ServerId) -> Result<(), ProviderError> {
        let switch = Switch {
            endpoint: "POST /servers/{id}/actions/poweroff",
            verb: "poweroff",
            meanwhile: Some(ServerPower::Stopping),
            aim: Aim::Off,
        };
        self.0.switch(id, switch).await
    }

    /// Labels of others that are on it stay; the API has no way to write only some.
    async fn restore_identity(
        &self,
        id: &ServerId,
        name: &ServerName,
        owner: &Uid,
    ) -> Result<(), ProviderError> {
        let project = self.0.project(&id.project)?;
        let found = project.server(Priority::Create, id.id).await?;
        let mut labels = found.ok_or_else(|| gone(id))?.labels;
        if wire::is_claimed_by_another(&labels, &self.0.installation, owner) {
            return Err(stale(id, "carries somebody else's mark"));
        }
        labels.extend(wire::labels(&self.0.installation, owner));
        let body = project.rename(id.id, name, &labels).await?;
        self.0.note(&self.0.seen(project, body));
        Ok(())
    }

    async fn set_protection(&self, id: &ServerId, protect: bool) -> Result<(), ProviderError> {
        self.0.check_is_ours(Priority::Delete, id).await?;
        let project = self.0.project(&id.project)?;
        let endpoint = "POST /servers/{id}/actions/change_protection";
        // The API takes both or neither.
        let body = json!({"delete": protect, "rebuild": protect});
        project
            .act(
                Priority::Delete,
                endpoint,
                id.id,
                "change_protection",
                Some(body),
            )
            .await?;
        self.0
            .fleet
            .note_change(id, |server| server.protected = protect);
        Ok(())
    }

    async fn delete(&self, id: &ServerId, owner: &Uid) -> Result<(), ProviderError> {
        let Some(server) = self.0.look(Priority::Delete, id).await? else {
            return Err(gone(id));
        };
        if !server.owner.is(owner) {
            return Err(stale(id, "does not carry the instance's mark"));
        }
        let project = self.0.project(&id.project)?;
        let action = project.delete(id.id).await?;
        project.actions.follow(id.id, Aim::Gone, action);
        self.0
            .fleet
            .note_change(id, |server| server.power = ServerPower::Deleting);
        Ok(())
    }

    async fn spare_addresses(
        &self,
        priority: Priority,
        asked: BegunAfter,
    ) -> Result<Vec<SpareAddress>, ProviderError> {
        let inner = Arc::clone(&self.0);
        let list = move |priority| async move {
            let selector = format!("{LABEL_INSTALLATION}={}", inner.installation);
            let lists = inner.projects.iter().map(async |project| {
                let all = project.addresses(priority, &selector).await?;
                let seen = all
                    .into_iter()
                    .map(|body| body.seen(&project.name, &inner.installation));
                Ok(seen.collect::<Vec<_>>())
            });
            Ok(try_join_all(lists).await?.into_iter().flatten().collect())
        };
        let listed = self.0.addresses.get(priority, asked, list).await?;
        Ok(listed.items.to_vec())
    }

    async fn release_address(&self, address: &SpareAddress) -> Result<(), ProviderError> {
        let project = self.0.project(&address.project)?;
        let refused = |why, message: &str| ProviderError::Refused {
            why,
            message: format!("address {}/{} {message}", address.project, address.id),
        };
        let Some(body) = project.address(address.id).await? else {
            return Err(refused(Refusal::NotFound, "is gone"));
        };
        let seen = body.seen(&project.name, &self.0.installation);
        if seen.owner == Owner::Stranger || seen.owner != address.owner {
            return Err(refused(
                Refusal::Stale,
                "does not carry the instance's mark",
            ));
        }
        if seen.assigned {
            return Err(refused(Refusal::Busy, "is in use"));
        }
        project.release(address.id).await
    }
}

#[cfg(test)]
mod tests;
