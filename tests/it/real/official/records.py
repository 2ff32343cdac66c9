"""Everything about records through Cloudflare's own Python library. Standard input: {"url", "token", "zone"}; the plan is Pro."""

import json
import sys
from datetime import timedelta

from cloudflare import BadRequestError, Cloudflare, NotFoundError

at = json.load(sys.stdin)
client = Cloudflare(api_token=at["token"], base_url=at["url"], max_retries=0)
zone = next(iter(client.zones.list(name=at["zone"]))).id
records = client.dns.records


def make(**what):
    return records.create(zone_id=zone, **{"type": "A", "ttl": 300, "content": "192.0.2.1", **what})


def found(**by):
    return [record.name.removesuffix("." + at["zone"]) for record in records.list(zone_id=zone, **by)]


def refused(code, do, kind=BadRequestError):
    try:
        do()
    except kind as error:
        assert error.errors[0].code == code, error.errors
        return
    raise SystemExit(f"{code} did not come")


# A POST starts from the defaults, a PATCH leaves what it does not name, a PUT takes it back.
ada = make(name="ada", comment="of ada", tags=["owner:ada", "live"])
assert (ada.ttl, ada.proxied, ada.proxiable, ada.comment) == (300, False, True, "of ada")
assert ada.tags == ["owner:ada", "live:"] and ada.tags_modified_on is not None
patched = records.edit(ada.id, zone_id=zone, type="A", name="ada", ttl=600, content="192.0.2.9")
assert (patched.ttl, patched.comment, patched.tags) == (600, "of ada", ada.tags)
assert patched.comment_modified_on == ada.comment_modified_on
assert patched.modified_on - ada.modified_on >= timedelta(0) and patched.created_on == ada.created_on
put = records.update(ada.id, zone_id=zone, type="A", name="ada", ttl=1, content="192.0.2.1")
assert (put.id, put.ttl, put.comment, put.tags) == (ada.id, 1, None, [])
assert put.comment_modified_on is None and put.tags_modified_on is None
records.edit(ada.id, zone_id=zone, type="A", name="ada", ttl=300, content="192.0.2.1", comment="of ada", tags=["owner:ada"])
proxied = records.edit(ada.id, zone_id=zone, type="A", name="ada", ttl=300, content="192.0.2.1", proxied=True)
assert proxied.proxied and proxied.ttl == 1
records.edit(ada.id, zone_id=zone, type="A", name="ada", ttl=300, content="192.0.2.1", proxied=False)

# What a list can ask for.
make(name="bob", content="192.0.2.2", comment="of bob", tags=["owner:bob"])
make(name="eve", type="TXT", content="a text", ttl=60)
make(name="mail", type="MX", content="mx.example.net", priority=10)
assert found(type="A") == ["ada", "bob"]
assert found(name={"exact": "bob." + at["zone"]}) == ["bob"]
assert found(name={"startswith": "e"}) == ["eve"]
assert found(name={"contains": "ai"}) == ["mail"]
assert found(content={"endswith": ".2"}) == ["bob"]
assert found(content={"exact": "a text"}) == ["eve"]
assert found(comment={"present": "true"}) == ["ada", "bob"]
assert found(comment={"absent": "true"}) == ["mail", "eve"]
assert found(comment={"contains": "BOB"}) == ["bob"]
assert found(tag={"present": "owner"}) == ["ada", "bob"]
assert found(tag={"exact": "owner:ada"}) == ["ada"]
assert found(tag={"absent": "owner"}, type="A") == []
assert found(tag={"startswith": "owner:b"}) == ["bob"]
assert found(tag={"exact": "owner:ada", "endswith": "owner:ob"}) == []
assert found(tag={"exact": "owner:ada", "endswith": "owner:ob"}, tag_match="any") == ["ada", "bob"]
assert found(type="TXT", name={"startswith": "bob"}) == []
assert found(type="TXT", name={"startswith": "bob"}, match="any") == ["bob", "eve"]
assert found(order="name", direction="desc") == ["mail", "eve", "bob", "ada"]
assert found(order="content", type="A", direction="desc") == ["bob", "ada"]
assert found(order="ttl")[0] == "eve"
assert found(search="of bob") == ["bob"]
assert found(proxied=True) == []
assert found(per_page=1) == ["ada", "bob", "mail", "eve"]
page = records.list(zone_id=zone, per_page=3, page=2)
assert [record.name for record in page.result] == ["eve." + at["zone"]]
info = records.with_raw_response.list(zone_id=zone, per_page=3, page=2).json()["result_info"]
assert info == {"page": 2, "per_page": 3, "count": 1, "total_count": 4, "total_pages": 2}, info

# What is refused.
refused(81058, lambda: make(name="ada"))
refused(81057, lambda: make(name="ada", ttl=60))
refused(81053, lambda: make(name="ada", type="CNAME", content="elsewhere.example.net"))
make(name="www", type="CNAME", content="elsewhere.example.net")
refused(81054, lambda: make(name="www"))
refused(9005, lambda: make(name="x", content="nonsense"))
refused(9021, lambda: make(name="x", ttl=59))
refused(9021, lambda: make(name="x", ttl=86401))
refused(9004, lambda: make(name="x", type="TXT", content="t", proxied=True))
refused(9313, lambda: make(name="x", comment="c" * 501))
refused(9314, lambda: make(name="x", comment="two\nlines"))
refused(9300, lambda: make(name="x", tags=[f"t{n}:v" for n in range(21)]))
refused(81044, lambda: records.get("0" * 32, zone_id=zone), NotFoundError)
refused(81044, lambda: records.delete("0" * 32, zone_id=zone), NotFoundError)
assert found(name={"startswith": "x"}) == []

# A batch: deletes, patches, puts, posts, whatever the order in the request; all or nothing.
by_name = {record.name.split(".")[0]: record for record in records.list(zone_id=zone)}
a = {"type": "A", "name": "ada", "content": "192.0.2.1", "ttl": 300}
done = records.batch(
    zone_id=zone,
    posts=[a],
    puts=[{**a, "id": by_name["bob"].id, "name": "bob", "content": "192.0.2.7"}],
    patches=[{"id": by_name["eve"].id, "type": "TXT", "name": "eve", "content": "another", "ttl": 60}],
    deletes=[{"id": by_name["ada"].id}],
)
assert [record.name for record in done.deletes] == ["ada." + at["zone"]]
assert done.puts[0].comment is None and done.patches[0].content == "another"
assert done.posts[0].id != by_name["ada"].id
before = sorted((record.id, record.content) for record in records.list(zone_id=zone))
refused(
    81058,
    lambda: records.batch(zone_id=zone, deletes=[{"id": by_name["eve"].id}], posts=[a]),
)
assert sorted((record.id, record.content) for record in records.list(zone_id=zone)) == before
for record in records.list(zone_id=zone):
    assert records.delete(record.id, zone_id=zone).id == record.id
assert found() == []
