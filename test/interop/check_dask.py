"""Compute means of a stacked view with several Dask worker processes, and of the view's source in this one.

usage: check_dask.py VIEW SOURCE IDX VARIABLE...   IDX is a JSON list. Prints JSON {"workers", "chunks", "means", "wanted"}.
"""

import json
import os
import sys
import warnings

import dask
import numpy as np
import xarray as xr
from distributed import Client, LocalCluster

warnings.filterwarnings("ignore")


def pid(block):
    return np.full((1,) * block.ndim, os.getpid())


def main():
    view, source, idx, *variables = sys.argv[1:]
    idx = json.loads(idx)
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None)
    with cluster, Client(cluster):
        data = xr.open_zarr(view, chunks={}, zarr_format=3)[variables]
        arrays = [data[name].data for name in variables]
        means = dask.compute(*(data[name].astype("f8").mean() for name in variables))
        readers = dask.compute(*(array.map_blocks(pid, dtype="i8", chunks=(1,) * array.ndim) for array in arrays))
    whole = xr.open_zarr(source, chunks=None, consolidated=False)[variables].isel(scene=idx)
    wanted = [float(whole[name].astype("f8").mean()) for name in variables]
    out = {
        "workers": len({int(p) for pids in readers for p in np.unique(pids)} - {os.getpid()}),
        "chunks": sum(array.npartitions for array in arrays),
        "means": [float(mean) for mean in means],
        "wanted": wanted,
    }
    print(json.dumps(out))


if __name__ == "__main__":
    main()
