"""Rescue, metrics, console and power through Hetzner's own Python library. Standard input: {"url", "token"}."""

from datetime import datetime, timedelta

from setting import client, refused, running

server = running("one")
created = server.created if isinstance(server.created, datetime) else datetime.fromisoformat(server.created)
rescue = server.enable_rescue(type="linux64")
rescue.action.wait_until_finished()
assert rescue.root_password
assert client.servers.get_by_id(server.id).rescue_enabled
server.reset().wait_until_finished()
assert not client.servers.get_by_id(server.id).rescue_enabled, "the start used it up"
server.enable_rescue().action.wait_until_finished()
server.disable_rescue().wait_until_finished()
assert not client.servers.get_by_id(server.id).rescue_enabled

metrics = server.get_metrics(["cpu", "disk", "network"], created - timedelta(hours=1), created + timedelta(hours=1)).metrics
assert len(metrics.time_series) == 9, sorted(metrics.time_series)
for series in metrics.time_series.values():
    assert len(series["values"]) <= 200
fine = server.get_metrics("cpu", created, created + timedelta(hours=1), step=1).metrics
assert fine.step > 1 and len(fine.time_series["cpu"]["values"]) <= 500
refused("invalid_input", server.get_metrics, "cpu", created, created)

assert server.request_console().wss_url.startswith("wss://")
assert server.reset_password().root_password
server.reboot().wait_until_finished()
server.shutdown().wait_until_finished()
server.power_off().wait_until_finished()
assert client.servers.get_by_id(server.id).status == "off"
refused("invalid_input", server.reset_password)
server.update(name="renamed", labels={"a": "b"})
commands = {action.command for action in client.servers.get_by_name("renamed").get_actions()}
assert {"create_server", "enable_rescue", "disable_rescue", "shutdown_server", "stop_server"} <= commands, commands
server.delete().wait_until_finished()
