"""docs/openapi.yaml as a judge: every answer that a test gets from the REST doors is held against it."""

import functools
import re

import jsonschema_rs
import yaml

from .server import ROOT

PATH = ROOT / "docs" / "openapi.yaml"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class Contract:
    def __init__(self, path=PATH):
        self.document = yaml.safe_load(path.read_text())
        # Addresses without a parameter first: `/psp/admin/apps` is no app.
        self.addresses = [
            (re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(address))), address)
            for address in sorted(self.document["paths"], key=lambda address: address.count("{"))
        ]

    def operations(self):
        """Every call: its address, its method, itself, and what its address has for all methods."""
        for address, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    yield address, method, item[method], item

    def resolved(self, node):
        """A node, with the reference that it may be followed."""
        while "$ref" in node:
            found = self.document
            for name in node["$ref"].removeprefix("#/").split("/"):
                found = found[name]
            node = {**found, **{key: value for key, value in node.items() if key != "$ref"}}
        return node

    def validator(self, schema):
        """Judges values by a schema of the file."""
        return jsonschema_rs.Draft202012Validator({**schema, "components": self.document["components"]}, validate_formats=True)

    def address(self, target):
        path = target.partition("?")[0]
        return next((address for pattern, address in self.addresses if pattern.fullmatch(path)), None)

    def check(self, method, target, status, headers, answer):
        """Fails the test whose request was answered otherwise than the file says."""
        # HEAD goes where GET goes, and is answered without a body.
        address, method = self.address(target), "get" if method == "HEAD" else method.lower()
        item = self.document["paths"].get(address, {})
        if answer["data"].get("error_code") == 2107 or not item:
            name, expected = "NoSuchAddress", 400
        elif method not in item:
            name, expected = "MethodNotAllowed", 405
            allowed = {name.strip().lower() for name in headers.get("Allow", "").split(",")}
            described = set(METHODS) & set(item)
            expected_methods = described | {"options"} | ({"head"} if "get" in described else set())
            assert allowed == expected_methods, f"{address}: Allow: {headers.get('Allow')}"
        else:
            name, expected = (address, method, str(status)), status
            assert str(status) in item[method]["responses"], f"{method} {target}: {status} is not in docs/openapi.yaml: {answer}"
        assert status == expected, f"{method} {target}: {status}, not {expected}: {answer}"
        response, validator = self._response(name)
        missing = [header for header in response.get("headers", {}) if header not in headers]
        assert not missing, f"{method} {target}: {status} without {missing}"
        if (error := next(validator.iter_errors(answer), None)) is not None:
            raise AssertionError(f"{method} {target}: {status} is not as docs/openapi.yaml says: {error.message}: {answer}")

    @functools.cache
    def _response(self, name):
        if isinstance(name, str):
            response = self.document["components"]["responses"][name]
        else:
            address, method, status = name
            response = self.resolved(self.document["paths"][address][method]["responses"][status])
        return response, self.validator(response["content"]["application/json"]["schema"])


CONTRACT = Contract()
