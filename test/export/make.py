"""Writes a small collection in Zarr v2 to the directory named: groups with missing chunks, and NULLs in meta."""
import sys

import numpy as np
import zarr

root = zarr.open_group(sys.argv[1], mode="w", zarr_format=2)
rng = np.random.default_rng(7)
rows = 6
for row in range(rows):
    group = root.create_group(f"granules/g{row}", attributes={"title": f"granule {row}"})
    a = group.create_array("a", shape=(4, 6), chunks=(2, 3), dtype="f4", fill_value=np.float32("nan"))
    a.attrs["_ARRAY_DIMENSIONS"] = ["y", "x"]
    a[:2] = rng.random((2, 6))  # the other chunks are never written
    b = group.create_array("b", shape=(4, 6), chunks=(4, 6), dtype=">i2", fill_value=-1, order="F")
    b.attrs["_ARRAY_DIMENSIONS"] = ["y", "x"]
    b[:] = rng.integers(0, 1000, (4, 6))
    scalar = group.create_array("s", shape=(), dtype="i8", fill_value=0)
    scalar[...] = row + 1
meta = root.create_group("meta")
location = meta.create_array("array_location", shape=(rows,), dtype=str, fill_value="")
location[:] = np.array([f"/granules/g{row}" for row in range(rows)], dtype=object)
cloud = meta.create_array("cloud", shape=(rows,), dtype="f8", fill_value=np.nan)
cloud[:] = [0.5, np.nan, 3, 4, np.nan, 6]
date = meta.create_array("date", shape=(rows,), dtype="M8[s]", fill_value=np.datetime64("NaT"))
date[:] = np.array(["2025-01-01", "2025-01-02", "NaT", "2025-01-04", "2025-01-05", "2025-01-06"], dtype="M8[s]")
