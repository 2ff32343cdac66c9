//! Servers and addresses as the snapshot shows them.

use jiff::Timestamp;
use serde::Serialize;

use super::{State, primary_ip::Family, selector::Labels, server::Status};
use crate::clock::{Clock, Millis};

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServerRow {
    pub id: u64,
    pub project: String,
    pub name: String,
    pub labels: Labels,
    pub status: Status,
    pub server_type: String,
    pub location: String,
    pub ipv4: Option<String>,
    pub created: Timestamp,
    /// When it goes or went; set as soon as its deletion is accepted.
    pub gone: Option<Timestamp>,
    pub user_data: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PrimaryIpRow {
    pub id: u64,
    pub project: String,
    pub ip: String,
    pub server: Option<u64>,
}

impl State {
    pub(crate) fn server_rows(&self, now: Millis, clock: &Clock) -> Vec<ServerRow> {
        let ipv4 = |server: u64| {
            let address = self.show_address(server, Family::Ipv4, now);
            address["ip"].as_str().map(str::to_owned)
        };
        let row = |server: &super::server::Server| ServerRow {
            id: server.id,
            project: server.project.clone(),
            name: server.name.clone(),
            labels: server.labels.clone(),
            status: server.status(now),
            server_type: server.type_name.clone(),
            location: server.location.clone(),
            ipv4: ipv4(server.id),
            created: clock.stamp(server.created),
            gone: server.gone.map(|gone| clock.stamp(gone)),
            user_data: server.user_data.clone(),
        };
        self.servers.values().map(row).collect()
    }

    /// The addresses that are there.
    pub(crate) fn primary_ip_rows(&self, now: Millis) -> Vec<PrimaryIpRow> {
        let there = self.primary_ips.values().filter(|ip| ip.is_there(now));
        there
            .map(|ip| PrimaryIpRow {
                id: ip.id,
                project: ip.project.clone(),
                ip: ip.ip.clone(),
                server: ip.assignee(now),
            })
            .collect()
    }
}
