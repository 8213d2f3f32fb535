"""Opens what was exported with no zarrsift around, and compares it with the source.

usage: read.py KIND WHERE SOURCE IDX
  KIND    refs2, refs3 (kerchunk, by the Zarr format its metadata have), zarr2 or zarr3 (a directory, Zarr or Icechunk)
  SOURCE  the source's directory, Zarr or Icechunk
  IDX     JSON: null where the export keeps the source's paths, else the rows along its first axis
Prints JSON: how many arrays were equal, which were not, the groups' attributes, and what xarray makes of a stack.
"""
import json
import sys
import warnings

import numpy as np
import xarray as xr
import zarr

warnings.simplefilter("ignore")
kind, where, source_path, idx = sys.argv[1], sys.argv[2], sys.argv[3], json.loads(sys.argv[4])


def opened(path):
    if not path.endswith(".icechunk"):
        return path
    import icechunk

    repo = icechunk.Repository.open(icechunk.local_filesystem_storage(path))
    return repo.readonly_session("main").store


def references(path):
    from fsspec.implementations.reference import LazyReferenceMapper, ReferenceFileSystem
    from zarr.storage import FsspecStore

    options = {"remote_protocol": "file", "asynchronous": True}
    fo = path
    if path.endswith(".parq"):
        fo = LazyReferenceMapper(path, engine="pyarrow")
    return FsspecStore(ReferenceFileSystem(fo, **options), read_only=True)


def same(a, b):
    if a.shape != b.shape or a.dtype.newbyteorder("=") != b.dtype.newbyteorder("="):
        return False
    if a.dtype.kind in "fcmM":
        return np.array_equal(a, b, equal_nan=True)
    return np.array_equal(a, b)


store = references(where) if kind.startswith("refs") else opened(where)
zarr_format = 2 if kind.endswith("2") else 3
root = zarr.open_group(store, mode="r", zarr_format=zarr_format)
source = zarr.open_group(opened(source_path), mode="r", use_consolidated=False)
answer = {"equal": 0, "different": [], "groups": {}, "consolidated": root.metadata.consolidated_metadata is not None}
for path, node in root.members(max_depth=None):
    if isinstance(node, zarr.Group):
        answer["groups"][path] = dict(node.attrs)
        continue
    if path.startswith("meta/"):
        node[...]
        continue
    if idx is not None and path not in source:
        node[...]  # a coordinate
        continue
    want = source[path][...] if idx is None else source[path][...][idx]
    if same(node[...], want):
        answer["equal"] += 1
    else:
        answer["different"].append(path)
if idx is not None:
    engine = {"engine": "zarr", "zarr_format": zarr_format, "chunks": None}
    if kind.startswith("refs") and not where.endswith(".parq"):
        ds = xr.open_dataset("reference://", backend_kwargs={"storage_options": {"fo": where, "remote_protocol": "file"}}, **engine)
    else:
        ds = xr.open_dataset(store, **engine)
    answer["dims"] = {str(k): v for k, v in ds.sizes.items()}
    answer["coords"] = sorted(str(c) for c in ds.coords)
    ds.load()
print(json.dumps(answer))
