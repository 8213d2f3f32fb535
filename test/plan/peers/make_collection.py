"""A random collection that is hard to read right, as a Zarr store, with zarr-python.

usage: make_collection.py SEED ROWS FOLDER [--plain]
NULL, NaN, NaT, empty, multi-part and (in column `odd`) invalid geometries, polygons with holes, 64-bit values, odd
strings; columns of unequal chunk lengths, with chunks missing. Prints {"shapes": [WKT, ...]} for queries, JSON.
--plain: what zarr-datafusion-search reads: boxes, nothing NULL, one chunk length, nothing missing.
"""
import json
import pathlib
import shutil
import sys
import warnings

import numpy as np
import shapely
import zarr
from zarr.core.dtype import VariableLengthBytes

sys.path.append(str(pathlib.Path(__file__).parents[2] / "geometry"))
from shapes import Shapes  # noqa: E402

warnings.filterwarnings("ignore")
seed, rows, folder = int(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
plain = "--plain" in sys.argv
rng = np.random.default_rng(seed)
shapes = Shapes(rng)

BIG = 2**53
WORDS = ["", "a", "A", "ab", "aé", "é", "😀", "a😀b", "%", "_", "a%b", "zz", "\u0001", "'", "﹏", "𝒳", "a b", "\\", 'x"y']
EMPTY = ["POLYGON EMPTY", "POINT EMPTY", "MULTIPOLYGON EMPTY", "GEOMETRYCOLLECTION EMPTY", "LINESTRING EMPTY"]
INVALID = [
    "POLYGON((0 0,4 4,4 0,0 4,0 0))",
    "POLYGON((0 0,4 0,4 4,0 4,0 0),(1 0,3 0,3 2,1 2,1 0))",
    "POLYGON((0 0,4 0,4 4,0 4,0 0),(1 1,2 1,2 3,1 3,1 1),(2 1,3 1,3 3,2 3,2 1))",
    "MULTIPOLYGON(((0 0,3 0,3 3,0 3,0 0)),((1 1,4 1,4 4,1 4,1 1)))",
    "POLYGON((0 0,4 0,4 2,2 2,6 2,6 4,0 4,0 0))",
]


def draw(values):
    return [values[i] for i in rng.integers(0, len(values), rows)]


def with_null(values, null, share=0.15):
    return [null if not plain and rng.random() < share else value for value in values]


def shape():
    """On a grid of 6 steps from -3 to 3, or of eighths of that, which doubles hold.

    Collections have no areas in them: GEOS gets those wrong, and test/geometry has them. Seen in GEOS 3.14.1:
    GEOMETRYCOLLECTION(POLYGON((1 -3,-1 -2,-3 0,3 3,2 -3,1 -3)),MULTIPOINT(3 -1,0 -1,0 0,1 1)) does not cover
    POLYGON((0 0,2 0,2 1,0 1,0 0)).
    """
    made = shapes.rectangle(6) if plain else shapes.geometry(6)
    while made.geom_type == "GeometryCollection" and made.area > 0:
        made = shapes.geometry(6)
    scale = 1 if rng.random() < 0.7 else 0.125
    return shapely.transform(made, lambda xy: (xy - 3) * scale)


def wkb(make):
    made = [None if not plain and rng.random() < 0.1 else make() for _ in range(rows)]
    return [b"" if one is None else shapely.to_wkb(one, byte_order=int(rng.integers(2))) for one in made]


def any_shape():
    return shape() if plain or rng.random() < 0.95 else shapely.from_wkt(EMPTY[rng.integers(len(EMPTY))])


def invalid_shape():
    return shapely.transform(shapely.from_wkt(INVALID[rng.integers(len(INVALID))]), lambda xy: xy - rng.integers(0, 4, 2))


NAT = np.datetime64("NaT")
times = np.array([0, 1, 999, 1000, 1751328000000, 1751328000001, -1, 253402300799999], "datetime64[ms]")
whole = [0, 1, -1, 7, BIG, BIG + 1, -BIG - 1, 2**63 - 1, -(2**63) + 1]
reals = [0, 0.1, 0.2, 1, 2.5, -3, 1e30, np.inf]
columns = {
    # DataFusion truncates times as nanoseconds, which end in 2262
    "date": (with_null(draw(times[:-1] if plain else times), NAT), "datetime64[ms]", NAT),
    "n": (with_null(draw(whole), -(2**63)), "int64", 0),
    "u": (draw([0, 1, 7, 254, 255]), "uint8", 7),
    "big": (draw([0, 1, BIG + 1, 2**63, 2**64 - 1]), "uint64", 1),
    "f": (with_null(draw(reals), np.nan), "float32", np.nan),
    "d": (with_null(draw(reals), np.nan), "float64", 2.5),
    "s": (draw(WORDS), str, ""),
    "ok": (draw([True, False]), "bool", False),
    "g": (wkb(any_shape), VariableLengthBytes(), b""),
    "h": (wkb(any_shape), VariableLengthBytes(), b""),
    "odd": (wkb(invalid_shape), VariableLengthBytes(), b""),
}
if plain:
    columns["bbox"] = columns.pop("g")
    columns["d"] = (list(range(rows)), "float64", 0.0)  # which row it is
    columns = {name: columns[name] for name in ("date", "f", "d", "s", "bbox")}

shutil.rmtree(folder, ignore_errors=True)
meta = zarr.open_group(folder, mode="w", zarr_format=3).create_group("meta")
for name, (values, dtype, fill) in columns.items():
    chunk = 32 if plain else int(rng.choice([1, 7, 16, 50, 64, 1000]))
    attributes = {"_FillValue": -(2**63)} if name == "n" else {}
    if isinstance(dtype, VariableLengthBytes):
        attributes["ARROW:extension:name"] = "geoarrow.wkb"
    array = meta.create_array(
        name, shape=(rows,), chunks=(min(chunk, rows),), dtype=dtype, fill_value=fill, attributes=attributes
    )
    array[:] = np.array(values, dtype=object if isinstance(dtype, VariableLengthBytes) or dtype is str else dtype)
    stored = [path for path in (folder / "meta" / name / "c").glob("*") if path.is_file()]
    for path in stored:
        if not plain and len(stored) > 2 and rng.random() < 0.1:
            path.unlink()
zarr.consolidate_metadata(meta.store, zarr_format=3)
print(json.dumps({"shapes": [shapely.to_wkt(any_shape(), rounding_precision=17) for _ in range(60)]}))
