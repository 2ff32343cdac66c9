"""Images made of a server, through Hetzner's own Python library. Standard input: {"url", "token"}."""

from hcloud.images import Image
from hcloud.server_types import ServerType
from setting import FALKENSTEIN, client, refused, running

server = running("one", labels={"owner": "ada"})
made = server.create_image(type="snapshot", description="before", labels={"owner": "ada"})
made.action.wait_until_finished()
image = client.images.get_by_id(made.image.id)
assert (image.type, image.status, image.description) == ("snapshot", "available", "before")
assert image.created_from.id == server.id and image.disk_size == 40
image.change_protection(delete=True).wait_until_finished()
refused("protected", image.delete)
image.change_protection(delete=False).wait_until_finished()
image.update(description="kept", labels={"owner": "eve"})
assert [found.id for found in client.images.get_all(type="snapshot", label_selector="owner=eve")] == [image.id]

server.enable_backup().wait_until_finished()
assert client.servers.get_by_id(server.id).backup_window
backup = server.create_image(type="backup")
backup.action.wait_until_finished()
assert client.images.get_by_id(backup.image.id).bound_to.id == server.id
server.rebuild(Image(id=image.id)).action.wait_until_finished()
assert client.servers.get_by_id(server.id).image.id == image.id
server.delete().wait_until_finished()
assert client.images.get_all(type="backup") == [], "a backup goes with its server"

again = client.servers.create(
    name="again", server_type=ServerType(name="cx23"), image=Image(id=image.id), location=FALKENSTEIN
)
again.action.wait_until_finished()
assert client.servers.get_by_id(again.server.id).image.id == image.id
refused(
    "invalid_input",
    client.servers.create,
    name="arm",
    server_type=ServerType(name="cax11"),
    image=Image(id=image.id),
)
image.delete()
assert client.images.get_all(type="snapshot") == []
assert [action.command for action in image.get_actions()][0] == "create_image"
