"""A record's life through Cloudflare's own Python library. Standard input: {"url", "token", "zone"}."""

import json
import sys

from cloudflare import BadRequestError, Cloudflare

at = json.load(sys.stdin)
client = Cloudflare(api_token=at["token"], base_url=at["url"])

zones = list(client.zones.list(name=at["zone"]))
assert [zone.name for zone in zones] == [at["zone"]]
zone = zones[0].id
name = f"ada.{at['zone']}"


def found(**by):
    return list(client.dns.records.list(zone_id=zone, **by))


record = client.dns.records.create(
    zone_id=zone, type="A", name=name, content="192.0.2.1", ttl=60, proxied=False, comment="owner=ada"
)
assert (record.name, record.content, record.comment) == (name, "192.0.2.1", "owner=ada")
assert [known.id for known in found(name={"exact": name})] == [record.id]
assert [known.id for known in found(comment={"startswith": "owner="})] == [record.id]
try:
    client.dns.records.create(zone_id=zone, type="A", name=name, content="192.0.2.1", ttl=60)
    raise SystemExit("the same record was taken twice")
except BadRequestError as error:
    assert error.errors[0].code == 81058, error.errors

edited = client.dns.records.edit(
    record.id, zone_id=zone, type="A", name=name, content="192.0.2.2", ttl=60
)
assert edited.content == "192.0.2.2" and edited.comment == "owner=ada"
batch = client.dns.records.batch(
    zone_id=zone,
    deletes=[{"id": record.id}],
    posts=[{"type": "AAAA", "name": name, "content": "2001:db8::1", "ttl": 60}],
)
assert [known.content for known in batch.posts] == ["2001:db8::1"]
assert [known.type for known in found()] == ["AAAA"]
client.dns.records.delete(batch.posts[0].id, zone_id=zone)
assert found() == []
