"""Compare a view of a stacked source, in the granules layout, with the source's slices.

usage: check_sliced.py VIEW_BASE SOURCE IDX[,IDX…]   Prints JSON {"arrays", "cells"}; exits 1 with the first difference.
"""

import json
import sys
import warnings

import numpy as np
import xarray as xr
import zarr

warnings.filterwarnings("ignore")
base, source, rows = sys.argv[1], sys.argv[2], [int(i) for i in sys.argv[3].split(",")]
root = zarr.open_group(source, mode="r")
stacks = {name: array for name, array in root.arrays()}
out = {"arrays": 0, "cells": 0}
for face in ("v3", "v2"):
    view = zarr.open_group(f"{base}/{face}", mode="r")
    if sorted(view["granules"].group_keys()) != sorted(map(str, rows)):
        sys.exit(f"{face}: granules are {sorted(view['granules'].group_keys())}")
    for row in rows:
        granule = view[f"granules/{row}"]
        if granule.attrs["idx"] != row or sorted(granule.array_keys()) != sorted(stacks):
            sys.exit(f"{face}: granule {row} has idx {granule.attrs['idx']} and {sorted(granule.array_keys())}")
        for name, stack in stacks.items():
            a, b = np.asarray(stack[row]), np.asarray(granule[name][...])
            if a.shape != b.shape or a.dtype != b.dtype or not np.array_equal(a, b, equal_nan=a.dtype.kind in "fcmM"):
                sys.exit(f"{face}/granules/{row}/{name}: values differ")
            out["arrays"] += 1
            out["cells"] += a.size
    truth = xr.open_zarr(source, consolidated=False, chunks=None)
    shown = xr.open_zarr(f"{base}/{face}", group=f"granules/{rows[0]}", chunks=None)
    for name in stacks:
        if not np.array_equal(truth[name][rows[0]].values, shown[name].values, equal_nan=truth[name].dtype.kind in "fM"):
            sys.exit(f"{face}/granules/{rows[0]}/{name}: xarray masks or decodes other cells than on the source")
print(json.dumps(out))
