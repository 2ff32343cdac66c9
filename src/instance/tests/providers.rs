//! The seeded world as the controller meets it: the provider traits.

use super::*;

#[async_trait]
impl Servers for World {
    fn projects(&self) -> Vec<ProjectName> {
        vec![ProjectName::parse("main").unwrap()]
    }

    async fn fleet(&self, _: Priority, _: BegunAfter) -> Result<Arc<Fleet>, ProviderError> {
        self.call(|inner| {
            let now = Instant::now();
            let visible = inner
                .servers
                .values()
                .filter(|(_, _, visible)| *visible <= now);
            let servers: Vec<_> = visible
                .map(|(server, born, _)| shown(server, *born))
                .collect();
            Ok(Arc::new(Fleet::new(servers, now)))
        })
    }

    async fn find(
        &self,
        _: Priority,
        _: &ProjectName,
        name: &ServerName,
    ) -> Result<Option<Server>, ProviderError> {
        self.call(|inner| {
            Ok(inner
                .servers
                .values()
                .map(|(s, b, _)| shown(s, *b))
                .find(|s| &s.name == name))
        })
    }

    async fn get(&self, _: Priority, id: &ServerId) -> Result<Option<Server>, ProviderError> {
        self.call(|inner| {
            Ok(inner
                .servers
                .get(&id.id)
                .map(|(server, born, _)| shown(server, *born)))
        })
    }

    async fn create(&self, order: &ServerOrder) -> Result<Server, ProviderError> {
        self.call(|inner| {
            if inner
                .servers
                .values()
                .any(|(server, _, _)| server.name == order.name)
            {
                return Err(ProviderError::Refused {
                    why: Refusal::NameTaken,
                    message: "name is taken".into(),
                });
            }
            inner.next_id += 1;
            inner.bought += 1;
            let lag = if inner.calm {
                0
            } else {
                inner.draw(LIST_LAG_MAX_MS)
            };
            let server = Server {
                id: ServerId {
                    project: order.project.clone(),
                    id: inner.next_id,
                },
                name: order.name.clone(),
                owner: Owner::Ours(order.owner.clone()),
                labels_intact: true,
                power: ServerPower::Starting,
                locked: false,
                protected: order.protect,
                server_type: order.placement.server_type.clone(),
                location: order.placement.location.clone(),
                ipv4: Some(Ipv4Addr::new(127, 64, 0, 1)),
                ipv6: None,
                created: jiff::Timestamp::UNIX_EPOCH,
                hourly_price_microcents: 0,
            };
            let now = Instant::now();
            inner.servers.insert(
                inner.next_id,
                (server.clone(), now, now + Duration::from_millis(lag)),
            );
            inner.alive_max = inner.alive_max.max(inner.servers.len());
            Ok(server)
        })
    }

    async fn progress(&self, id: &ServerId) -> Result<Progress, ProviderError> {
        self.call(|inner| match inner.servers.get(&id.id) {
            Some((_, born, _)) if born.elapsed() < BOOT => Ok(Progress::Running { percent: 50 }),
            Some(_) | None => Ok(Progress::Idle),
        })
    }

    async fn power_on(&self, id: &ServerId) -> Result<(), ProviderError> {
        self.power(id, ServerPower::Running)
    }

    async fn shut_down(&self, id: &ServerId) -> Result<(), ProviderError> {
        self.power(id, ServerPower::Off)
    }

    async fn power_off(&self, id: &ServerId) -> Result<(), ProviderError> {
        self.power(id, ServerPower::Off)
    }

    async fn restore_identity(
        &self,
        id: &ServerId,
        name: &ServerName,
        owner: &Uid,
    ) -> Result<(), ProviderError> {
        self.call(|inner| {
            if let Some((server, _, _)) = inner.servers.get_mut(&id.id) {
                server.name = name.clone();
                server.owner = Owner::Ours(owner.clone());
                server.labels_intact = true;
            }
            Ok(())
        })
    }

