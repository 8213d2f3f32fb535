"""Answers queries over a store of make_collection.py with DuckDB and its spatial extension.

usage: duckdb_store.py FOLDER QUERIES.json     Prints the answers as duckdb_cells.py writes them, JSON.
The store is read with zarr-python; what is NULL is decided here, from what the store's documentation says. Where
DuckDB is wrong or means something else (docs/sql.md), `mend` takes another way to the answer.
"""
import json
import re
import sys

import numpy as np
import shapely
import zarr

sys.path.append(sys.path[0] + "/..")
from duckdb_cells import answers, connection  # noqa: E402

GEOMETRIES = ("g", "h", "odd")
TYPES = {
    "date": "TIMESTAMP_MS",
    "n": "BIGINT",
    "u": "UTINYINT",
    "big": "UBIGINT",
    "f": "FLOAT",
    "d": "DOUBLE",
    "s": "VARCHAR",
    "ok": "BOOLEAN",
}


def cell(name, value):
    """A stored value as DuckDB takes it: NaT, NaN, an empty geometry and the column's own `_FillValue` are NULL."""
    if name in GEOMETRIES:
        return bytes(value) or None
    if name == "date":
        return None if np.isnat(value) else str(value).replace("T", " ")
    if name == "n":
        return None if value == -(2**63) else int(value)
    if name in ("f", "d"):
        return None if np.isnan(value) else float(value)
    return value.item() if isinstance(value, np.generic) else value


def shapely_distance(a, b):
    return float(shapely.distance(shapely.from_wkb(a), shapely.from_wkb(b)))


AREAS = "ST_Area(a) > 0 AND ST_Area(b) > 0"
POLYGONS = " AND ".join(f"ST_GeometryType({x}) IN ('POLYGON', 'MULTIPOLYGON')" for x in "ab")
COVERS = {"within": ("a", "b"), "coveredby": ("a", "b"), "contains": ("b", "a"), "covers": ("b", "a")}
MENDED = ["distance", "dwithin", "overlaps", *COVERS]


def mend(con):
    """Makes `mended_NAME` of some functions.

    distance: that of two polygons apart is often 0 in 1.5.5, as of ((0 2,0 3,-2 3,-2 2,0 2)) and
    ((0 -1,0 0,2 0,2 -1,0 -1)); of nothing it is 0, not NULL. dwithin 0: meets, without rounding.
    within and its kin: GEOS's relate misses that areas cover each other in rare cases, which its overlay sees.
    """
    con.create_function("shapely_distance", shapely_distance, ["BLOB", "BLOB"], "DOUBLE")
    con.execute(
        f"""CREATE MACRO mended_distance(a, b) AS CASE
            WHEN ST_IsEmpty(a) OR ST_IsEmpty(b) THEN NULL
            WHEN {AREAS} THEN shapely_distance(ST_AsWKB(a)::BLOB, ST_AsWKB(b)::BLOB) ELSE ST_Distance(a, b) END"""
    )
    con.execute(
        """CREATE MACRO mended_dwithin(a, b, most) AS CASE
            WHEN a IS NULL OR b IS NULL THEN NULL
            WHEN most = 0 THEN ST_Intersects(a, b) ELSE coalesce(mended_distance(a, b) <= most, FALSE) END"""
    )
    apart = "ST_IsEmpty(ST_Difference({}, {}))"
    for name, (inner, outer) in COVERS.items():
        covered = f"{POLYGONS} AND {AREAS} AND {apart.format(inner, outer)}"
        con.execute(f"CREATE MACRO mended_{name}(a, b) AS CASE WHEN {covered} THEN TRUE ELSE ST_{name}(a, b) END")
    either = f"({apart.format('a', 'b')} OR {apart.format('b', 'a')})"
    con.execute(
        f"""CREATE MACRO mended_overlaps(a, b) AS CASE
            WHEN {POLYGONS} AND {AREAS} AND {either} THEN FALSE ELSE ST_Overlaps(a, b) END"""
    )


def mended(sql):
    return re.sub(rf"\bST_({'|'.join(MENDED)})\(", r"mended_\1(", sql, flags=re.IGNORECASE)


meta = zarr.open_group(sys.argv[1], mode="r")["meta"]
with open(sys.argv[2], encoding="utf-8") as file:
    queries = json.load(file)
con = connection(spatial=True)
names = [*TYPES, *GEOMETRIES]
declared = [f"{name} {TYPES.get(name, 'GEOMETRY')}" for name in names]
con.execute(f"CREATE TABLE meta (idx BIGINT, {', '.join(declared)})")
marks = ", ".join("ST_GeomFromWKB(?)" if name in GEOMETRIES else f"CAST(? AS {TYPES[name]})" for name in names)
cells = [[cell(name, value) for value in meta[name][:]] for name in names]
con.executemany(f"INSERT INTO meta VALUES (?, {marks})", [[i, *row] for i, row in enumerate(zip(*cells))])
mend(con)
print(json.dumps(answers(con, [mended(sql) for sql in queries])))
