#!/usr/bin/env python3
"""Write JSON schemas for kubeconform: k8s_schemas.py OUT SWAGGER.json CRD.yaml...

kubeconform downloads its schemas by default. These come from Kubernetes' own API
description and from the CRDs of the Prometheus Operator, as Go's module proxy has
them. Objects refuse fields that they do not have, as kubectl does.
"""
import json
import os
import sys

import yaml


def strict(schema):
    """Refuse unknown fields of every object whose fields are known."""
    if isinstance(schema, dict):
        if "properties" in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
            schema.setdefault("additionalProperties", False)
        if schema.get("x-kubernetes-int-or-string") or schema.get("format") == "int-or-string":
            schema.pop("type", None)
        for value in list(schema.values()):
            strict(value)
    elif isinstance(schema, list):
        for value in schema:
            strict(value)
    return schema


def file_name(kind, group, version):
    """What kubeconform calls {{.ResourceKind}}{{.KindSuffix}}."""
    return "-".join(part for part in (kind.lower(), group.split(".")[0], version) if part)


def write(out, name, schema):
    with open(os.path.join(out, name + ".json"), "w", encoding="utf-8") as f:
        json.dump(schema, f)


def main():
    out, swagger, *crds = sys.argv[1:]
    os.makedirs(out, exist_ok=True)
    with open(swagger, encoding="utf-8") as f:
        definitions = json.load(f)["definitions"]
    for definition in definitions.values():
        # Quantities may be written as numbers.
        if definition.get("description", "").startswith("Quantity is"):
            definition["type"] = ["string", "number"]
    write(out, "_definitions", {"definitions": strict(definitions)})
    for name, definition in definitions.items():
        for gvk in definition.get("x-kubernetes-group-version-kind", []):
            write(out, file_name(gvk["kind"], gvk["group"], gvk["version"]), {"$ref": "_definitions.json#/definitions/" + name})
    for crd in crds:
        with open(crd, encoding="utf-8") as f:
            spec = yaml.safe_load(f)["spec"]
        for version in spec["versions"]:
            schema = strict(version["schema"]["openAPIV3Schema"])
            schema["properties"]["metadata"] = {"type": "object"}
            write(out, file_name(spec["names"]["kind"], spec["group"], version["name"]), schema)


if __name__ == "__main__":
    main()