    async fn set_protection(&self, id: &ServerId, protect: bool) -> Result<(), ProviderError> {
        self.call(|inner| {
            if let Some((server, _, _)) = inner.servers.get_mut(&id.id) {
                server.protected = protect;
            }
            Ok(())
        })
    }

    async fn delete(&self, id: &ServerId, owner: &Uid) -> Result<(), ProviderError> {
        self.call(|inner| {
            let ours = inner
                .servers
                .get(&id.id)
                .is_some_and(|(server, _, _)| server.owner.is(owner));
            if !ours {
                return Err(ProviderError::Refused {
                    why: Refusal::NotFound,
                    message: "gone".into(),
                });
            }
            inner.servers.remove(&id.id);
            Ok(())
        })
    }

    async fn spare_addresses(
        &self,
        _: Priority,
        _: BegunAfter,
    ) -> Result<Vec<SpareAddress>, ProviderError> {
        self.call(|_| Ok(Vec::new()))
    }

    async fn release_address(&self, _: &SpareAddress) -> Result<(), ProviderError> {
        self.call(|_| Ok(()))
    }
}

impl World {
    fn power(&self, id: &ServerId, power: ServerPower) -> Result<(), ProviderError> {
        self.call(|inner| {
            if let Some((server, _, _)) = inner.servers.get_mut(&id.id) {
                server.power = power;
            }
            Ok(())
        })
    }
}

#[async_trait]
impl Dns for World {
    fn zone_name(&self) -> &'static str {
        "clawdet.example"
    }

    async fn zone(&self, _: Priority, _: BegunAfter) -> Result<Arc<Zone>, ProviderError> {
        self.call(|inner| {
            Ok(Arc::new(Zone::new(
                inner.records.values().cloned(),
                Instant::now(),
            )))
        })
    }

    async fn change(
        &self,
        _: Priority,
        host: &Hostname,
        owner: &Uid,
        change: &RecordChange,
    ) -> Result<(), ProviderError> {
        self.call(|inner| {
            let same = |target: &Target| {
                inner
                    .records
                    .values()
                    .any(|record| &record.host == host && record.target == Some(*target))
            };
            if change.create.iter().any(same) {
                return Err(ProviderError::Refused {
                    why: Refusal::AlreadyExists,
                    message: "81058".into(),
                });
            }
            for id in &change.delete {
                inner.records.remove(id);
            }
            for (id, target) in &change.update {
                if let Some(record) = inner.records.get_mut(id) {
                    record.target = Some(*target);
                }
            }
            for target in &change.create {
                inner.next_id += 1;
                let id = inner.next_id.to_string();
                let owner = Owner::Ours(owner.clone());
                let record = Record {
                    id: id.clone(),
                    host: host.clone(),
                    owner,
                    target: Some(*target),
                    proxied: false,
                };
                inner.records.insert(id, record);
            }
            Ok(())
        })
    }
}

#[async_trait]
impl Secrets for World {
    async fn read(&self, path: &SecretPath) -> Result<Option<SecretVersion>, ProviderError> {
        self.call(|inner| {
            Ok(inner
                .secrets
                .get(path)
                .map(|(values, version)| SecretVersion {
                    values: values.clone(),
                    version: *version,
                }))
        })
    }

    async fn write(
        &self,
        path: &SecretPath,
        values: &SecretValues,
        expected: u64,
    ) -> Result<u64, ProviderError> {
        self.call(|inner| {
            let current = inner.secrets.get(path).map_or(0, |(_, version)| *version);
            if current != expected {
                return Err(ProviderError::Refused {
                    why: Refusal::Stale,
                    message: "cas".into(),
                });
            }
            inner
                .secrets
                .insert(path.clone(), (values.clone(), current + 1));
            Ok(current + 1)
        })
    }

    async fn destroy(&self, path: &SecretPath) -> Result<(), ProviderError> {
        self.call(|inner| {
            inner.secrets.remove(path);
            Ok(())
        })
    }
}

#[async_trait]
impl Guests for World {
    async fn startup(&self, _: Ipv4Addr) -> GuestState {
        GuestState::Started {
            version: Some("2026.9.6".into()),
        }
    }
}
