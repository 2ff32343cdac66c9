"""A server's life through Hetzner's own Python library. Standard input: {"url", "token"}."""

import json
import sys

from hcloud import APIException, Client
from hcloud.firewalls import FirewallRule
from hcloud.images import Image
from hcloud.locations import Location
from hcloud.server_types import ServerType
from hcloud.servers import ServerCreatePublicNetwork

at = json.load(sys.stdin)
client = Client(token=at["token"], api_endpoint=at["url"], poll_interval=0.1, poll_max_retries=600)

kinds = {kind.name: kind for kind in client.server_types.get_all()}
assert "cx23" in kinds, sorted(kinds)
assert kinds["cx23"].cores == 2 and kinds["cx23"].memory == 4
assert {"nbg1", "hel1"} <= {place.name for place in client.locations.get_all()}
image = client.images.get_all(name="debian-12")[0]
assert image.status == "available", image.status

key = client.ssh_keys.create(
    name="ops",
    public_key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3j2sKqzQy0mJvTz4tqk9y1mYx2nKjR5f0cE8sPq2Zt ops",
)
rules = [FirewallRule("in", "tcp", ["0.0.0.0/0", "::/0"], port="443")]
firewall = client.firewalls.create(name="web", rules=rules).firewall

answer = client.servers.create(
    name="first",
    server_type=ServerType(name="cx23"),
    image=Image(name="debian-12"),
    location=Location(name="nbg1"),
    ssh_keys=[key],
    firewalls=[firewall],
    labels={"owner": "ada"},
    user_data="#cloud-config\n",
    public_net=ServerCreatePublicNetwork(enable_ipv4=True, enable_ipv6=True),
)
answer.action.wait_until_finished()
for action in answer.next_actions:
    action.wait_until_finished()
server = client.servers.get_by_id(answer.server.id)
assert server.status == "running", server.status
assert server.public_net.ipv4.ip and server.public_net.ipv6.ip
assert server.location.name == "nbg1"
assert [found.id for found in client.servers.get_all(label_selector="owner=ada")] == [server.id]
assert client.servers.get_all(label_selector="owner=eve") == []

try:
    client.servers.create(name="first", server_type=ServerType(name="cx23"), image=Image(name="debian-12"))
    raise SystemExit("a name was given twice")
except APIException as error:
    assert error.code == "uniqueness_error", error.code

server.power_off().wait_until_finished()
assert client.servers.get_by_id(server.id).status == "off"
server.change_type(ServerType(name="cx33"), upgrade_disk=False).wait_until_finished()
assert client.servers.get_by_id(server.id).server_type.name == "cx33"
server.power_on().wait_until_finished()
server.change_protection(delete=True, rebuild=True).wait_until_finished()
try:
    server.delete()
    raise SystemExit("a protected server was deleted")
except APIException as error:
    assert error.code == "protected", error.code
server.change_protection(delete=False, rebuild=False).wait_until_finished()
server.delete().wait_until_finished()
assert client.servers.get_all() == []
assert client.primary_ips.get_all() == [], "its addresses go with it"
firewall.delete()
key.delete()
