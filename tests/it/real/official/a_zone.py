"""A DNS zone's life through Hetzner's own Python library. Standard input: {"url", "token"}."""

from hcloud.zones import ZonePrimaryNameserver, ZoneRecord, ZoneRRSet
from setting import client, refused

www = ZoneRRSet(name="www", type="A", records=[ZoneRecord("192.0.2.1")])
made = client.zones.create(name="example.com", mode="primary", ttl=300, labels={"owner": "ada"}, rrsets=[www])
made.action.wait_until_finished()
zone = client.zones.get("example.com")
assert (zone.mode, zone.ttl, zone.status, zone.record_count) == ("primary", 300, "ok", 5)
assert len(zone.authoritative_nameservers.assigned) == 3
refused("uniqueness_error", client.zones.create, name="example.com", mode="primary")
refused("invalid_input", client.zones.create, name="example.org", mode="primary", ttl=59)

record = ZoneRecord("192.0.2.2", comment="second")
made = zone.create_rrset(name="api", type="A", ttl=60, records=[record], labels={"uid": "1"})
made.action.wait_until_finished()
api = zone.get_rrset("api", "A")
assert (api.id, api.ttl, api.records[0].comment) == ("api/A", 60, "second")
assert [found.id for found in zone.get_rrset_all(label_selector="uid=1")] == ["api/A"]
refused("uniqueness_error", zone.create_rrset, name="api", type="A", records=[record])
zone.set_rrset_records(api, [ZoneRecord("192.0.2.3")]).wait_until_finished()
zone.set_rrset_records(api, [ZoneRecord("192.0.2.3")]).wait_until_finished()
zone.add_rrset_records(api, [ZoneRecord("192.0.2.4")]).wait_until_finished()
zone.update_rrset_records(api, [ZoneRecord("192.0.2.4", comment="fourth")]).wait_until_finished()
zone.remove_rrset_records(api, [ZoneRecord("192.0.2.3")]).wait_until_finished()
assert [(one.value, one.comment) for one in zone.get_rrset("api", "A").records] == [("192.0.2.4", "fourth")]
zone.change_rrset_ttl(api, 120).wait_until_finished()
zone.update_rrset(api, labels={"uid": "2"})
zone.change_rrset_protection(api, change=True).wait_until_finished()
refused("protected", zone.delete_rrset, api)
zone.change_rrset_protection(api, change=False).wait_until_finished()
new = ZoneRRSet(name="new", type="AAAA")
new.zone = zone
zone.add_rrset_records(new, [ZoneRecord("2001:db8::1")], ttl=60).wait_until_finished()
assert zone.get_rrset("new", "AAAA").ttl == 60
zone.delete_rrset(api).action.wait_until_finished()

zone.change_ttl(600).wait_until_finished()
file = zone.export_zonefile().zonefile
assert "new 60 IN AAAA 2001:db8::1" in file, file
zone.import_zonefile("mail IN MX 10 mx.example.net.\n").wait_until_finished()
assert sorted(found.id for found in zone.get_rrset_all()) == ["@/NS", "@/SOA", "mail/MX"]
zone.update(labels={"owner": "eve"})
zone.change_protection(delete=True).wait_until_finished()
refused("protected", zone.delete)
zone.change_protection(delete=False).wait_until_finished()
refused("incorrect_zone_mode", zone.change_primary_nameservers, [ZonePrimaryNameserver(address="192.0.2.53")])

other = client.zones.create(
    name="example.org", mode="secondary", primary_nameservers=[ZonePrimaryNameserver(address="192.0.2.53")]
).zone
refused("incorrect_zone_mode", other.get_rrset_all)
other.change_primary_nameservers([ZonePrimaryNameserver(address="192.0.2.54")]).wait_until_finished()
assert client.zones.get("example.org").primary_nameservers[0].address == "192.0.2.54"
assert [found.name for found in client.zones.get_all(mode="secondary")] == ["example.org"]
other.delete().action.wait_until_finished()
zone.delete().action.wait_until_finished()
assert client.zones.get_all() == []
