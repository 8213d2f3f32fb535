#!/usr/bin/env python3
"""Put swaths of make_rows.py end to end in chunks of 64 rows, with numpy, from files to bytes. usage: recut.py STORE ROUNDS
Prints JSON: bytes made and the seconds of the best of ROUNDS."""
import json
import pathlib
import sys
import time

import numpy as np

store = pathlib.Path(sys.argv[1])
granules = sorted(path for path in (store / "granules").iterdir() if path.is_dir())


def recut():
    parts = []
    for folder in granules:
        lines = json.loads((folder / "sst/zarr.json").read_bytes())["shape"][0]
        chunks = [np.fromfile(folder / f"sst/c/{i}/0", "f4").reshape(64, 1024) for i in range(-(-lines // 64))]
        parts += [chunk[: lines - 64 * i] for i, chunk in enumerate(chunks)]
    starts = np.cumsum([0, *map(len, parts)])
    made = 0
    for begin in range(0, starts[-1], 64):
        first, last = np.searchsorted(starts, [begin, begin + 64], side="right")
        rows = [part[max(0, begin - at) : begin + 64 - at] for part, at in zip(parts[first - 1 : last], starts[first - 1 :])]
        out = np.zeros((64, 1024), "f4")
        joined = np.concatenate(rows)
        out[: len(joined)] = joined
        made += len(out.tobytes())
    return made


best = float("inf")
for _ in range(int(sys.argv[2])):
    start = time.perf_counter()
    size = recut()
    best = min(best, time.perf_counter() - start)
print(json.dumps({"bytes": size, "seconds": best}))
