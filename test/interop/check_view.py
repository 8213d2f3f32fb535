"""Compare a served view with its source, cell by cell, as zarr-python and xarray see both.

usage: check_view.py VIEW_BASE SOURCE EXPECTED.json
VIEW_BASE has v3/ and v2/ below it; SOURCE is the plain store, or an Icechunk repository as PATH#branch.main;
EXPECTED.json: {"paths": [granule paths in view order], "idx": [...], "fields": [...]}.
Prints JSON {"granules", "arrays", "cells", "masked", "versions"}; exits 1 with the first difference.
"""

import json
import sys
import warnings

import numpy as np
import xarray as xr
import zarr

warnings.filterwarnings("ignore")
base, source, expected = sys.argv[1], sys.argv[2], json.load(open(sys.argv[3]))


def open_source(name):
    if "#" not in name:
        return name
    import icechunk

    path, ref = name.split("#")
    kind, value = ref.split(".", 1)
    repo = icechunk.Repository.open(icechunk.local_filesystem_storage(path))
    return repo.readonly_session(**{kind: value}).store


def arrays_of(group, prefix=""):
    if isinstance(group, zarr.Array):
        yield "", group
        return
    for name, member in sorted(group.members()):
        if isinstance(member, zarr.Array):
            yield prefix + name, member
        else:
            yield from arrays_of(member, f"{prefix}{name}/")


def granule_paths(group, prefix=""):
    """Groups (or arrays) that are granules: whatever of EXPECTED is below the root, and anything else."""
    wanted = set(expected["paths"])
    for name, member in group.members():
        path = prefix + name
        if path == "meta":
            continue
        if path in wanted:
            yield path
        elif isinstance(member, zarr.Group) and any(w.startswith(path + "/") for w in wanted):
            yield from granule_paths(member, path + "/")
        else:
            yield f"unexpected:{path}"


def equal(a, b):
    if a.dtype.kind == "O":  # masked text and booleans: NaN stands for what is missing
        return bool(np.all((a == b) | ((a != a) & (b != b))))
    return np.array_equal(a, b, equal_nan=a.dtype.kind in "fcmM")


def same(a, b):
    a, b = np.asarray(a), np.asarray(b)
    return a.shape == b.shape and (a.dtype == b.dtype or a.dtype.newbyteorder("=") == b.dtype.newbyteorder("=")) and equal(a, b)


def fail(why):
    print(why, file=sys.stderr)
    sys.exit(1)


store = open_source(source)
root = zarr.open_group(store, mode="r")
out = {"granules": 0, "arrays": 0, "cells": 0, "masked": 0, "versions": [zarr.__version__, xr.__version__]}
for face, fmt in (("v3", 3), ("v2", 2)):
    view = zarr.open_group(f"{base}/{face}", mode="r")
    if view.metadata.zarr_format != fmt:
        fail(f"{face} is format {view.metadata.zarr_format}")
    found = sorted(granule_paths(view))
    if found != sorted(expected["paths"]):
        fail(f"{face}: granules {found[:3]}… are not the expected {expected['paths'][:3]}…")
    for path, idx in zip(expected["paths"], expected["idx"]):
        out["granules"] += 1
        granule = view[path]
        if granule.attrs["idx"] != idx:
            fail(f"{face}/{path}: idx {granule.attrs['idx']} is not {idx}")
        for name, array in arrays_of(root[path]):
            served = granule[name] if name else granule
            if not same(array[...], served[...]):
                fail(f"{face}/{path}/{name}: values differ")
            own, flat = dict(array.attrs), dict(served.attrs)
            for key in own:
                if key == "missing_value":  # may gain what v2 masks by its fill_value
                    wanted = own[key] if isinstance(own[key], list) else [own[key]]
                    kept = all(value in np.atleast_1d(flat.get(key)).tolist() for value in wanted)
                elif key in ("_FillValue", "_ARRAY_DIMENSIONS"):
                    kept = True
                else:
                    kept = own[key] == flat.get(key, object()) or own[key] != own[key]
                if not kept:
                    fail(f"{face}/{path}/{name}: attribute {key} is {flat.get(key)!r}, was {own[key]!r}")
            if "_ARRAY_DIMENSIONS" not in own and face == "v3" and array.metadata.dimension_names != served.metadata.dimension_names:
                fail(f"{face}/{path}/{name}: dimension names differ")
            for field in expected["fields"]:
                if field not in flat and f"meta_{field}" not in flat:
                    fail(f"{face}/{path}/{name}: the field {field} is not an attribute")
            out["arrays"] += 1
            out["cells"] += int(np.prod(array.shape))
    groups = [path for path in expected["paths"] if isinstance(root[path], zarr.Group)]
    for path in groups[:6]:
        truth = xr.open_zarr(store, group=path, consolidated=False, chunks=None)
        shown = xr.open_zarr(f"{base}/{face}", group=path, chunks=None)
        if set(truth.variables) != set(shown.variables):
            fail(f"{face}/{path}: xarray sees {sorted(shown.variables)}, the source has {sorted(truth.variables)}")
        for name in truth.variables:
            if not same(truth[name].values, shown[name].values):
                fail(f"{face}/{path}/{name}: xarray masks or decodes other cells than on the source")
            if truth[name].dtype.kind == "f":
                out["masked"] += int(np.isnan(truth[name].values).sum())
    tree = xr.open_datatree(f"{base}/{face}", engine="zarr", chunks=None)
    for path in groups:
        if f"/{path}" not in tree.groups:
            fail(f"{face}: open_datatree lacks {path}")
    meta = xr.open_zarr(f"{base}/{face}", group="meta", chunks=None)
    if meta["source_idx"].values.tolist() != expected["idx"]:
        fail(f"{face}/meta: source_idx differs")
    if [str(p) for p in meta["array_location"].values] != ["/" + p for p in expected["paths"]]:
        fail(f"{face}/meta: array_location differs")
print(json.dumps(out))
