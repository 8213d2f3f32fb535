"""What zarr-python, xarray and shapely make of a demo collection: facts as JSON, for the test beside this file."""

import collections
import json
import sys

import numpy as np
import shapely
import xarray as xr
import zarr

path = sys.argv[1]
root = zarr.open_group(path, mode="r")
meta = {name: root[f"meta/{name}"][:] for name in root.attrs["zarrsift"]["columns"]}
shapes = shapely.from_wkb([bytes(value) for value in meta["bbox"]])
query = shapely.from_wkt("POLYGON((0 0, 0 10, 10 10, 10 0, 0 0))")
early = meta["date"] < np.datetime64("2025-07-01")

outside, problems = [], []
for i, location in enumerate(meta["array_location"]):
    granule = xr.open_zarr(path, group=location, consolidated=False, zarr_format=3)
    lat, lon = granule.lat.values.ravel(), granule.lon.values.ravel()
    inside = np.zeros(lat.shape, bool)
    for turn in (-360, 0, 360):
        inside |= shapely.intersects_xy(shapes[i], lon + turn, lat)
    if not inside.all():
        outside.append(str(location))
    sst, quality, time = granule.sea_surface_temperature, granule.quality_level, granule.time.values
    if not ((quality.values >= 2) == np.isfinite(sst.values)).all():
        problems.append(f"{location}: temperatures and quality levels disagree")
    if not (sst.dims == ("rows", "cells") and {"lat", "lon"} <= set(sst.coords)):
        problems.append(f"{location}: {sst.dims}, {set(sst.coords)}")
    if abs((time[0] - meta["date"][i]) / np.timedelta64(1, "s") - 5) > 0.5 or (np.diff(time) != np.timedelta64(10, "s")).any():
        problems.append(f"{location}: time {time[0]}, date {meta['date'][i]}")
    if granule.attrs["time_coverage_start"] != f"{meta['date'][i].astype('datetime64[s]')}Z":
        problems.append(f"{location}: {granule.attrs['time_coverage_start']}")

kinds = collections.Counter(shape.geom_type for shape in shapes)
first = xr.open_zarr(path, group=meta["array_location"][0], consolidated=False, zarr_format=3)
print(
    json.dumps(
        {
            "rows": len(meta["date"]),
            "kinds": kinds,
            "beyond": int(sum(shape.bounds[2] > 180 or shape.bounds[0] < -180 for shape in shapes)),
            "polar": int(sum(90 in np.abs(shape.bounds) for shape in shapes)),
            "invalid": [str(meta["array_location"][i]) for i, shape in enumerate(shapes) if not shape.is_valid],
            "outside": outside,
            "problems": problems,
            "early": int(early.sum()),
            "touching": int(shapely.intersects(shapes, query).sum()),
            "founding": np.flatnonzero(early & shapely.intersects(shapes, query)).tolist(),
            "nan_clouds": int(np.isnan(meta["cloud_cover"]).sum()),
            "dtypes": {name: str(values.dtype) for name, values in meta.items()},
            "day_night": sorted(set(meta["day_night"].tolist())),
            "sst_dtype": str(first.sea_surface_temperature.dtype),
            "units": first.sea_surface_temperature.attrs["units"],
            "conventions": root.attrs["zarr_conventions"],
        }
    )
)
