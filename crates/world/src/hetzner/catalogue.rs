//! What Hetzner sells: locations, server types with their prices, system images. Fixed; what is sold out is `faults`' word.
//! Names, sizes and places are today's; ids and prices are near the real ones and nothing may depend on them.

use std::{borrow::Cow, collections::BTreeMap, sync::LazyLock};

use serde_json::{Value, json};

pub(crate) struct Location {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    city: &'static str,
    country: &'static str,
    description: &'static str,
    latitude: f64,
    longitude: f64,
    zone: &'static str,
}

pub(crate) struct ServerType {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) cores: u64,
    /// GB.
    pub(crate) memory: u64,
    /// GB.
    pub(crate) disk: u64,
    pub(crate) architecture: &'static str,
    cpu_type: &'static str,
    category: &'static str,
    /// Euro cents a month, net.
    cents_monthly: u64,
    locations: &'static [&'static str],
    /// Set when it is no longer to be ordered: announced, unavailable after.
    deprecated: Option<(&'static str, &'static str)>,
}

pub(crate) struct SystemImage {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    description: &'static str,
    flavor: &'static str,
    version: &'static str,
    pub(crate) architecture: &'static str,
}

const EU: &[&str] = &["fsn1", "nbg1", "hel1"];
const EVERYWHERE: &[&str] = &["fsn1", "nbg1", "hel1", "ash", "hil", "sin"];

pub(crate) const LOCATIONS: &[Location] = &[
    location(
        1,
        "fsn1",
        ("Falkenstein", "DE"),
        "Falkenstein DC Park 1",
        (50.476_12, 12.370_071),
        "eu-central",
    ),
    location(
        2,
        "nbg1",
        ("Nuremberg", "DE"),
        "Nuremberg DC Park 1",
        (49.452_102, 11.076_665),
        "eu-central",
    ),
    location(
        3,
        "hel1",
        ("Helsinki", "FI"),
        "Helsinki DC Park 1",
        (60.169_855, 24.938_379),
        "eu-central",
    ),
    location(
        4,
        "ash",
        ("Ashburn, VA", "US"),
        "Ashburn, VA",
        (39.045_821, -77.487_073),
        "us-east",
    ),
    location(
        5,
        "hil",
        ("Hillsboro, OR", "US"),
        "Hillsboro, OR",
        (45.542_22, -122.951_924),
        "us-west",
    ),
    location(
        6,
        "sin",
        ("Singapore", "SG"),
        "Singapore",
        (1.283_333, 103.833_333),
        "ap-southeast",
    ),
];

const fn location(
    id: u64,
    name: &'static str,
    (city, country): (&'static str, &'static str),
    description: &'static str,
    (latitude, longitude): (f64, f64),
    zone: &'static str,
) -> Location {
    Location {
        id,
        name,
        city,
        country,
        description,
        latitude,
        longitude,
        zone,
    }
}

pub(crate) const SERVER_TYPES: &[ServerType] = &[
    ServerType {
        deprecated: Some(("2025-10-16T06:00:00Z", "2026-01-01T00:00:00Z")),
        ..cx(104, "cx22", (2, 4, 40), 379)
    },
    cx(114, "cx23", (2, 4, 40), 349),
    cx(115, "cx33", (4, 8, 80), 549),
    cx(116, "cx43", (8, 16, 160), 949),
    cx(117, "cx53", (16, 32, 320), 1_749),
    cax(45, "cax11", (2, 4, 40), 379),
    cax(93, "cax21", (4, 8, 80), 649),
    cax(94, "cax31", (8, 16, 160), 1_249),
    cax(95, "cax41", (16, 32, 320), 2_449),
    cpx(22, "cpx11", (2, 2, 40), 435),
    cpx(23, "cpx21", (3, 4, 80), 755),
    cpx(24, "cpx31", (4, 8, 160), 1_359),
    ccx(96, "ccx13", (2, 8, 80), 1_249),
    ccx(97, "ccx23", (4, 16, 160), 2_449),
    ccx(98, "ccx33", (8, 32, 240), 4_849),
];

type Size = (u64, u64, u64);

const fn cx(
    id: u64,
    name: &'static str,
    (cores, memory, disk): Size,
    cents_monthly: u64,
) -> ServerType {
    ServerType {
        id,
        name,
        cores,
        memory,
        disk,
        architecture: "x86",
        cpu_type: "shared",
        category: "Cost-Optimized",
        cents_monthly,
        locations: EU,
        deprecated: None,
    }
}

