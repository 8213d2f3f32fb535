"""What other programs make of our index arrays, and a tree that geo-index writes.

usage: interop.py read STORE QUERIES   prints {"arrays": {path: [dtype, crc32c of its bytes]}, "found": [[rows] …]}
       interop.py write STORE BOXES    stores a geo-index tree of these boxes at /indexes/bbox
"""
import json
import sys
import warnings

import google_crc32c
import numpy as np
import zarr
from geoindex_rs import rtree

warnings.filterwarnings("ignore")


def arrays_below(group, prefix):
    for name, node in group.members():
        if isinstance(node, zarr.Group):
            yield from arrays_below(node, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", node


def read(path, queries):
    group = zarr.open_group(path, mode="r")["indexes"]
    arrays = {}
    for name, array in arrays_below(group, ""):
        arrays[name] = [str(array.dtype), google_crc32c.value(array[:].tobytes())]
    tree = np.ascontiguousarray(group["bbox"][:])
    found = [sorted(np.asarray(rtree.search(tree, *query)).tolist()) for query in queries]
    return {"arrays": arrays, "found": found}


def write(path, boxes):
    columns = [np.array(column, dtype="f8") for column in zip(*boxes)]
    builder = rtree.RTreeBuilder(num_items=len(boxes))
    builder.add(*columns)
    tree = np.frombuffer(bytes(builder.finish()), dtype="u1")
    root = zarr.open_group(path, mode="a")
    root.require_group("indexes").create_array("bbox", data=tree, chunks=(5000,), overwrite=True)
    return len(tree)


command, store, argument = sys.argv[1:4]
with open(argument) as file:
    print(json.dumps((read if command == "read" else write)(store, json.load(file))))
