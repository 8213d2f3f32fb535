#!/usr/bin/env python3
"""Read columns of /meta whole with zarr-python. usage: read_columns.py STORE COLUMN... Prints JSON: rows and ms."""
import json
import sys
import time

import zarr

start = time.perf_counter()
meta = zarr.open_group(sys.argv[1], mode="r")["meta"]
columns = [meta[name][:] for name in sys.argv[2:]]
print(json.dumps({"rows": len(columns[0]), "ms": (time.perf_counter() - start) * 1e3}))
