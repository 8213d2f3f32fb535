"""Write /meta groups with a column of every type, and say in JSON what SQL must show of them.

usage: make_columns.py DIRECTORY   Makes DIRECTORY/{types2,types3,cf2,cf3}.zarr and prints
{store: {"rows": [{column: value}], "types": {column: type}}}, values as the JSON format has them.
"""

import base64
import json
import os
import shutil
import sys
import warnings

import numpy as np
import shapely
import xarray as xr
import zarr
from zarr.core.dtype import VariableLengthBytes

warnings.filterwarnings("ignore")
out = sys.argv[1]
N = 5
expected = {}


def b64(value):
    return base64.b64encode(value).decode()


def iso(values, digits):
    texts = np.datetime_as_string(np.asarray(values), unit={0: "s", 3: "ms", 6: "us", 9: "ns"}[digits])
    return [None if t == "NaT" else f"{t}Z" for t in texts]


def typed_store(fmt):
    name = f"types{fmt}"
    path = os.path.join(out, f"{name}.zarr")
    shutil.rmtree(path, ignore_errors=True)
    root = zarr.open_group(path, mode="w", zarr_format=fmt)
    meta = root.create_group("meta")
    columns, types = {}, {}

    def add(column, values, dtype, sql, type_name, **options):
        array = meta.create_array(column, shape=(N,), chunks=(2,), dtype=dtype, **({"fill_value": None} if fmt == 2 else {}) | options)
        array[:] = values
        columns[column], types[column] = sql, type_name

    for bits in (8, 16, 32, 64):
        for kind, np_kind in (("int", "i"), ("uint", "u")):
            info = np.iinfo(f"{np_kind}{bits // 8}")
            values = [info.min, 0, 1, info.max - 1, info.max]
            add(f"{kind}{bits}", np.array(values, dtype=info.dtype), info.dtype, values, f"{kind}{bits}")
    for bits in (16, 32, 64):
        values = np.array([0.5, np.nan, np.inf, -np.inf, -2], dtype=f"f{bits // 8}")
        add(f"float{bits}", values, values.dtype, [0.5, None, "Infinity", "-Infinity", -2], f"float{bits}")
    add("flag", np.array([1, 0, 1, 1, 0], dtype=bool), bool, [True, False, True, True, False], "bool")
    add("big_endian", np.array([1, -2, 3, -4, 5], dtype=">i4"), ">i4", [1, -2, 3, -4, 5], "int32")
    texts = ["a", "", "bé", "日本 🛰", "quote \" and \\"]
    add("text", np.array(texts, dtype=object), str, texts, "string")
    add("fixed_text", np.array(["a", "", "bé", "日本", "🛰x"], dtype="<U4"), "<U4", ["a", "", "bé", "日本", "🛰x"], "string")
    raw = [b"a", b"", b"\x00\xff", b"bc", b"\x01"]
    add("blob", np.array(raw, dtype=object), VariableLengthBytes(), [b64(v) for v in raw], "bytes")
    add("padded", np.array([b"a", b"", b"bc", b"def", b"d"], dtype="S3"), "S3", [b64(v) for v in (b"a", b"", b"bc", b"def", b"d")], "bytes")
    for unit, digits in (("s", 0), ("ms", 3), ("us", 6), ("ns", 9)):
        when = np.array(["1969-12-31T23:59:59", "NaT", "2000-02-29", "2025-07-01T12:34:56", "2262-01-01"], dtype=f"M8[{unit}]")
        add(f"time_{unit}", when, when.dtype, iso(when, digits), f"timestamp[{unit}]")
    tens = np.array([0, "NaT", 1, 2, 3], dtype="M8[10us]")
    add("time_10us", tens, tens.dtype, iso(tens.astype("M8[us]"), 6), "timestamp[us]")
    days = np.array([0, "NaT", 1, 365, -1], dtype="M8[D]")
    add("time_days", days, days.dtype, iso(days.astype("M8[s]"), 0), "timestamp[s]")
    add("footprint", np.array([shapely.to_wkb(shapely.Point(i, -i)) if i != 1 else b"" for i in range(N)], dtype=object), VariableLengthBytes(), ["POINT(0 0)", None, "POINT(2 -2)", "POINT(3 -3)", "POINT(4 -4)"], "geometry")
    if fmt == 3:
        marked = [-(2**63) + 1, 5, -(2**63) + 1, 2**62 + 1, 0]
        add("marked", np.array(marked, dtype="i8"), "i8", [None, 5, None, 2**62 + 1, 0], "int64")
        meta["marked"].attrs["_FillValue"] = -(2**63) + 1
        add("listed", np.array([1.5, -9999, -1, 2, 0], dtype="f4"), "f4", [1.5, None, None, 2, 0], "float32")
        meta["listed"].attrs["missing_value"] = [-9999, -1]
        add("encoded", np.array([1.5, -9999, -1, 2, 0], dtype="f4"), "f4", [1.5, None, -1, 2, 0], "float32")
        meta["encoded"].attrs["_FillValue"] = b64(np.array(-9999, dtype="<f8").tobytes())
        add("zero_fill", np.array([0, 1, 0, 2, 3], dtype="i2"), "i2", [0, 1, 0, 2, 3], "int16")
        missing = meta.create_array("missing_chunks", shape=(N,), chunks=(2,), dtype="i4", fill_value=7)
        missing[2:4] = [1, 2]
        columns["missing_chunks"], types["missing_chunks"] = [7, 7, 1, 2, 7], "int32"
    else:
        add("v2_fill", np.array([-1, 1, -1, 2, 0], dtype="i4"), "i4", [None, 1, None, 2, 0], "int32", fill_value=-1)
        add("v2_zero", np.array([0, 1, 0, 2, 3], dtype="i4"), "i4", [0, 1, 0, 2, 3], "int32", fill_value=0)
        add("fortran", np.array([1, 2, 3, 4, 5], dtype="i8"), "i8", [1, 2, 3, 4, 5], "int64", order="F")
    expected[name] = rows_of(columns, types)