const fn cax(id: u64, name: &'static str, size: Size, cents_monthly: u64) -> ServerType {
    ServerType {
        architecture: "arm",
        ..cx(id, name, size, cents_monthly)
    }
}

const fn cpx(id: u64, name: &'static str, size: Size, cents_monthly: u64) -> ServerType {
    ServerType {
        category: "Regular Purpose",
        locations: EVERYWHERE,
        ..cx(id, name, size, cents_monthly)
    }
}

const fn ccx(id: u64, name: &'static str, size: Size, cents_monthly: u64) -> ServerType {
    ServerType {
        cpu_type: "dedicated",
        category: "General Purpose",
        ..cpx(id, name, size, cents_monthly)
    }
}

pub(crate) const IMAGES: &[SystemImage] = &[
    image(
        161_547_269,
        "ubuntu-24.04",
        "Ubuntu 24.04",
        ("ubuntu", "24.04"),
        "x86",
    ),
    image(
        161_547_270,
        "ubuntu-24.04",
        "Ubuntu 24.04",
        ("ubuntu", "24.04"),
        "arm",
    ),
    image(
        67_794_396,
        "ubuntu-22.04",
        "Ubuntu 22.04",
        ("ubuntu", "22.04"),
        "x86",
    ),
    image(
        114_690_387,
        "debian-12",
        "Debian 12",
        ("debian", "12"),
        "x86",
    ),
    image(
        114_690_389,
        "debian-12",
        "Debian 12",
        ("debian", "12"),
        "arm",
    ),
    image(
        310_557_660,
        "debian-13",
        "Debian 13",
        ("debian", "13"),
        "x86",
    ),
    image(
        310_557_661,
        "debian-13",
        "Debian 13",
        ("debian", "13"),
        "arm",
    ),
];

const fn image(
    id: u64,
    name: &'static str,
    description: &'static str,
    (flavor, version): (&'static str, &'static str),
    architecture: &'static str,
) -> SystemImage {
    SystemImage {
        id,
        name,
        description,
        flavor,
        version,
        architecture,
    }
}

pub(crate) fn location_named(name: &str) -> Option<&'static Location> {
    LOCATIONS.iter().find(|location| location.name == name)
}

pub(crate) fn server_type_named(name: &str) -> Option<&'static ServerType> {
    SERVER_TYPES
        .iter()
        .find(|server_type| server_type.name == name)
}

/// Everything as the API shows it when there is room everywhere. Drawn once: it is part of every server shown.
struct Shown {
    locations: BTreeMap<&'static str, Value>,
    server_types: BTreeMap<&'static str, Value>,
    images: BTreeMap<u64, Value>,
}

static SHOWN: LazyLock<Shown> = LazyLock::new(|| Shown {
    locations: LOCATIONS
        .iter()
        .map(|location| (location.name, location.draw()))
        .collect(),
    server_types: SERVER_TYPES
        .iter()
        .map(|one| (one.name, one.draw(|_| true)))
        .collect(),
    images: IMAGES
        .iter()
        .map(|image| (image.id, image.draw()))
        .collect(),
});

/// A location as the API shows it.
pub(crate) fn show_location(name: &str) -> Option<&'static Value> {
    SHOWN.locations.get(name)
}

/// A system image as the API shows it.
pub(crate) fn show_image(id: u64) -> Option<&'static Value> {
    SHOWN.images.get(&id)
}

impl Location {
    fn draw(&self) -> Value {
        json!({
            "id": self.id, "name": self.name, "city": self.city, "country": self.country,
            "description": self.description, "latitude": self.latitude, "longitude": self.longitude,
            "network_zone": self.zone,
        })
    }
}

impl ServerType {
    pub(crate) fn is_sold_in(&self, location: &str) -> bool {
        self.locations.contains(&location)
    }

    pub(crate) fn is_withdrawn(&self) -> bool {
        self.deprecated.is_some()
    }

