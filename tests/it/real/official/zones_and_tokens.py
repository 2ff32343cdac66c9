"""Zones and what tokens may do, through Cloudflare's own Python library.

Standard input: {"url", "token", "zone", "reader", "zone_only", "disabled", "expired"}.
"""

import json
import sys

from cloudflare import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    Cloudflare,
    PermissionDeniedError,
)

at = json.load(sys.stdin)


def client(token):
    return Cloudflare(api_token=token, base_url=at["url"], max_retries=0)


def refused(kind, code, do):
    try:
        do()
    except kind as error:
        assert error.body["success"] is False and error.body["result"] is None, error.body
        assert error.errors[0].code == code, error.errors
        assert error.response.headers["cf-ray"], error.response.headers
        return error
    raise SystemExit(f"{code} did not come")


owner = client(at["token"])

# Tokens.
verified = owner.user.tokens.verify()
assert verified.status == "active" and len(verified.id) == 32, verified
assert owner.user.tokens.with_raw_response.verify().json()["messages"][0]["code"] == 10000
assert client(at["disabled"]).user.tokens.verify().status == "disabled"
expired = client(at["expired"]).user.tokens.verify()
assert expired.status == "expired" and expired.expires_on is not None, expired
refused(AuthenticationError, 1000, client("A" * 40).user.tokens.verify)
malformed = refused(BadRequestError, 6003, client("short").user.tokens.verify)
assert malformed.body["errors"][0]["error_chain"][0]["code"] == 6111, malformed.body
refused(PermissionDeniedError, 9109, lambda: list(client("A" * 40).zones.list()))
refused(PermissionDeniedError, 9109, lambda: list(client(at["expired"]).zones.list()))

# Zones: made, listed by every filter, deleted with their records.
before = list(owner.zones.list())
assert [zone.name for zone in before] == [at["zone"]] and before[0].status == "active"
account = {"id": before[0].account.id}
made = [owner.zones.create(account=account, name=name, type="full") for name in ("b.example", "a.example")]
assert made[0].status == "pending" and len(made[0].name_servers) == 2, made[0]
taken = refused(BadRequestError, 1061, lambda: owner.zones.create(account=account, name="b.example"))
assert taken.errors[0].message == "b.example already exists"
refused(BadRequestError, 1116, lambda: owner.zones.create(account=account, name="deep.b.example"))
refused(BadRequestError, 1049, lambda: owner.zones.create(account=account, name="-.example"))


def names(**by):
    return [zone.name for zone in owner.zones.list(**by)]


assert names() == ["a.example", at["zone"], "b.example"]
assert names(per_page=1, order="name", direction="desc") == ["b.example", at["zone"], "a.example"]
assert names(name="b.example") == ["b.example"]
assert names(name="starts_with:A.") == ["a.example"]
assert names(name="contains:example", status="active") == [at["zone"]]
assert names(name="a.example", status="active", match="any") == ["a.example", at["zone"]]
assert names(account={"id": "0" * 32}) == []
record = owner.dns.records.create(zone_id=made[0].id, type="A", name="@", content="192.0.2.1", ttl=1)
assert record.name == "b.example"
assert list(owner.dns.records.list(zone_id=before[0].id)) == []
assert owner.zones.get(zone_id=made[0].id).name == "b.example"
assert owner.zones.delete(zone_id=made[0].id).id == made[0].id
refused(PermissionDeniedError, 9109, lambda: owner.zones.get(zone_id=made[0].id))
refused(PermissionDeniedError, 10000, lambda: owner.dns.records.get(record.id, zone_id=made[0].id))
lost = refused(APIStatusError, 7003, lambda: owner.zones.get(zone_id="nonsense"))
assert lost.errors[1].code == 7000

# Rights.
reader = client(at["reader"])
assert len(list(reader.zones.list())) == 2
assert list(reader.dns.records.list(zone_id=before[0].id)) == []
refused(
    PermissionDeniedError,
    10000,
    lambda: reader.dns.records.create(zone_id=before[0].id, type="A", name="x", content="192.0.2.1", ttl=1),
)
refused(PermissionDeniedError, 0, lambda: reader.zones.create(account=account, name="c.example"))
refused(PermissionDeniedError, 9109, lambda: reader.zones.delete(zone_id=made[1].id))
one = client(at["zone_only"])
assert [zone.name for zone in one.zones.list()] == [at["zone"]]
refused(PermissionDeniedError, 10000, lambda: list(one.dns.records.list(zone_id=made[1].id)))
made_there = one.dns.records.create(zone_id=before[0].id, type="A", name="x", content="192.0.2.1", ttl=1)
one.dns.records.delete(made_there.id, zone_id=before[0].id)
