"""Compare views in the stacked layout with numpy's own selection of their sources, through zarr-python and xarray.

usage: check_stacked.py CASES   CASES is a JSON file: [{"base", "source", "idx", "xarray"}], the last whether xarray reads
the values of all arrays, too. Prints JSON {"arrays", "cells", "chunks", "masked"}; exits 1 with the first difference.
"""

import json
import os
import sys
import warnings

import numpy as np
import shapely
import xarray as xr
import zarr
from served import fetch

warnings.filterwarnings("ignore")
cases = json.load(open(sys.argv[1]))
out = {"arrays": 0, "cells": 0, "chunks": 0, "masked": 0}
SKIPPED = ("meta", "indexes")


def same(a, b):
    a, b = np.asarray(a), np.asarray(b)
    native = lambda dtype: dtype if dtype.kind in "OT" else dtype.newbyteorder("=")  # v3 has no byte order of its own
    if a.shape != b.shape or (native(a.dtype) != native(b.dtype) and not {a.dtype.kind, b.dtype.kind} <= set("OTU")):
        return False
    if a.dtype.kind in "OTU":
        blank = lambda v: "NULL" if v is None or v != v else str(v)
        return [blank(v) for v in a.ravel().tolist()] == [blank(v) for v in b.ravel().tolist()]
    if a.dtype.kind in "fc":
        return a.tobytes() == b.tobytes() or np.array_equal(a, b, equal_nan=True)
    return np.array_equal(a, b, equal_nan=a.dtype.kind in "mM")


def arrays(group, prefix=""):
    for name, array in group.arrays():
        yield prefix + name, array
    for name, child in group.groups():
        if prefix or name not in SKIPPED:
            yield from arrays(child, f"{prefix}{name}/")


def aligned(idx, rows):
    """Whether each `rows` rows are the first ones of one chunk of the source, in order."""
    return all(row % rows == i % rows and row - i % rows == idx[i - i % rows] for i, row in enumerate(idx))


