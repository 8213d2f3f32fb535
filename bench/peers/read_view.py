#!/usr/bin/env python3
"""Read every granule's sst at a URL with one zarr-python client. usage: read_view.py URL
Prints JSON: raw bytes, seconds, and a sum over the values that is equal wherever the data is."""
import json
import sys
import time

import numpy as np
import zarr

start = time.perf_counter()
root = zarr.open_group(sys.argv[1], mode="r", zarr_format=3)
size, total = 0, 0.0
for name in sorted(root["g"].group_keys()):
    values = root[f"g/{name}/sst"][...]
    size += values.nbytes
    total += float(np.sum(values, dtype="f8"))
print(json.dumps({"bytes": size, "seconds": time.perf_counter() - start, "sum": total}))
