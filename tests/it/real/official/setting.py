"""What every script about Hetzner begins with: a client, a server, and the proof that something was refused."""

import json
import sys

from hcloud import APIException, Client
from hcloud.images import Image
from hcloud.locations import Location
from hcloud.server_types import ServerType

at = json.load(sys.stdin)
client = Client(token=at["token"], api_endpoint=at["url"], poll_interval=0.1, poll_max_retries=600)
FALKENSTEIN = Location(name="fsn1")


def running(name, **others):
    """A server in Falkenstein that runs."""
    answer = client.servers.create(
        name=name,
        server_type=ServerType(name="cx23"),
        image=Image(name="debian-13"),
        location=FALKENSTEIN,
        **others,
    )
    answer.action.wait_until_finished()
    for action in answer.next_actions:
        action.wait_until_finished()
    return client.servers.get_by_id(answer.server.id)


def refused(code, call, *arguments, **named):
    """Whether the call is refused, and with this code."""
    try:
        call(*arguments, **named)
    except APIException as error:
        assert error.code == code, (error.code, error.message)
    else:
        raise SystemExit(f"not refused with {code}")