def rows_of(columns, types):
    return {"types": types, "rows": [{name: values[i] for name, values in columns.items()} for i in range(N)]}


def cf_store(fmt):
    name = f"cf{fmt}"
    path = os.path.join(out, f"{name}.zarr")
    shutil.rmtree(path, ignore_errors=True)
    when = np.array(["2000-01-01", "2000-01-02T12:00", "NaT", "2020-02-29T06:00", "1999-12-31"], dtype="M8[ns]")
    table = xr.Dataset(
        {
            "hours": ("row", when),
            "fine": ("row", when),
            "packed": ("row", np.array([0.5, np.nan, 1.5, -2.5, 0])),
            "level": ("row", np.array([1.25, np.nan, 3, 4, 5], dtype="f4")),
            "label": ("row", np.array(["x", "y", "", "z", "é"], dtype=object)),
            "geometry": ("row", np.array(["POINT (1 2)", "POINT (3 4)", "POINT (5 6)", "POINT (-7 8)", "POINT (9 0)"], dtype=object)),
        }
    )
    encoding = {
        "hours": {"units": "hours since 1990-01-01 12:00:00", "dtype": "i4", "_FillValue": -1},
        "fine": {"units": "milliseconds since 1970-01-01", "dtype": "i8", "_FillValue": -1},
        "packed": {"dtype": "i2", "scale_factor": 0.5, "add_offset": 10.0, "_FillValue": -32768},
    }
    table.to_zarr(path, group="meta", mode="w", encoding=encoding, zarr_format=fmt, consolidated=False)
    odd = xr.Dataset({"model_day": ("row", np.arange(N), {"units": "days since 2000-01-01", "calendar": "noleap"})})
    odd.to_zarr(path, group="meta", mode="a", zarr_format=fmt, consolidated=False)
    columns = {
        "hours": iso(when, 0),
        "fine": iso(when, 3),
        "packed": [0.5, None, 1.5, -2.5, 0],
        "level": [1.25, None, 3, 4, 5],
        "label": ["x", "y", "", "z", "é"],
        "geometry": ["POINT (1 2)", "POINT (3 4)", "POINT (5 6)", "POINT (-7 8)", "POINT (9 0)"],
    }
    types = {"hours": "timestamp[s]", "fine": "timestamp[ms]", "packed": "float64", "level": "float32", "label": "string", "geometry": "geometry"}
    expected[name] = rows_of(columns, types)


for zarr_format in (2, 3):
    typed_store(zarr_format)
    cf_store(zarr_format)
print(json.dumps(expected))
