#!/usr/bin/env python3
"""Open a store with xarray and zarr, as its users do. usage: open_rows.py stacked|granules URL [URL...]
Prints JSON, a list with the seconds that each URL took, in turn, best of 3: opening it and reading a little."""
import json
import sys
import time
import warnings

import xarray as xr
import zarr

warnings.filterwarnings("ignore")


def stacked(url):
    data = xr.open_zarr(url, zarr_format=3)
    return float(data.sst[-3:].mean()), data.sizes


def granules(url):
    root = zarr.open_group(url, mode="r", zarr_format=3)
    path = xr.open_zarr(url, group="meta", zarr_format=3).array_location.values[-1]
    return float(root[path.lstrip("/") + "/sst"][...].mean())


read = {"stacked": stacked, "granules": granules}[sys.argv[1]]
best = [float("inf")] * len(sys.argv[2:])
for _ in range(3):
    for i, url in enumerate(sys.argv[2:]):
        start = time.perf_counter()
        read(url)
        best[i] = min(best[i], time.perf_counter() - start)
print(json.dumps(best))
