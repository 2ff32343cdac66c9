"""Origin CA certificates through Cloudflare's own Python library; openssl makes the request and judges the answer.

Standard input: {"url", "token", "key", "reader", "zone", "openssl", "root", "now"}; `root` is the CA's certificate as a PEM and
`now` the world's time in Unix seconds.
"""

import json
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from cloudflare import BadRequestError, Cloudflare, NotFoundError, PermissionDeniedError

at = json.load(sys.stdin)
folder = Path(tempfile.mkdtemp())


def openssl(*words):
    done = subprocess.run([at["openssl"], *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def request(kind):
    words = {"rsa": ["rsa:2048"], "ec": ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]}[kind]
    openssl("req", "-new", "-nodes", "-newkey", *words, "-subj", "/CN=ignored", "-keyout", f"{kind}.key", "-out", f"{kind}.csr")
    return (folder / f"{kind}.csr").read_text()


def refused(code, do, kind=BadRequestError):
    try:
        do()
    except kind as error:
        assert error.errors[0].code == code, error.errors
        return
    raise SystemExit(f"{code} did not come")


by_token = Cloudflare(api_token=at["token"], base_url=at["url"], max_retries=0)
by_key = Cloudflare(user_service_key=at["key"], base_url=at["url"], max_retries=0)
zone = next(iter(by_token.zones.list(name=at["zone"]))).id
hostnames = [at["zone"], "*." + at["zone"]]
(folder / "root.pem").write_text(at["root"])

made = {}
for client, kind, validity in ((by_token, "ec", 7), (by_key, "rsa", 5475)):
    csr = request(kind)
    one = client.origin_ca_certificates.create(
        csr=csr, hostnames=hostnames, request_type="origin-ecc", requested_validity=validity
    )
    assert (one.hostnames, one.requested_validity, one.csr) == (hostnames, validity, csr)
    (folder / "leaf.pem").write_text(one.certificate)
    openssl("verify", "-attime", str(at["now"] + 3600), "-CAfile", "root.pem", "-purpose", "sslserver",
            "-verify_hostname", "ada." + at["zone"], "leaf.pem")
    # The certificate is for the key of the request, and its serial number is its id.
    asked = openssl("req", "-in", f"{kind}.csr", "-noout", "-pubkey")
    assert openssl("x509", "-in", "leaf.pem", "-noout", "-pubkey") == asked
    serial = openssl("x509", "-in", "leaf.pem", "-noout", "-serial").strip().removeprefix("serial=")
    assert int(serial, 16) == int(one.id), (serial, one.id)
    dates = openssl("x509", "-in", "leaf.pem", "-noout", "-dates").splitlines()
    begins, ends = (datetime.strptime(line.split("=")[1], "%b %d %H:%M:%S %Y GMT") for line in dates)
    assert (ends - begins).days == validity, dates
    made[kind] = one

read = by_token.origin_ca_certificates.get(made["ec"].id)
assert (read.certificate, read.expires_on) == (made["ec"].certificate, made["ec"].expires_on)
listed = [one.id for one in by_token.origin_ca_certificates.list(zone_id=zone)]
assert sorted(listed) == sorted(one.id for one in made.values())
gone = by_key.origin_ca_certificates.delete(made["rsa"].id)
assert gone.id == made["rsa"].id and gone.revoked_at is not None
assert [one.id for one in by_token.origin_ca_certificates.list(zone_id=zone)] == [made["ec"].id]
refused(1102, lambda: by_key.origin_ca_certificates.delete(made["rsa"].id))
refused(1101, lambda: by_key.origin_ca_certificates.get("1"), NotFoundError)


def ask(client=by_token, **other):
    what = {"csr": request("ec"), "hostnames": hostnames, "request_type": "origin-ecc", "requested_validity": 7, **other}
    return client.origin_ca_certificates.create(**what)


assert ask(requested_validity=30).requested_validity == 30
refused(1010, lambda: ask(hostnames=["example.com"]))
refused(1010, lambda: ask(hostnames=["*.*." + at["zone"]]))
refused(1010, lambda: ask(hostnames=[]))
refused(1012, lambda: ask(requested_validity=8))
refused(1013, lambda: ask(request_type="origin-dsa"))
refused(1002, lambda: ask(csr="nonsense"))
# A request whose signature is not of its own key.
lines = request("ec").splitlines()
lines[-2] = ("A" if lines[-2][0] != "A" else "B") + lines[-2][1:]
refused(1002, lambda: ask(csr="\n".join(lines)))
reader = Cloudflare(api_token=at["reader"], base_url=at["url"], max_retries=0)
refused(10000, lambda: ask(client=reader))
stranger = Cloudflare(user_service_key="v1.0-nobody", base_url=at["url"], max_retries=0)
refused(1016, lambda: ask(client=stranger), PermissionDeniedError)
# The key opens nothing else.
refused(9109, lambda: list(by_key.zones.list()), PermissionDeniedError)
