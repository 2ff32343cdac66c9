//! Which resources are served: the built-in ones, and those the stored definitions add.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::builtin::{self, Builtin};
use crate::definition;
use crate::discovery::Resource;
use crate::ledger::Ledger;
use crate::schema::Schema;
use crate::status::{Failure, Qualified};
use crate::table::Column;

/// Where the definitions are kept, as the ledger names it.
pub(crate) const DEFINITIONS: &str = "customresourcedefinitions.apiextensions.k8s.io";

/// One resource in one of its versions.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) info: Resource,
    /// `group/version`, or `v1`.
    pub(crate) api_version: String,
    /// As the ledger names it: the same for every version.
    pub(crate) stored_as: Arc<str>,
    /// The `apiVersion` objects are stored in.
    pub(crate) stored_version: String,
    pub(crate) schema: Schema,
    /// What the client may read of the schema.
    pub(crate) described: Option<Value>,
    pub(crate) columns: Vec<Column>,
    pub(crate) selectable: Vec<String>,
    pub(crate) nature: Nature,
    /// Said to everybody who uses this version.
    pub(crate) deprecation: Option<String>,
}

/// Where a resource's rules come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nature {
    Builtin(Builtin),
    /// A definition made at `version`: what was stored before may lack its defaults.
    Custom {
        version: u64,
    },
}

impl Served {
    /// As it is named in messages about objects: `plural.group`.
    pub(crate) fn resource(&self) -> Qualified {
        Qualified {
            name: self.info.plural.clone(),
            group: self.info.group.clone(),
        }
    }

    /// As it is named in messages about values: `Kind.group`.
    pub(crate) fn kind(&self) -> Qualified {
        Qualified {
            name: self.info.kind.clone(),
            group: self.info.group.clone(),
        }
    }

    pub(crate) fn builtin(&self) -> Option<Builtin> {
        match self.nature {
            Nature::Builtin(builtin) => Some(builtin),
            Nature::Custom { .. } => None,
        }
    }
}

/// A schema that takes every object as it is.
pub(crate) fn anything() -> Value {
    json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
}

/// Everything that is served, as of one version of the definitions.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) version: u64,
    served: Vec<Arc<Served>>,
    places: HashMap<(String, String, String), usize>,
    defined: HashMap<String, (u64, Vec<Arc<Served>>)>,
}

impl Registry {
    /// Only what is built in.
    pub(crate) fn builtin() -> Self {
        Self::of(0, HashMap::new())
    }

    /// With today's definitions; those that have not changed are not compiled again.
    pub(crate) fn refreshed(&self, ledger: &Ledger) -> Self {
        // The version first: whatever comes after it makes the next look refresh again.
        let version = ledger.version_of(DEFINITIONS);
        let definitions = ledger.all(DEFINITIONS);
        let defined = definitions.iter().map(|definition| {
            let name = definition.name();
            let compiled = match self.defined.get(name) {
                Some((version, served)) if *version == definition.version() => served.clone(),
                Some(_) | None => definition::serve(&definition.value(), definition.version()),
            };
            (name.to_owned(), (definition.version(), compiled))
        });
        Self::of(version, defined.collect())
    }

    fn of(version: u64, defined: HashMap<String, (u64, Vec<Arc<Served>>)>) -> Self {
        let mut names: Vec<_> = defined.keys().collect();
        names.sort();
        let custom = names
            .into_iter()
            .flat_map(|name| defined[name].1.iter().cloned());
        let served: Vec<Arc<Served>> = builtin::served().into_iter().chain(custom).collect();
        let places = served.iter().enumerate().map(|(at, served)| {
            let Resource {
                group,
                version,
                plural,
                ..
            } = &served.info;
            ((group.clone(), version.clone(), plural.clone()), at)
        });
        Self {
            version,
            places: places.collect(),
            served,
            defined,
        }
    }

    pub(crate) fn find(&self, group: &str, version: &str, plural: &str) -> Option<&Arc<Served>> {
        let place = (group.to_owned(), version.to_owned(), plural.to_owned());
        self.places.get(&place).map(|at| &self.served[*at])
    }

    /// Is anything of that group served in that version?
    pub(crate) fn has(&self, group: &str, version: &str) -> bool {
        let of_it =
            |served: &Arc<Served>| served.info.group == group && served.info.version == version;
        self.served.iter().any(of_it)
    }

    /// A built-in group answers for what it lacks itself; of any other nobody knows.
    pub(crate) fn not_served(&self, group: &str) -> Failure {
        let mut builtin = self
            .served
            .iter()
            .filter(|served| served.builtin().is_some());
        if builtin.any(|served| served.info.group == group) {
            Failure::NoSuchResource
        } else {
            Failure::NoSuchPath
        }
    }

    pub(crate) fn served(&self) -> &[Arc<Served>] {
        &self.served
    }

    pub(crate) fn resources(&self) -> Vec<Resource> {
        self.served
            .iter()
            .map(|served| served.info.clone())
            .collect()
    }
}
