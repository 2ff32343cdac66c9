"""A volume's life through Hetzner's own Python library. Standard input: {"url", "token"}."""

from setting import FALKENSTEIN, client, refused, running

made = client.volumes.create(name="data", size=10, location=FALKENSTEIN, format="ext4", labels={"owner": "ada"})
made.action.wait_until_finished()
volume = client.volumes.get_by_name("data")
assert (volume.status, volume.size, volume.format, volume.server) == ("available", 10, "ext4", None)
assert volume.linux_device and volume.location.name == "fsn1"
assert [found.id for found in client.volumes.get_all(label_selector="owner=ada")] == [volume.id]
refused("uniqueness_error", client.volumes.create, name="data", size=10, location=FALKENSTEIN)
refused("invalid_input", client.volumes.create, name="small", size=9, location=FALKENSTEIN)

server = running("one")
volume.attach(server, automount=True).wait_until_finished()
assert client.volumes.get_by_id(volume.id).server.id == server.id
assert [held.id for held in client.servers.get_by_id(server.id).volumes] == [volume.id]
refused("volume_already_attached", volume.attach, server)
refused("resource_in_use", volume.delete)
volume.resize(size=25).wait_until_finished()
assert client.volumes.get_by_id(volume.id).size == 25
refused("invalid_input", volume.resize, size=20)
volume.detach().wait_until_finished()
volume.update(name="archive", labels={"owner": "eve"})
assert client.volumes.get_by_name("archive").labels == {"owner": "eve"}
volume.change_protection(delete=True).wait_until_finished()
refused("protected", volume.delete)
volume.change_protection(delete=False).wait_until_finished()

with_server = client.volumes.create(name="second", size=10, server=server, automount=False)
with_server.action.wait_until_finished()
for action in with_server.next_actions:
    action.wait_until_finished()
server.delete().wait_until_finished()
left = client.volumes.get_by_name("second")
assert left.server is None, "it outlives its server"
commands = [action.command for action in volume.get_actions()]
assert commands == [
    "create_volume", "attach_volume", "resize_volume", "detach_volume", "change_protection", "change_protection",
], commands
left.delete()
volume.delete()
assert client.volumes.get_all() == []
