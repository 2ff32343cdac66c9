"""A primary IP's life and its reverse names, through Hetzner's own Python library. Standard input: {"url", "token"}."""

from hcloud.servers import ServerCreatePublicNetwork
from setting import FALKENSTEIN, client, refused, running

made = client.primary_ips.create(type="ipv4", name="mine", location=FALKENSTEIN, labels={"owner": "ada"})
address = made.primary_ip
assert (address.assignee_type, address.assignee_id, address.auto_delete) == ("unassigned", None, False)
refused("uniqueness_error", client.primary_ips.create, type="ipv4", name="mine", location=FALKENSTEIN)
network = ServerCreatePublicNetwork(ipv4=address, enable_ipv6=False)
server = running("one", public_net=network)
assert server.public_net.ipv4.ip == address.ip and server.public_net.ipv6 is None
refused("must_be_unassigned", address.delete)

address.change_dns_ptr(ip=address.ip, dns_ptr="one.example.com").wait_until_finished()
assert client.primary_ips.get_by_name("mine").dns_ptr[0]["dns_ptr"] == "one.example.com"
server.change_dns_ptr(ip=address.ip, dns_ptr=None).wait_until_finished()
assert client.servers.get_by_id(server.id).public_net.ipv4.dns_ptr != "one.example.com", "back to Hetzner's own"

refused("server_not_stopped", address.unassign)
server.power_off().wait_until_finished()
address.unassign().wait_until_finished()
assert client.primary_ips.get_by_id(address.id).assignee_id is None
address.assign(assignee_id=server.id, assignee_type="server").wait_until_finished()
refused("primary_ip_already_assigned", address.assign, assignee_id=server.id, assignee_type="server")
six = client.primary_ips.create(type="ipv6", name="six", assignee_type="server", assignee_id=server.id)
six.action.wait_until_finished()
assert client.servers.get_by_id(server.id).public_net.ipv6.ip == six.primary_ip.ip
refused("server_has_ipv6", client.primary_ips.create, type="ipv6", name="more", assignee_type="server", assignee_id=server.id)
address.update(name="renamed", auto_delete=False)
address.change_protection(delete=True).wait_until_finished()
server.delete().wait_until_finished()
refused("protected", address.delete)
address.change_protection(delete=False).wait_until_finished()
address.delete()
six.primary_ip.delete()
assert client.primary_ips.get_all() == []
