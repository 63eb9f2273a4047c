"""src/agent/rules/schema.json says what src/agent/rules.c reads, and the built-in files keep to it."""
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
RULES = ROOT / "src/agent/rules"
SCHEMA = json.loads((RULES / "schema.json").read_text())


def wrong(value, schema, path="$"):
    """What of the schema the value does not keep to; knows the words that the schema uses."""
    if "$ref" in schema:
        yield from wrong(value, SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]], path)
    types = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
    if "type" in schema and not isinstance(value, types[schema["type"]]):
        yield f"{path}: not {schema['type']}"
        return
    if "const" in schema and value != schema["const"] or "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r}"
    if isinstance(value, int) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{path}: {value}"
    if isinstance(value, dict):
        properties, others = schema.get("properties", {}), schema.get("additionalProperties", {})
        yield from (f"{path}: no {key}" for key in schema.get("required", []) if key not in value)
        for key, item in value.items():
            if key not in properties and others is False:
                yield f"{path}.{key}: unknown"
            else:
                yield from wrong(item, properties.get(key, others or {}), f"{path}.{key}")
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from wrong(item, schema.get("items", {}), f"{path}[{i}]")


def test_the_built_in_rules_keep_to_the_schema():
    files = [path for path in RULES.glob("*.json") if path.name != "schema.json"]
    assert len(files) >= 7
    for path in files:
        assert not list(wrong(json.loads(path.read_text()), SCHEMA)), path.name


def test_a_file_with_an_error_does_not():
    rules = json.loads((RULES / "claude.json").read_text())
    rules["screen"][0]["phase"] = "sleepy"
    assert list(wrong(rules, SCHEMA)) == ["$.screen[0].phase: 'sleepy'"]


def test_the_program_reads_exactly_these_keys():
    source = (ROOT / "src/agent/rules.c").read_text()
    read = {name: set(re.findall(r'"([$a-z_]+)"', re.search(name + r".*?keys\[\] = \{(.*?)NULL", source, re.S).group(1)))
            for name in ("read_question", "read_rule", "read_document")}
    rule = SCHEMA["$defs"]["rule"]["properties"]
    assert read["read_document"] == set(SCHEMA["properties"])
    assert read["read_rule"] == set(rule)
    assert read["read_question"] == set(rule["question"]["properties"])
