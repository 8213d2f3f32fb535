#!/usr/bin/env python3
"""Make a seeded collection of many tiny granules, as a plain Zarr v3 store with no consolidated metadata.

usage: make_rows.py OUT.zarr ROWS stacked|grouped|swaths
stacked: one array sst (ROWS, 8, 8), a row a chunk; only the last 100 rows are written. grouped: a group a granule,
granules/GNNNNNN, with sst (8, 8) and lat (8,), only the last one's chunks written. swaths: grouped, uncompressed sst
(150 to 156, 1024) in chunks of (64, 1024), all written. /meta has date, cloud and, but for stacked, array_location.
"""
import json
import pathlib
import shutil
import sys

import numpy as np
import zarr

out, rows, kind = sys.argv[1], int(sys.argv[2]), sys.argv[3]
shutil.rmtree(out, ignore_errors=True)
rng = np.random.default_rng(42)
root = zarr.open_group(out, mode="w", zarr_format=3)
meta = root.create_group("meta")


def column(name, values, dtype=None):
    array = meta.create_array(name, shape=(rows,), chunks=(8192,), dtype=dtype or values.dtype, dimension_names=("row",))
    array[...] = values


def documents(folder, shape, chunks, names):
    """An array's metadata, written as it is: much faster than asking zarr for each."""
    grid = {"name": "regular", "configuration": {"chunk_shape": chunks}}
    keys = {"name": "default", "configuration": {"separator": "/"}}
    codecs = [{"name": "bytes", "configuration": {"endian": "little"}}]
    about = {"zarr_format": 3, "node_type": "array", "shape": shape, "data_type": "float32", "chunk_grid": grid}
    rest = {"chunk_key_encoding": keys, "fill_value": 0.0, "codecs": codecs, "dimension_names": names}
    folder.mkdir(parents=True)
    (folder / "zarr.json").write_text(json.dumps({**about, **rest, "attributes": {"units": "K"}}))


def granule(folder, number, lines, cells, chunk, written):
    folder.mkdir(parents=True)
    about = {"zarr_format": 3, "node_type": "group", "attributes": {"title": "made up", "number": number}}
    (folder / "zarr.json").write_text(json.dumps(about))
    documents(folder / "sst", [lines, cells], [chunk, cells], ["row", "cell"])
    documents(folder / "lat", [lines], [chunk], ["row"])
    values = rng.normal(280, 10, (-(-lines // chunk) * chunk, cells)).astype("f4") if written else ()
    for at in range(0, len(values), chunk):
        (folder / "sst/c" / str(at // chunk)).mkdir(parents=True)
        values[at : at + chunk].tofile(folder / "sst/c" / str(at // chunk) / "0")


column("date", np.datetime64("2025-01-01", "ms") + np.arange(rows) * np.timedelta64(60_000, "ms"))
column("cloud", rng.random(rows).astype("f4"))
if kind == "stacked":
    names = ("scene", "row", "cell")
    sst = root.create_array("sst", shape=(rows, 8, 8), chunks=(1, 8, 8), dtype="f4", dimension_names=names)
    sst[-100:] = rng.normal(280, 10, (min(100, rows), 8, 8))
else:
    paths = [f"/granules/G{i:06d}" for i in range(rows)]
    column("array_location", np.array(paths, dtype=object), str)
    root.create_group("granules")
    for i, path in enumerate(paths):
        folder = pathlib.Path(out + path)
        if kind == "swaths":
            granule(folder, i, 150 + i % 7, 1024, 64, True)
        else:
            granule(folder, i, 8, 8, 8, i == rows - 1)
print("null")