    /// The first location that sells it.
    pub(crate) fn home(&self) -> &'static str {
        self.locations.first().copied().unwrap_or("fsn1")
    }

    /// As the API shows it; `available` says whether a location has room for it now.
    pub(crate) fn show(&self, available: impl Fn(&str) -> bool) -> Cow<'static, Value> {
        match SHOWN.server_types.get(self.name) {
            Some(shown) if self.locations.iter().all(|location| available(location)) => {
                Cow::Borrowed(shown)
            }
            Some(_) | None => Cow::Owned(self.draw(available)),
        }
    }

    fn draw(&self, available: impl Fn(&str) -> bool) -> Value {
        let deprecation = self.deprecated.map(
            |(announced, after)| json!({ "announced": announced, "unavailable_after": after }),
        );
        let sold = LOCATIONS
            .iter()
            .filter(|location| self.is_sold_in(location.name));
        let locations: Vec<Value> = sold
            .map(|location| {
                let open = deprecation.is_none() && available(location.name);
                json!({
                    "id": location.id, "name": location.name, "deprecation": deprecation,
                    "available": open, "recommended": open && self.cpu_type == "shared",
                })
            })
            .collect();
        json!({
            "id": self.id, "name": self.name, "description": self.name.to_uppercase(), "cores": self.cores,
            "memory": self.memory, "disk": self.disk, "deprecated": self.deprecated.is_some(),
            "deprecation": deprecation, "category": self.category, "cpu_type": self.cpu_type,
            "architecture": self.architecture, "storage_type": "local", "locations": locations, "prices": self.prices(),
        })
    }

    fn prices(&self) -> Vec<Value> {
        const INCLUDED_BYTES: u64 = 21_990_232_555_520;
        let per_location = |location: &&str| {
            json!({
                "location": location, "included_traffic": INCLUDED_BYTES,
                "price_hourly": hourly(self.cents_monthly), "price_monthly": price(self.cents_monthly * 10_000),
                "price_per_tb_traffic": price(1_000_000),
            })
        };
        self.locations.iter().map(per_location).collect()
    }

    pub(crate) fn show_prices(&self) -> Value {
        json!({ "id": self.id, "name": self.name, "prices": self.prices() })
    }
}

impl SystemImage {
    fn draw(&self) -> Value {
        json!({
            "id": self.id, "name": self.name, "description": self.description, "type": "system", "status": "available",
            "image_size": null, "disk_size": 5, "created": "2025-08-18T06:00:00Z", "created_from": null,
            "bound_to": null, "os_flavor": self.flavor, "os_version": self.version, "rapid_deploy": true,
            "protection": { "delete": false }, "deprecated": null, "deleted": null, "labels": {},
            "architecture": self.architecture,
        })
    }
}

/// A price in millionths of a euro, as net and gross strings; VAT 19 %.
fn price(millionths: u64) -> Value {
    let gross = millionths * 119 / 100;
    let written = |millionths: u64| {
        format!(
            "{}.{:06}0000",
            millionths / 1_000_000,
            millionths % 1_000_000
        )
    };
    json!({ "net": written(millionths), "gross": written(gross) })
}

/// The hourly price at which a month of 624 hours reaches the monthly one.
fn hourly(cents_monthly: u64) -> Value {
    price(cents_monthly * 10_000 / 624)
}

/// `GET /pricing`, the parts that are sold here.
pub(crate) fn pricing() -> Value {
    let everywhere = |prices: fn(&str) -> Value| -> Vec<Value> {
        LOCATIONS
            .iter()
            .map(|location| prices(location.name))
            .collect()
    };
    let ipv4 = everywhere(
        |name| json!({ "location": name, "price_hourly": hourly(50), "price_monthly": price(500_000) }),
    );
    let ipv6 = everywhere(
        |name| json!({ "location": name, "price_hourly": price(0), "price_monthly": price(0) }),
    );
    let server_types: Vec<Value> = SERVER_TYPES.iter().map(ServerType::show_prices).collect();
    json!({
        "currency": "EUR", "vat_rate": "19.00", "image": { "price_per_gb_month": price(11_000) },
        "volume": { "price_per_gb_month": price(44_000) }, "server_backup": { "percentage": "20.00" },
        "floating_ip": { "price_monthly": price(3_000_000) }, "floating_ips": [], "load_balancer_types": [],
        "primary_ips": [{ "type": "ipv4", "prices": ipv4 }, { "type": "ipv6", "prices": ipv6 }],
        "server_types": server_types,
    })
}
