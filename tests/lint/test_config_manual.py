"""Every key of the configuration and its default is in ganger-config(5)."""
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "src/config/schema.json").read_text())
MANUAL = (ROOT / "docs/ganger-config.5").read_text()


def described():
    """Key -> its description: from its .It to the next one, or to the end of the list."""
    parts = re.split(r"^\.It Ic (\S+)\n", MANUAL, flags=re.M)
    return {key: re.split(r"^\.(?:El|Ss|Sh)\b", text, flags=re.M)[0] for key, text in zip(parts[1::2], parts[2::2])}


def leaves(schema, path):
    """Dotted keys with their schema; those of agents and accounts stand alone."""
    for name, member in schema.get("properties", {}).items():
        member = {**SCHEMA["$defs"].get(member.get("$ref", "").removeprefix("#/$defs/"), {}), **member}
        if "properties" in member and member.get("type") == "object":
            yield from leaves(member, path + [name])
        elif name not in ("agents", "accounts"):
            yield ".".join(path + [name]), member


def text_of(default):
    if isinstance(default, bool):
        return f".Li {str(default).lower()}"
    if isinstance(default, str):
        return f".Li \\(dq{default}\\(dq"
    if default in ([], {}):
        return "Default: none."
    return f".Li {json.dumps(default)}" if isinstance(default, list) else f"Default: {default}"


def check(schema, path):
    keys, wrong = described(), []
    for key, member in leaves(schema, path):
        text = keys.get(key)
        if text is None:
            wrong.append(f"{key} is not described")
        elif "default" in member and key != "runners.local" and text_of(member["default"]) not in text:
            wrong.append(f"{key}: the default {member['default']!r} is not given")
        elif not all(str(member[bound]) in text for bound in ("minimum", "maximum") if bound in member):
            wrong.append(f"{key}: its bounds are not given")
    return wrong


def test_every_key_is_described_with_its_default():
    wrong = check(SCHEMA, []) + check(SCHEMA["$defs"]["agent"], []) + check(SCHEMA["$defs"]["account"], [])
    assert not wrong, "\n" + "\n".join(wrong)


def test_keys_that_stand_in_the_manual_exist():
    known = dict([*leaves(SCHEMA, []), *leaves(SCHEMA["$defs"]["agent"], []), *leaves(SCHEMA["$defs"]["account"], [])])
    unknown = described().keys() - known.keys() - {"file", "keys"}
    assert not unknown, unknown


def test_every_key_of_crew_files_is_described():
    schema = json.loads((ROOT / "src/config/crew_schema.json").read_text())
    manual = (ROOT / "docs/ganger-crew.5").read_text()
    keys = {*schema["properties"], *schema["properties"]["defaults"]["properties"], *schema["$defs"]["session"]["properties"]} - {"$schema"}
    missing = [key for key in keys if f".It Ic {key}\n" not in manual]
    assert not missing, missing
