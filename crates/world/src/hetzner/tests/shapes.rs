//! The shape of every answer, against the fields that Hetzner's API description (2026-02, with the changes of 2026 laid over
//! it) requires.

use super::*;

const SERVER: &str = "backup_window created id image included_traffic ingoing_traffic iso labels location locked name \
    outgoing_traffic primary_disk_size private_net protection public_net rescue_enabled server_type status";
const ACTION: &str = "command error finished id progress resources started status";
const IMAGE: &str = "architecture bound_to created created_from deleted deprecated description disk_size id image_size \
    labels name os_flavor os_version protection status type";
const SERVER_TYPE: &str = "architecture cores cpu_type deprecated description disk id locations memory name prices \
    storage_type";
const PRIMARY_IP: &str = "assignee_id assignee_type auto_delete blocked created dns_ptr id ip labels location name \
    protection type";
const FIREWALL: &str = "applied_to created id labels name rules";
const SSH_KEY: &str = "created fingerprint id labels name public_key";
const LOCATION: &str = "city country description id latitude longitude name network_zone";
const PRICING: &str = "currency floating_ip floating_ips image load_balancer_types primary_ips server_backup \
    server_types vat_rate volume";
const PAGINATION: &str = "last_page next_page page per_page previous_page total_entries";

/// Which of the fields are missing.
fn missing<'a>(shown: &Value, fields: &'a str) -> Vec<&'a str> {
    fields
        .split_whitespace()
        .filter(|field| shown.get(field).is_none())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn every_answer_has_the_fields_the_description_requires() {
    let client = Client::new(at_once());
    let key =
        json!({ "name": "ops", "public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJ0b3A= ops" });
    client.post("/ssh_keys", key).await;
    client.post("/firewalls", json!({ "name": "web" })).await;
    let made = client.post("/servers", new_server("one")).await;
    for (path, list, fields) in [
        ("/servers", "servers", SERVER),
        ("/servers/actions", "actions", ACTION),
        ("/images", "images", IMAGE),
        ("/server_types", "server_types", SERVER_TYPE),
        ("/primary_ips", "primary_ips", PRIMARY_IP),
        ("/firewalls", "firewalls", FIREWALL),
        ("/ssh_keys", "ssh_keys", SSH_KEY),
        ("/locations", "locations", LOCATION),
    ] {
        let answer = client.get(path).await;
        let rows = answer[list].as_array().unwrap();
        assert!(!rows.is_empty(), "{path}");
        for row in rows {
            assert_eq!(missing(row, fields), Vec::<&str>::new(), "{path}: {row}");
        }
        assert_eq!(
            missing(&answer["meta"]["pagination"], PAGINATION),
            Vec::<&str>::new(),
            "{path}"
        );
    }
    let server = &made["server"];
    for (shown, fields) in [
        (&made["action"], ACTION),
        (&server["image"], IMAGE),
        (&server["server_type"], SERVER_TYPE),
        (&server["location"], LOCATION),
        (&server["public_net"], "firewalls floating_ips ipv4 ipv6"),
        (&server["public_net"]["ipv4"], "id ip blocked dns_ptr"),
        (
            &server["server_type"]["locations"][0],
            "id name deprecation available recommended",
        ),
        (&client.get("/pricing").await["pricing"], PRICING),
    ] {
        assert_eq!(missing(shown, fields), Vec::<&str>::new(), "{shown}");
    }
    for shown in [server, &client.get("/primary_ips").await["primary_ips"][0]] {
        assert!(shown.get("datacenter").is_none(), "removed on 2026-07-01");
    }
}

#[tokio::test(start_paused = true)]
async fn every_error_has_code_message_and_details_and_no_path_is_unknown_silently() {
    let client = Client::new(at_once());
    for (method, path, status) in [
        ("GET", "/servers/1", StatusCode::NOT_FOUND),
        ("GET", "/servers/one", StatusCode::NOT_FOUND),
        ("GET", "/unheard_of", StatusCode::NOT_FOUND),
        ("PATCH", "/servers", StatusCode::NOT_FOUND),
        ("POST", "/servers", StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let (answered, body) = client.ask(method, path, None).await;
        assert_eq!(answered, status, "{method} {path}");
        assert_eq!(
            missing(&body["error"], "code message details"),
            Vec::<&str>::new(),
            "{method} {path}"
        );
    }
    let request =
        Request::post("/v1/servers").header("authorization", format!("Bearer {}", client.token));
    let torn = client
        .deliver(request.body(Body::from("{\"name\":")).unwrap())
        .await;
    assert_eq!(torn.status(), StatusCode::BAD_REQUEST);
}
