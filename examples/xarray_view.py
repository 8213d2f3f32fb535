"""Read the granules that a query finds with xarray: a mean temperature for each.

Start the demo first (`npm run demo`), then: python examples/xarray_view.py
Needs: pip install xarray zarr fsspec aiohttp
"""

import json
import sys
from urllib.request import Request, urlopen

import xarray as xr

server = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"

# A view is made by POST. The columns that the query selects become attributes of every granule.
query = {
    "sql": """SELECT date, platform, cloud_cover FROM meta
              WHERE day_night = 'night' AND cloud_cover < 30
              ORDER BY cloud_cover LIMIT 5""",
    "bbox": [0, -30, 60, 30],  # west, south, east, north; ANDed to the query
}
request = Request(
    f"{server}/collections/demo/views",
    json.dumps(query).encode(),
    {"content-type": "application/json"},
)
view = json.load(urlopen(request))
print(f"{view['count']} granules at {view['v3']}")

# `meta` inside the view lists its granules in the order of the query.
meta = xr.open_zarr(view["v3"], group="meta", zarr_format=3)
for location in meta.array_location.values:
    granule = xr.open_zarr(view["v3"], group=location, zarr_format=3)
    # xarray has masked and unpacked it: kelvin, NaN under clouds and on land.
    sst = granule.sea_surface_temperature.where(granule.quality_level >= 4)
    print(
        granule.attrs["date"],
        granule.attrs["platform"],
        f"{granule.attrs['cloud_cover']:.1f} % cloud",
        f"{float(sst.mean()) - 273.15:.2f} °C in {int(sst.count())} cells",
    )
