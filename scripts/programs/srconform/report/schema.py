# SPDX-License-Identifier: GPL-2.0-only
"""Checks a document by schema.json. What of JSON Schema is used there is known here:
type, enum, required, properties, additionalProperties, items, minimum, pattern, $ref.
Beyond the schema, no text has control characters.
"""

import json
import os
import re

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "schema.json")
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool,
         "integer": int, "number": (int, float)}
KNOWN = {"$schema", "$comment", "$defs", "$ref", "title", "description", "type", "enum",
         "required", "properties", "additionalProperties", "items", "minimum", "pattern"}
# What neither a terminal nor XML is to get, in whatever text.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class SchemaError(ValueError):
    """The document is not as the schema says."""


def load():
    with open(PATH, encoding="utf-8") as file:
        return json.load(file)


def _fail(where, text):
    raise SchemaError("%s: %s" % (where or "document", text))


def _check(value, schema, root, where):
    unknown = set(schema) - KNOWN
    if unknown:
        _fail(where, "the schema has %s" % ", ".join(sorted(unknown)))
    if "$ref" in schema:
        _check(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root, where)
    if "type" in schema:
        right = isinstance(value, TYPES[schema["type"]])
        if not right or isinstance(value, bool) and schema["type"] != "boolean":
            _fail(where, "is no %s" % schema["type"])
    if "enum" in schema and value not in schema["enum"]:
        _fail(where, "is none of %s" % schema["enum"])
    if "minimum" in schema and value < schema["minimum"]:
        _fail(where, "is below %s" % schema["minimum"])
    if isinstance(value, str):
        if CONTROL.search(value):
            _fail(where, "has control characters")
        if not re.search(schema.get("pattern", ""), value):
            _fail(where, "is not like %s" % schema["pattern"])
    if isinstance(value, list) and "items" in schema:
        for index, one in enumerate(value):
            _check(one, schema["items"], root, "%s[%d]" % (where, index))
    if isinstance(value, dict):
        _check_object(value, schema, root, where)


def _check_object(value, schema, root, where):
    for name in schema.get("required", ()):
        if name not in value:
            _fail(where, "has no %s" % name)
    some = schema.get("properties", {})
    for name, one in value.items():
        if CONTROL.search(name):
            _fail(where, "has a name with control characters")
        rest = schema.get("additionalProperties", {})
        if name not in some and rest is False:
            _fail(where, "has %s, which is unknown" % name)
        _check(one, some.get(name, rest or {}), root, "%s.%s" % (where, name))


def check(document):
    """SchemaError says where it is wrong."""
    schema = load()
    _check(document, schema, schema, "")
