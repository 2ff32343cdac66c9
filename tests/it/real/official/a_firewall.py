"""A firewall's life through Hetzner's own Python library. Standard input: {"url", "token"}."""

from hcloud.firewalls import FirewallResource, FirewallResourceLabelSelector, FirewallRule
from setting import client, refused, running

server = running("one", labels={"role": "web"})
by_id = FirewallResource(FirewallResource.TYPE_SERVER, server=server)
by_label = FirewallResource(
    FirewallResource.TYPE_LABEL_SELECTOR, label_selector=FirewallResourceLabelSelector("role=web")
)
https = FirewallRule("in", "tcp", ["0.0.0.0/0", "::/0"], port="443", description="pages")
made = client.firewalls.create(name="web", rules=[https], resources=[by_id], labels={"owner": "ada"})
for action in made.actions:
    action.wait_until_finished()
firewall = client.firewalls.get_by_name("web")
assert [(rule.protocol, rule.port, rule.description) for rule in firewall.rules] == [("tcp", "443", "pages")]
assert firewall.applied_to[0].server.id == server.id
held = client.servers.get_by_id(server.id).public_net.firewalls
assert [(one.firewall.id, one.status) for one in held] == [(firewall.id, "applied")]
refused("firewall_already_applied", firewall.apply_to_resources, [by_id])
refused("resource_in_use", firewall.delete)

ping = FirewallRule("in", "icmp", ["::/0"])
for action in firewall.set_rules([https, ping]):
    action.wait_until_finished()
assert len(client.firewalls.get_by_id(firewall.id).rules) == 2
refused("invalid_input", firewall.set_rules, [FirewallRule("in", "icmp", ["::/0"], port="1")])
for action in firewall.remove_from_resources([by_id]):
    action.wait_until_finished()
assert client.servers.get_by_id(server.id).public_net.firewalls == []
for action in firewall.apply_to_resources([by_label]):
    action.wait_until_finished()
chosen = client.firewalls.get_by_id(firewall.id).applied_to[0]
assert chosen.label_selector.selector == "role=web"
assert [one.server.id for one in chosen.applied_to_resources] == [server.id]
assert [one.firewall.id for one in client.servers.get_by_id(server.id).public_net.firewalls] == [firewall.id]
refused("firewall_managed_by_label_selector", firewall.remove_from_resources, [by_id])
for action in firewall.remove_from_resources([by_label]):
    action.wait_until_finished()
firewall.update(name="renamed")
firewall.delete()
assert client.firewalls.get_all() == []
