#!/usr/bin/env python3
"""Make a seeded collection of granules with chunks of about 136 KB, as a plain, consolidated Zarr v3 store.

usage: make_granules.py OUT.zarr [--granules 80]
Each granule g/NNNN holds one float32 array, sst, of 2048 x 1024 in chunks of 512 x 512 (1 MB raw); /meta has
array_location and date. Prints JSON: keys of chunks and of metadata.
"""
import argparse
import json
import pathlib
import shutil
import warnings

import numpy as np
import zarr

warnings.filterwarnings("ignore")
parser = argparse.ArgumentParser()
parser.add_argument("out")
parser.add_argument("--granules", type=int, default=80)
args = parser.parse_args()

rng = np.random.default_rng(42)
n = args.granules
shutil.rmtree(args.out, ignore_errors=True)
root = zarr.open_group(args.out, mode="w", zarr_format=3)
paths = [f"/g/{i:04d}" for i in range(n)]
for path in paths:
    group = root.create_group(path.lstrip("/"), attributes={"title": "made-up sea surface temperature"})
    sst = group.create_array(
        "sst", shape=(2048, 1024), chunks=(512, 512), dtype="f4", fill_value=np.nan, dimension_names=("row", "cell")
    )
    # Few and unequally likely values: zstd makes about 136 KB of a chunk.
    sst[...] = (280 + 0.25 * rng.choice(4, sst.shape, p=[0.4, 0.3, 0.2, 0.1])).astype("f4")
meta = root.create_group("meta")
location = meta.create_array("array_location", shape=(n,), chunks=(n,), dtype=str, dimension_names=("row",))
location[...] = np.array(paths, dtype=object)
date = meta.create_array("date", shape=(n,), chunks=(n,), dtype="datetime64[ms]", dimension_names=("row",))
date[...] = np.datetime64("2025-07-01", "ms") + np.arange(n) * np.timedelta64(600_000, "ms")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    zarr.consolidate_metadata(args.out, zarr_format=3)

store = pathlib.Path(args.out)
chunks = sorted(str(f.relative_to(store)) for f in (store / "g").rglob("c/*/*"))
metadata = sorted(str(f.relative_to(store)) for f in (store / "g").glob("*/sst/zarr.json"))
mean = int(np.mean([(store / c).stat().st_size for c in chunks]))
print(json.dumps({"chunks": chunks, "metadata": metadata, "chunk_bytes": mean}))
