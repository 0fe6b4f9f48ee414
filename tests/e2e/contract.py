"""The contract of the API (server/web/openapi.yaml, converted to JSON by the build), and whether an answer conforms to it."""

import functools
import json
import re

import jsonschema
from conftest import BUILD


@functools.cache
def document():
    return json.loads((BUILD / "page" / "openapi.json").read_text())


def operations():
    """(method, path, operation) of every operation."""
    return [
        (method.upper(), path, operation)
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    ]


def resolved(value):
    """The component that a $ref refers to."""
    if "$ref" not in value:
        return value
    _, _, room, name = value["$ref"].split("/")
    return document()["components"][room][name]


def parameters(operation):
    return [resolved(parameter) for parameter in operation.get("parameters", [])]


def schema_of(operation, status, media_type):
    """The schema of a body, None if there is none with that media type for that status."""
    responses = operation["responses"]
    content = resolved(responses.get(str(status), responses["default"])).get("content", {})
    return content[media_type]["schema"] if media_type in content else None


@functools.cache
def pattern(path):
    return re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)))


def find(method, path):
    """The operation that answers, or None."""
    wanted = "GET" if method == "HEAD" else method
    for known, template, operation in operations():
        if known == wanted and pattern(template).fullmatch(path):
            return operation
    return None


@functools.cache
def validator(text):
    schema = {**json.loads(text), "components": document()["components"]}
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)


def check_schema(instance, schema):
    error = jsonschema.exceptions.best_match(validator(json.dumps(schema)).iter_errors(instance))
    assert error is None, f"{error.json_path}: {error.message}"


PROBLEM = {"$ref": "#/components/schemas/Problem"}


def check(method, path, answer):
    """Validate an answer of the API against the contract: its media type, and the JSON body."""
    if not path.startswith("/api/") or answer.status == 304:
        return
    media_type = answer["Content-Type"].split(";")[0]
    operation = find(method, path)
    schema = schema_of(operation, answer.status, media_type) if operation else PROBLEM
    assert schema is not None, f"{method} {path}: {answer.status} has no {media_type}"
    if operation is None or answer.status >= 400:
        assert media_type == "application/problem+json"
    if method != "HEAD" and media_type.endswith("json"):
        check_schema(answer.document(), schema)
