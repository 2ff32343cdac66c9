"""Makes hcloud.json, the part of Hetzner's API description that the simulator serves, as plain JSON Schema.

    python3 condense.py DESCRIPTION > hcloud.json

DESCRIPTION is the OpenAPI 3.0 document; overlay.json beside this file is laid over it first. See README.md.
"""

import json
import pathlib
import re
import sys

SERVED = "actions datacenters firewalls images isos locations pricing primary_ips server_types servers ssh_keys volumes zones"
LEFT_OUT = re.compile(
    r"placement_group|_iso$|_network$|change_alias_ips"  # networks, ISOs and placement groups are not simulated
)
KEYWORDS = (
    "type enum format minimum maximum minLength maxLength minItems maxItems pattern required properties items "
    "additionalProperties oneOf anyOf $ref"
).split()


def lay_over(description, overlay):
    """Applies each edit of the overlay; one that does not fit is an error."""
    for edit in overlay:
        verb = next(verb for verb in ("remove", "require", "optional", "set", "append") if verb in edit)
        *way, last = edit[verb] if isinstance(edit[verb], list) else ["components", *edit[verb].split("/")]
        holder, outer = description, None
        for step in way:
            outer, holder = holder, holder[step]
        if verb in ("remove", "optional"):
            assert last in holder, edit
            outer["required"] = [name for name in outer.get("required", []) if name != last]
        if verb == "remove":
            del holder[last]
        if verb == "require":
            assert last not in holder, edit
            outer["required"] = sorted(outer.get("required", []) + [last])
        if verb == "append":
            holder[last].append(edit["schema"])
        if verb in ("require", "set"):
            holder[last] = edit["schema"]


def plain(schema):
    """A schema of OpenAPI 3.0 as JSON Schema: no prose, `nullable` spelt out, and no property that is not described."""
    if "allOf" in schema:
        (only,) = schema["allOf"]
        kept = plain(only)
    else:
        kept = {key: value for key, value in schema.items() if key in KEYWORDS}
    if "$ref" in kept:
        kept["$ref"] = kept["$ref"].replace("#/components/schemas/", "#/$defs/")
    if "properties" in kept:
        kept["properties"] = {name: plain(one) for name, one in kept["properties"].items()}
        kept.setdefault("additionalProperties", False)
    for key in ("items", "additionalProperties"):
        if isinstance(kept.get(key), dict):
            kept[key] = plain(kept[key])
    for key in ("oneOf", "anyOf"):
        if key in kept:
            kept[key] = [plain(one) for one in kept[key]]
    return {"anyOf": [kept, {"type": "null"}]} if schema.get("nullable") else kept


def content(holder):
    """The schema of a request's or an answer's JSON; None where there is no body."""
    body = (holder or {}).get("content")
    return plain(body["application/json"]["schema"]) if body else None


def operation(described):
    parameters = described.get("parameters", [])
    asked = {"path": {}, "query": {}}
    for one in parameters:
        asked[one["in"]][one["name"]] = {"required": one.get("required", False), "schema": plain(one["schema"])}
    body = described.get("requestBody")
    return {
        **asked,
        "body": content(body),
        "body_required": bool(body and body.get("required")),
        "answers": {status: content(answer) for status, answer in described["responses"].items()},
    }


def named(value):
    """The names of all schemas that a value refers to."""
    if isinstance(value, dict):
        own = {value["$ref"].rsplit("/", 1)[-1]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(named, value.values()))
    return set().union(*map(named, value)) if isinstance(value, list) else set()


def condense(description):
    operations = {
        f"{method.upper()} {path}": operation(described)
        for path, methods in description["paths"].items()
        for method, described in methods.items()
        if path.split("/")[1] in SERVED.split() and method != "servers" and not LEFT_OUT.search(path)
    }
    schemas = description["components"]["schemas"]
    kept, wanted = {}, named(operations)
    while wanted:
        name = wanted.pop()
        kept[name] = plain(schemas[name])
        wanted |= named(kept[name]) - kept.keys()
    return {"operations": dict(sorted(operations.items())), "$defs": dict(sorted(kept.items()))}


def one_a_line(entries):
    """An object of which each entry is a line of its own, for diffs that can be read."""
    lines = (f"{json.dumps(name)}:{json.dumps(entry, sort_keys=True, separators=(',', ':'))}" for name, entry in entries.items())
    return "{\n" + ",\n".join(lines) + "\n}"


def main():
    description = json.loads(pathlib.Path(sys.argv[1]).read_text())
    overlay = json.loads(pathlib.Path(__file__).with_name("overlay.json").read_text())
    lay_over(description, overlay)
    print("{" + ",\n".join(
        f"{json.dumps(part)}:{one_a_line(entries)}" for part, entries in condense(description).items()) + "}")


main()
