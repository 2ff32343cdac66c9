//! Reads everything the plan needs, by derived name and mark, from the world and the cluster.
//! "Cannot read" is an error and never "absent".

use super::Controller;
use super::desired::{Desired, Life, Wanted};
use super::plan::{Observed, Offer};
use crate::api::{Power, Uid};
use crate::controller::VisitError;
use crate::provider::{
    BegunAfter, GuestState, Priority, Progress, Record, SecretPath, Server, ServerPower,
    SpareAddress, Zone,
};

pub(super) async fn observe(here: &Controller, desired: &Desired) -> Result<Observed, VisitError> {
    let mut seen = Observed {
        projects: here.servers.projects(),
        refused: here.notes.refused(),
        ..Observed::default()
    };
    if let Life::Wanted(wanted) = &desired.life {
        look_up_cluster(here, desired, wanted, &mut seen);
    }
    seen.secrets_issued = here
        .secrets
        .read(&gateway_secret(&desired.uid))
        .await
        .map_err(VisitError::secrets("read the instance's secrets"))?
        .is_some();
    let asked = here.notes.fresh(&desired.uid, here.settings.list_ages);
    observe_servers(here, desired, asked, &mut seen).await?;
    observe_records(here, desired, asked, &mut seen).await?;
    Ok(seen)
}

/// Where an instance's own secrets live.
pub(super) fn gateway_secret(uid: &Uid) -> SecretPath {
    SecretPath(format!("instances/{uid}/gateway"))
}

fn look_up_cluster(here: &Controller, desired: &Desired, wanted: &Wanted, seen: &mut Observed) {
    seen.standing = here.catalog.standing(&wanted.customer);
    seen.offer = here.catalog.plan(&wanted.plan).map(|plan| Offer {
        placement: plan.placement.clone(),
        image: plan.image.clone(),
    });
    let subdomain = wanted
        .hostname
        .as_str()
        .split('.')
        .next()
        .unwrap_or_default();
    seen.rival = here.catalog.has_rival(subdomain, &desired.uid);
}

/// In which class this visit asks: what fails while the budget is low is what nobody waits for.
fn urgency(here: &Controller, desired: &Desired) -> Priority {
    if desired.life == Life::Deleting {
        Priority::Delete
    } else if desired.recorded.is_none() || here.notes.is_unsettled(&desired.uid) {
        Priority::Create
    } else {
        Priority::Resync
    }
}

async fn observe_servers(
    here: &Controller,
    desired: &Desired,
    asked: BegunAfter,
    seen: &mut Observed,
) -> Result<(), VisitError> {
    let deleting = desired.life == Life::Deleting;
    let priority = urgency(here, desired);
    let fleet = here
        .servers
        .fleet(priority, asked)
        .await
        .map_err(VisitError::provider("list the servers"))?;
    let mut servers: Vec<Server> = fleet
        .of(&desired.uid, &desired.server_name)
        .into_iter()
        .cloned()
        .collect();
    if let Some(recorded) = &desired.recorded
        && !servers.iter().any(|server| &server.id == recorded)
    {
        // A list may lag behind, and labels and name may have been changed by hand: the id decides.
        let found = here
            .servers
            .get(priority, recorded)
            .await
            .map_err(VisitError::provider("look up the recorded server"))?;
        servers.extend(found);
    }
    look_at_shutdown(here, &mut servers).await?;
    if let Some(server) = servers.first() {
        here.notes.is_present(&desired.uid);
        seen.progress = observe_progress(here, desired, server).await?;
        seen.shutting_down_for = here.notes.shutting_down_for(&server.id);
        seen.guest = observe_guest(here, desired, server).await;
    } else if deleting {
        seen.absent_for = here.notes.absent(&desired.uid, fleet.begun());
        seen.spare_addresses = spare_addresses(here, &desired.uid, asked).await?;
    }
    seen.servers = servers;
    Ok(())
}

/// A shutdown ends when the operating system has stopped: no action tells, and a list is too old.
async fn look_at_shutdown(here: &Controller, servers: &mut Vec<Server>) -> Result<(), VisitError> {
    let Some(server) = servers.first() else {
        return Ok(());
    };
    let asked = here.notes.shutting_down_for(&server.id);
    if asked.is_none() || server.power != ServerPower::Running {
        return Ok(());
    }
    let now = here
        .servers
        .get(Priority::Customer, &server.id)
        .await
        .map_err(VisitError::provider("look up the server"))?;
    servers.splice(..1, now);
    Ok(())
}

/// Asked only while the server is on its way somewhere: a settled server costs no call.
async fn observe_progress(
    here: &Controller,
    desired: &Desired,
    server: &Server,
) -> Result<Option<Progress>, VisitError> {
    let settled = match &desired.life {
        Life::Wanted(wanted) => match server.power {
            ServerPower::Running => !server.locked,
            ServerPower::Off => wanted.power == Power::Stopped,
            ServerPower::Starting
            | ServerPower::Stopping
            | ServerPower::Deleting
            | ServerPower::Unknown => false,
        },
        Life::Deleting => server.power != ServerPower::Deleting,
    };
    if settled {
        return Ok(None);
    }
    let progress = here
        .servers
        .progress(&server.id)
        .await
        .map_err(VisitError::provider("poll the server's action"))?;
    if progress == Progress::Idle && desired.life == Life::Deleting {
        // Only lists begun from now on prove that it is gone.
        here.notes.doubt(&desired.uid);
    }
    Ok(Some(progress))
}

async fn observe_guest(
    here: &Controller,
    desired: &Desired,
    server: &Server,
) -> Option<GuestState> {
    if server.power != ServerPower::Running || desired.life == Life::Deleting {
        return None;
    }
    Some(here.guests.startup(server.ipv4?).await)
}

async fn spare_addresses(
    here: &Controller,
    uid: &Uid,
    asked: BegunAfter,
) -> Result<Vec<SpareAddress>, VisitError> {
    let all = here
        .servers
        .spare_addresses(Priority::Delete, asked)
        .await
        .map_err(VisitError::provider("list the addresses"))?;
    Ok(all
        .into_iter()
        .filter(|address| address.owner.is(uid))
        .collect())
}

async fn observe_records(
    here: &Controller,
    desired: &Desired,
    asked: BegunAfter,
    seen: &mut Observed,
) -> Result<(), VisitError> {
    let zone = here
        .dns
        .zone(urgency(here, desired), asked)
        .await
        .map_err(VisitError::provider("list the DNS records"))?;
    seen.records = records(&zone, desired);
    Ok(())
}

fn records(zone: &Zone, desired: &Desired) -> Vec<Record> {
    let ours = zone.of(&desired.uid).iter();
    let here = match &desired.life {
        Life::Wanted(wanted) => zone.at(&wanted.hostname),
        Life::Deleting => &[],
    };
    let strangers = here.iter().filter(|record| !record.owner.is(&desired.uid));
    ours.chain(strangers).cloned().collect()
}
