"""Answers of queries on the real granules from their independent catalogue: plain Python and shapely, no Zarr, no SQL.

usage: catalog_answers.py CATALOG.json   Prints JSON {WHERE clause: [idx, …]}, idx being the position in the catalogue.
"""

import json
import sys
from datetime import datetime

import shapely

rows = json.load(open(sys.argv[1]))
for row in rows:
    row["geometry"] = shapely.from_wkb(bytes.fromhex(row["wkb"]))
    row["date"] = datetime.fromisoformat(row["start"])
    row["end_date"] = datetime.fromisoformat(row["end"])
    row["orbit"] = -1 if row["orbit_number"] is None else row["orbit_number"]

gulf = shapely.from_wkt("POLYGON((0 0, 0 40, 60 40, 60 0, 0 0))")
triangle = shapely.from_wkt("POLYGON((-60 -60, 60 -60, 0 50, -60 -60), (-20 -40, 20 -40, 0 0, -20 -40))")
pacific = shapely.union_all([shapely.box(150, -60, 180, 60), shapely.box(-180, -60, -150, 60)])
south = shapely.box(-180, -90, 180, -60)

ANSWERS = {
    "collection = 'ASCATA-L2-25km' AND date < TIMESTAMP '2016-01-01'": lambda r: r["collection"] == "ASCATA-L2-25km" and r["date"] < datetime(2016, 1, 1),
    "date BETWEEN TIMESTAMP '2019-08-21 17:58:11' AND TIMESTAMP '2021-04-03 00:40:56.526'": lambda r: datetime(2019, 8, 21, 17, 58, 11) <= r["date"] <= datetime(2021, 4, 3, 0, 40, 56, 526000),
    "end_datetime < date OR date >= '2021-06-14T03:00:00Z'": lambda r: r["date"] >= datetime(2021, 6, 14, 3),
    "mean_value IS NULL": lambda r: r["mean_value"] is None,
    "NOT (mean_value < 6)": lambda r: r["mean_value"] is not None and not r["mean_value"] < 6,
    "mean_value > 5 AND mean_value < 8 AND valid_fraction > 0.5": lambda r: r["mean_value"] is not None and 5 < r["mean_value"] < 8 and r["valid_fraction"] > 0.5,
    "day_night IN ('night', 'both') AND NOT platform LIKE 'MetOp%'": lambda r: r["day_night"] in ("night", "both") and not r["platform"].startswith("MetOp"),
    "processing_version = '' OR processing_version ILIKE 'V8_'": lambda r: r["processing_version"] in (None, "") or r["processing_version"].lower() == "v8a",
    "equator_crossing_longitude IS NULL": lambda r: r["equator_crossing_longitude"] is None,
    "crosses_antimeridian": lambda r: r["crosses_antimeridian"],
    "rows * cells < 30000 AND rows % 2 = 0": lambda r: r["rows"] * r["cells"] < 30000 and r["rows"] % 2 == 0,
    "ST_Intersects(bbox, ST_GeomFromText('POLYGON((0 0, 0 40, 60 40, 60 0, 0 0))'))": lambda r: r["geometry"].intersects(gulf),
    "ST_Disjoint(bbox, ST_MakeEnvelope(-180, -90, 180, -60))": lambda r: r["geometry"].disjoint(south),
    "ST_Intersects(bbox, ST_MakeEnvelope(150, -60, -150, 60))": lambda r: r["geometry"].intersects(pacific),
    "ST_Intersects(bbox, ST_MakeEnvelope(150, -60, 210, 60))": lambda r: r["geometry"].intersects(pacific),
    "ST_Intersects(bbox, ST_GeomFromText('POLYGON((-60 -60, 60 -60, 0 50, -60 -60), (-20 -40, 20 -40, 0 0, -20 -40))'))": lambda r: r["geometry"].intersects(triangle),
    "ST_Within(bbox, ST_MakeEnvelope(0, -90, 180, 90))": lambda r: r["geometry"].within(shapely.box(0, -90, 180, 90)) and not r["crosses_antimeridian"],
    "ST_Covers(bbox, ST_Point(30, -50))": lambda r: r["geometry"].covers(shapely.Point(30, -50)),
    "ST_Contains(bbox, ST_GeomFromText('POINT(-40 -30)')) OR lat_min > 60": lambda r: r["geometry"].contains(shapely.Point(-40, -30)) or r["lat_min"] > 60,
}
print(json.dumps({sql: [i for i, row in enumerate(rows) if answer(row)] for sql, answer in ANSWERS.items()}))