class Source:
    """Everything the source holds, read once with zarr-python and once with xarray."""

    def __init__(self, path):
        self.path, self.root = path, zarr.open_group(path, mode="r")
        self.meta = {name: array[...] for name, array in self.root["meta"].arrays()}
        self.n = len(self.meta["platform"])
        self.grouped = "array_location" in self.meta
        open_ = lambda group: xr.open_zarr(path, group=group, consolidated=False, chunks=None, decode_timedelta=True)
        if self.grouped:
            self.places = [str(p).strip("/") for p in self.meta["array_location"]]
            each = [dict(arrays(self.root[p])) for p in self.places]
            self.plain = {name: np.stack([np.asarray(g[name][...]) for g in each]) for name in each[0]}
            self.sample = each[0]
            shown = [open_(p) for p in self.places]
            self.shown = {name: np.stack([ds[name].values for ds in shown]) for name in shown[0].variables}
            self.stacked = set(self.plain)
        else:
            self.sample = dict(arrays(self.root))
            self.plain = {name: np.asarray(a[...]) for name, a in self.sample.items()}
            ds = open_(None)
            self.shown = {name: ds[name].values for name in ds.variables}
            self.stacked = {name for name, a in self.sample.items() if a.ndim and a.shape[0] == self.n}

    def wanted(self, values, name, idx):
        return values[idx] if name in self.stacked else values

    def chunk_file(self, name, idx, coords):
        """Path of the file that a view's chunk is, where it is one of the source's."""
        array = self.sample[name]
        sharded = array.shards is not None if hasattr(array, "shards") else False
        shape = array.shards if sharded else array.chunks
        v3 = array.metadata.zarr_format == 3
        if self.grouped:
            folder, place = f"{self.path}/{self.places[idx[coords[0]]]}/{name}", coords[1:]
        elif name not in self.stacked:
            folder, place = f"{self.path}/{name}", coords
        elif aligned(idx, shape[0]):
            folder, place = f"{self.path}/{name}", (idx[coords[0] * shape[0]] // shape[0], *coords[1:])
        else:
            return None
        return f"{folder}/" + ("/".join(["c", *map(str, place)]) if v3 else ".".join(map(str, place)) or "0")


sources = {}
for case in cases:
    base, idx = case["base"], np.array(case["idx"], dtype=int)
    source = sources.setdefault(case["source"], None) or Source(case["source"])
    sources[case["source"]] = source
    where = f"{os.path.basename(case['source'])} {case['idx']}"
    for face in ("v3", "v2"):
        view = zarr.open_group(f"{base}/{face}", mode="r")
        there = dict(arrays(view))
        for name, values in source.plain.items():
            if len(idx) == 0 and source.grouped:
                break
            wanted = source.wanted(values, name, idx)
            if not same(there[name][...], wanted):
                sys.exit(f"{where} {face} /{name}: zarr-python reads other values: {there[name][...]} not {wanted}")
            out["arrays"] += 1
            out["cells"] += wanted.size
        for name, array in there.items():
            if (face, source.root.metadata.zarr_format) == ("v2", 3) or name not in source.sample or array.nchunks == 0:
                continue  # v2 may have to write chunks in its own way
            grid = [-(-length // size) for length, size in zip(array.shape, getattr(array, "shards", None) or array.chunks)]
            for coords in np.ndindex(*grid):
                file = source.chunk_file(name, idx, coords)
                if file is None:
                    continue
                key = array.metadata.encode_chunk_key(coords)
                served = fetch(f"{base}/{face}/{name}/{key}")
                if served != (open(file, "rb").read() if os.path.exists(file) else None):
                    sys.exit(f"{where} {face} /{name}/{key}: the bytes are not those of {file}")
                out["chunks"] += 1
        ds = xr.open_zarr(f"{base}/{face}", chunks=None, decode_timedelta=True)
        for name, values in source.shown.items():
            if not case["xarray"] or (len(idx) == 0 and source.grouped):
                break
            wanted = source.wanted(values, name, idx)
            if not same(ds[name].values, wanted):
                sys.exit(f"{where} {face} /{name}: xarray reads {ds[name].values!r}, on the source {wanted!r}")
            out["masked"] += int(np.isnan(wanted).sum()) if wanted.dtype.kind == "f" else 0
        meta = {name: values[idx] for name, values in source.meta.items()}
        null = lambda bad, values: np.where(bad, None, values.astype(object))
        expected = {
            "idx": idx,
            "date": meta["date"].astype("M8[ns]"),
            "exact": meta["exact"],
            "lag": meta["lag"].astype("m8[ns]"),
            "cloud": meta["cloud"],
            "orbit": meta["orbit"],
            "ok": meta["ok"],
            "platform": meta["platform"],
            "meta_y" if len(idx) or not source.grouped else "y": meta["y"],
            "note": null(meta["note"].astype(object) == "?", meta["note"]),
            "bbox": np.array([shapely.from_wkb(b).normalize().wkt if b else None for b in meta["bbox"]], dtype=object),
        }
        for name, wanted in expected.items():
            if name not in ds.coords:
                sys.exit(f"{where} {face}: {name} is no coordinate")
            values = ds[name].values
            if values.dtype.kind in "mM":
                values = values.astype(f"{values.dtype.kind}8[ns]")
            if name == "bbox":
                values = np.array([shapely.from_wkt(str(t)).normalize().wkt if t == t and t is not None else None for t in values.tolist()], dtype=object)
            if not same(values, wanted):
                sys.exit(f"{where} {face}: the coordinate {name} is {values!r}, not {wanted!r}")
        rank = ds["rank"].values.astype("f8")
        if not np.array_equal(rank, np.where(meta["rank"] == -1, np.nan, meta["rank"]), equal_nan=True):
            sys.exit(f"{where} {face}: the coordinate rank is {rank}")
        if len(idx) and any(ds[name].attrs.get("platform") != "P" for name in source.shown):
            sys.exit(f"{where} {face}: the field platform, P everywhere, is no attribute")
print(json.dumps(out))
