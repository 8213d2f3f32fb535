"""Read the granules that a query finds with zarr-python alone. The query is in the URL: nothing is made beforehand.

Start the demo first (`npm run demo`), then: python examples/zarr_python_view.py
Needs: pip install zarr fsspec aiohttp
"""

import sys
from urllib.parse import quote

import numpy as np
import zarr

server = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"

sql = """SELECT date, orbit FROM meta
         WHERE date < TIMESTAMP '2025-07-01 00:00:00'
           AND ST_Intersects(bbox, ST_GeomFromText('POLYGON((0 0, 0 10, 10 10, 10 0, 0 0))'))"""
url = f"{server}/collections/demo/sql/{quote(sql, safe='')}/v3"
root = zarr.open_group(url, mode="r", zarr_format=3)

for location in root["meta/array_location"][:]:
    sst = root[location.lstrip("/") + "/sea_surface_temperature"]
    # Fields stand beside the array's own attributes. zarr-python gives packed numbers: unpack them.
    packed = sst[:]
    kelvin = packed[packed != sst.attrs["_FillValue"]] * sst.attrs["scale_factor"] + sst.attrs["add_offset"]
    mean = f"{np.mean(kelvin) - 273.15:.2f} °C" if kelvin.size else "no sea in sight"
    print(sst.attrs["date"], f"orbit {sst.attrs['orbit']}", sst.shape, mean)
