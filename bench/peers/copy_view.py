#!/usr/bin/env python3
"""Write a stacked view to disk as it is served: every document, and the chunks of its coordinates and of /meta.

usage: copy_view.py URL OUT.zarr"""
import json
import pathlib
import sys
import urllib.error
import urllib.request

url, out = sys.argv[1].rstrip("/"), pathlib.Path(sys.argv[2])


def copy(key):
    try:
        body = urllib.request.urlopen(f"{url}/{key}").read()
    except urllib.error.HTTPError:
        return None
    path = out / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return body


root = json.loads(copy("zarr.json"))
for name, node in root["consolidated_metadata"]["metadata"].items():
    copy(f"{name}/zarr.json")
    if node["node_type"] == "array" and len(node["shape"]) == 1:
        chunk = node["chunk_grid"]["configuration"]["chunk_shape"][0]
        for i in range(-(-node["shape"][0] // chunk)):
            copy(f"{name}/c/{i}")
rows = root["consolidated_metadata"]["metadata"]["sst"]["shape"][0]
for row in range(rows - 100, rows):
    copy(f"sst/c/{row}/0/0")
print("null")
