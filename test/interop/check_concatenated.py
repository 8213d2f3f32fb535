"""Compare views in the concatenated layout with numpy's concatenation of their granules, through zarr-python and xarray.

usage: check_concatenated.py CASES   CASES is a JSON file: [{"base", "source", "idx", "xarray"}], the last whether xarray
reads the values, too. Prints JSON {"arrays", "cells", "chunks"}; exits 1 with the first difference.
"""

import json
import os
import sys
import warnings
from functools import cache

import numpy as np
import xarray as xr
import zarr
from served import fetch

warnings.filterwarnings("ignore")
out = {"arrays": 0, "cells": 0, "chunks": 0}


def same(a, b):
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype.kind in "OTU" or b.dtype.kind in "OTU":
        text = lambda values: ["NULL" if v is None or v != v else str(v) for v in values.ravel().tolist()]
        return a.shape == b.shape and text(a) == text(b)
    if a.shape != b.shape or a.dtype.newbyteorder("=") != b.dtype.newbyteorder("="):
        return False
    return np.array_equal(a, b, equal_nan=a.dtype.kind in "fcmM")


def joined(parts, along):
    return np.concatenate(parts) if along else np.stack(parts)


@cache
def root_of(path):
    return zarr.open_group(path, mode="r")


@cache
def plain(path, place):
    """A granule's arrays as zarr-python reads them."""
    return {name: np.asarray(array[...]) for name, array in root_of(path)[place].arrays()}


@cache
def shown_by_xarray(path, place):
    return xr.open_zarr(path, group=place, consolidated=False, chunks=None).load()


for case in json.load(open(sys.argv[1])):
    base, path, idx = case["base"], case["source"], case["idx"]
    root = root_of(path)
    fmt = root.metadata.zarr_format
    places = [str(root["meta/array_location"][...][row]).strip("/") for row in idx]
    granules = [root[place] for place in places]
    shown = [shown_by_xarray(path, place) for place in places]
    for face in ("v3", "v2"):
        where = f"{os.path.basename(path)} {idx} {face}"
        view = zarr.open_group(f"{base}/{face}", mode="r")
        ds = xr.open_zarr(f"{base}/{face}", chunks=None)
        for name in shown[0].variables:
            along = shown[0][name].dims[:1] == ("y",)
            if ds[name].dims != (shown[0][name].dims if along else ("meta_row", *shown[0][name].dims)):
                sys.exit(f"{where} /{name}: its dimensions are {ds[name].dims}")
            if not same(view[name][...], joined([plain(path, place)[name] for place in places], along)):
                sys.exit(f"{where} /{name}: zarr-python reads other values")
            if case["xarray"] and not same(ds[name].values, joined([each[name].values for each in shown], along)):
                sys.exit(f"{where} /{name}: xarray reads other values than on the source")
            out["arrays"] += 1
            out["cells"] += view[name].size
        lengths = [each.sizes["y"] for each in shown]
        if ds["row_count"].values.tolist() != lengths or ds["row_count"].dims != ("meta_row",):
            sys.exit(f"{where}: row_count is {ds['row_count'].values}, not {lengths}")
        if not np.array_equal(ds["granule"].values, np.repeat(np.arange(len(idx)), lengths)):
            sys.exit(f"{where}: granule is {ds['granule'].values}")
        if ds["idx"].values.tolist() != idx or not np.array_equal(ds["orbit"].values, root["meta/orbit"][...][idx]):
            sys.exit(f"{where}: idx or orbit differ")
        if face == "v2" and fmt == 3:
            continue  # v2 may have to write chunks in its own way
        for name in (n for n in shown[0].variables if n.endswith("_1") or (n.endswith("_4") and all(n % 4 == 0 for n in lengths))):
            rows, at = int(name[-1]), 0
            for place, granule, length in zip(places, granules, lengths):
                for chunk in range(-(-length // rows)):
                    file = f"{path}/{place}/{name}/{granule[name].metadata.encode_chunk_key((chunk, 0))}"
                    if not os.path.exists(file):
                        continue
                    served = fetch(f"{base}/{face}/{name}/{view[name].metadata.encode_chunk_key((at + chunk, 0))}")
                    if served != open(file, "rb").read():
                        sys.exit(f"{where} /{name}: the bytes are not those of {file}")
                    out["chunks"] += 1
                at += -(-length // rows)
print(json.dumps(out))
