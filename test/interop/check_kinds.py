"""Compare views of every kind of source with numpy's own selection of the arrays that the sources were made from.

usage: check_kinds.py TRUTH.npz CASES.json
CASES.json: [{"name", "rows": a name of ROWS below, "layout", "v3", "v2"}]. Prints how many arrays were
compared by name, or the last error.
"""

import json
import sys
import warnings

import numpy as np
import xarray as xr
import zarr

warnings.filterwarnings("ignore")
truth = dict(np.load(sys.argv[1]))
cases = json.load(open(sys.argv[2]))
cloud, date = truth["meta/cloud"], truth["meta/date"]
newest_first = np.argsort(date)[::-1]
ROWS = {
    "some": np.array([i for i in newest_first if cloud[i] < 50]),
    "none": np.array([], dtype=int),
    "all": np.arange(len(cloud)),
    "listed": np.array([6, 0, 3]),
}
compared = 0


def same(a, b, where):
    global compared
    compared += 1
    a = np.asarray(a)
    assert a.shape == b.shape, f"{where}: shape {a.shape}, not {b.shape}"
    if a.dtype.kind in "OTU":
        assert a.astype(str).tolist() == b.astype(str).tolist(), where
    else:
        assert np.array_equal(a, b, equal_nan=b.dtype.kind in "fM"), f"{where}: other values"


def check(case):
    rows = ROWS[case["rows"]]
    for face, url in ((3, case["v3"]), (2, case["v2"])):
        where = f"{case['name']}, rows {case['rows']}, {case['layout']}, v{face}"
        root = zarr.open_group(url, mode="r", zarr_format=face)
        for name in ("cloud", "date", "orbit"):
            same(root["meta"][name][...], truth[f"meta/{name}"][rows], f"{where}: meta/{name}")
        read = lambda group=None: xr.open_zarr(
            url, group=group, zarr_format=face, mask_and_scale=False, decode_times=False, chunks=None
        )
        if case["layout"] == "stacked":
            if len(rows) == 0:
                continue
            ds = read()
            for name in ("sst", "wind", "time"):
                same(ds[name].values, truth[name][rows], f"{where}: {name}")
            same(ds["orbit"].values, truth["meta/orbit"][rows], f"{where}: coordinate orbit")
            continue
        paths = root["meta"]["array_location"][...] if len(rows) else []
        assert len(paths) == len(rows), where
        for path, row in zip(paths, rows):
            ds = read(str(path))
            for name in ("sst", "wind", "time"):
                same(ds[name].values, truth[name][row], f"{where}: {path}/{name}")
                same(root[f"{path}/{name}"[1:]][2:5], truth[name][row][2:5], f"{where}: part of {path}/{name}")
            assert int(ds["sst"].attrs["orbit"]) == truth["meta/orbit"][row], where

seen = {}
for case in cases:
    name, compared = case["name"], 0
    try:
        check(case)
        if not isinstance(seen.get(name), str):
            seen[name] = seen.get(name, 0) + compared
    except Exception as error:
        seen[name] = f"{type(error).__name__}: {error}"
print(json.dumps(seen))
