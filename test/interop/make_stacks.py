"""Write collections whose granules can be stacked, with every codec chain and chunk shape, seeded.

usage: make_stacks.py DIRECTORY [SEED]   Makes DIRECTORY/{grouped,ragged,stacked}{2,3}.zarr, 11 rows each.
grouped, ragged: a group a granule, at /g<row> or /odd/g<row>, of one shape or of several lengths. stacked: arrays whose first axis is the rows, 1, 3 or 4, and 11 a chunk.
"""

import os
import shutil
import sys
import warnings

import numpy as np
import shapely
import zarr
from numcodecs import Blosc, Delta, GZip, LZ4, Shuffle, Zlib, Zstd
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, GzipCodec, TransposeCodec, ZstdCodec
from zarr.core.dtype import VariableLengthBytes

warnings.filterwarnings("ignore")
out, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 11
rng = np.random.default_rng(seed)
N, CELLS = 11, (7, 5)
LENGTHS = (8, 4, 3, 12, 1, 7, 8, 4, 5, 9, 2)
WORDS = np.array(["", "a", "bé", "日本", "long " * 9, "z"], dtype=object)


def data(dtype, shape):
    if dtype is str:
        return rng.choice(WORDS, shape)
    kind = np.dtype(dtype).kind
    if kind in "MmiubSU":
        values = rng.integers(0, 2 if kind == "b" else 100, shape)
        return values.astype(dtype) if kind not in "SU" else values.astype("i8").astype(dtype)
    values = rng.normal(0, 100, shape)
    values[rng.random(shape) < 0.1] = np.nan
    values[rng.random(shape) < 0.1] = -9999
    return (values + 1j * values[::-1] if kind == "c" else values).astype(dtype)


# name → dtype, options of create_array, attributes, whether some of it is left unwritten
BASE64 = "AAAAAACHw8A="  # float64 -9998 … masks nothing; -9999 is below
V3 = {
    "zstd": ("f4", {}, {}, False),
    "none": ("f8", {"compressors": None}, {}, False),
    "gzip": ("i4", {"compressors": [GzipCodec()]}, {"units": "K"}, False),
    "blosc": ("i2", {"compressors": [BloscCodec(cname="lz4", shuffle="bitshuffle")]}, {"scale_factor": 0.5, "_FillValue": 7}, False),
    "checked": ("u1", {"compressors": [ZstdCodec(), Crc32cCodec()], "fill_value": 3}, {}, True),
    "big": ("f8", {"serializer": BytesCodec(endian="big")}, {"_FillValue": "AAAAAICHw8A="}, False),
    "holes": ("f4", {"fill_value": -9999.0}, {"_FillValue": "AAAAAICHw8A="}, True),
    "zeros": ("i2", {"fill_value": 0}, {"_FillValue": 99}, True),
    "text": (str, {}, {}, True),
    "flag": ("bool", {}, {}, True),
    "when": ("M8[ms]", {}, {}, False),
    "complex": ("c8", {}, {}, False),
    "half": ("f2", {"fill_value": np.nan}, {}, True),
    "fixed": ("<U3", {}, {}, False),
}
V2 = {
    "zstd": ("f4", {"compressors": Zstd(3), "fill_value": None}, {}, False),
    "none": ("f8", {"compressors": None, "fill_value": np.nan}, {}, True),
    "zlib": ("i4", {"compressors": Zlib(3), "fill_value": 7}, {"units": "K"}, True),
    "blosc": ("i2", {"compressors": Blosc(cname="zstd", shuffle=2), "fill_value": 99}, {"scale_factor": 0.5}, False),
    "filters": ("i4", {"filters": [Delta(dtype="i4"), Shuffle(elementsize=4)], "compressors": GZip(2), "fill_value": None}, {}, False),
    "fortran": ("f4", {"order": "F", "fill_value": -9999.0}, {}, True),
    "big": (">i4", {"compressors": LZ4(), "fill_value": None}, {"_FillValue": 5}, False),
    "text": (str, {}, {"missing_value": "z"}, False),
    "flag": ("bool", {"fill_value": False}, {}, True),
    "when": ("M8[ms]", {"fill_value": None}, {}, False),
    "complex": ("c8", {"fill_value": 0}, {}, False),
    "fixed": ("<U3", {"fill_value": None}, {}, False),
    "codes": ("S3", {"fill_value": None}, {}, False),
}


def create(group, name, dtype, values, chunks, dims, options, attrs, written):
    fmt = group.metadata.zarr_format
    if fmt == 3:
        options = {**options, "dimension_names": dims}
    array = group.create_array(name, shape=values.shape, chunks=chunks, dtype=dtype, **options)
    if fmt == 2:
        array.attrs["_ARRAY_DIMENSIONS"] = list(dims)
    array.attrs.update(attrs)
    for part in written:
        array[part] = values[part]


def meta(root, locations):
    fmt = root.metadata.zarr_format
    group = root.create_group("meta")

    def column(name, values, dtype, attrs=None, **options):
        array = group.create_array(name, shape=(N,), chunks=(4,), dtype=dtype, **options)
        array[:] = values
        array.attrs.update(attrs or {})

    date = np.datetime64("2020-01-01T00:00:00.123", "ms") + np.arange(N) * np.timedelta64(36, "h")
    date[3] = np.datetime64("NaT")
    boxes = np.array([shapely.to_wkb(shapely.box(i * 10, 0, i * 10 + 5, 5)) for i in range(N)], dtype=object)
    boxes[2] = b""
    column("date", date, "M8[ms]")
    column("exact", np.datetime64("2021-03-04T05:06:07.123456789", "ns") + np.arange(N), "M8[ns]")
    column("lag", np.arange(N).astype("m8[s]"), "m8[s]")
    column("bbox", boxes, VariableLengthBytes())
    column("blob", np.array([bytes([i, 255]) for i in range(N)], dtype=object), VariableLengthBytes())
    column("cloud", np.where(np.arange(N) == 5, np.nan, np.arange(N) / 8), "f4", {"units": "1", "long_name": "cloud cover"})
    column("orbit", np.arange(N) + 2**60, "i8")
    column("rank", np.where(np.arange(N) == 4, -1, np.arange(N)), "i4", {"_FillValue": -1} if fmt == 3 else None, **({"fill_value": -1} if fmt == 2 else {}))
    column("ok", np.arange(N) % 3 == 0, "bool")
    column("note", np.array([f"näme {i}" if i != 6 else "?" for i in range(N)], dtype=object), str, {"missing_value": "?"})
    column("platform", np.array(["P"] * N, dtype=object), str)
    column("y", np.arange(N), "i8")
    if locations:
        column("array_location", np.array(locations, dtype=object), str)


for fmt, table in ((2, V2), (3, V3)):
    path = os.path.join(out, f"grouped{fmt}.zarr")
    shutil.rmtree(path, ignore_errors=True)
    root = zarr.open_group(path, mode="w", zarr_format=fmt)
    locations = [f"/{'odd/' if row % 2 else ''}g{row}" for row in range(N)]
    for row, location in enumerate(locations):
        granule = root.create_group(location.strip("/"))
        granule.attrs.update({"title": "granule", "number": row})
        for name, (dtype, options, attrs, gaps) in table.items():
            for chunks in ((3, 5), CELLS):
                written = [np.s_[:3]] if gaps and row % 2 else [] if gaps and row == 4 else [np.s_[...]]
                create(granule, f"{name}_{chunks[0]}", dtype, data(dtype, CELLS), chunks, ("y", "x"), options, {**attrs, "row": row}, written)
        create(granule, "line", "f4", data("f4", (7,)), (3,), ("y",), {}, {}, [np.s_[...]])
        create(granule, "scalar", "f8", np.array(row / 2), (), (), {}, {}, [np.s_[...]])
        create(granule.create_group("inner"), "deep", "i4", data("i4", (4, 3, 2)), (2, 3, 2), ("z", "p", "q"), {}, {}, [np.s_[...]])
        if fmt == 3:
            create(granule, "sharded", "f4", data("f4", (8, 6)), (2, 3), ("sy", "sx"), {"shards": (4, 6), "fill_value": 2.5}, {}, [np.s_[:4]])
            create(granule, "turned", "f4", data("f4", (4, 3, 2)), (2, 3, 2), ("z", "p", "q"), {"filters": [TransposeCodec(order=(1, 2, 0))]}, {}, [np.s_[...]])
    meta(root, locations)

    path = os.path.join(out, f"ragged{fmt}.zarr")
    shutil.rmtree(path, ignore_errors=True)
    root = zarr.open_group(path, mode="w", zarr_format=fmt)
    for length, location in zip(LENGTHS, locations):
        granule = root.create_group(location.strip("/"))
        for name, (dtype, options, attrs, gaps) in table.items():
            for rows in (1, 4):
                create(granule, f"{name}_{rows}", dtype, data(dtype, (length, 5)), (rows, 5), ("y", "x"), options, attrs, [np.s_[:3] if gaps else np.s_[...]])
        create(granule, "line", "f4", data("f4", (length,)), (min(4, max(length, 1)),), ("y",), {}, {}, [np.s_[...]])
        create(granule, "scalar", "f8", np.array(length / 2), (), (), {}, {}, [np.s_[...]])
        create(granule, "across", "i4", data("i4", (5,)), (5,), ("x",), {}, {}, [np.s_[...]])
        if fmt == 3:
            inner = 2 if length % 4 == 0 else 1
            create(granule, "sharded", "f4", data("f4", (length, 6)), (inner, 3), ("y", "sx"), {"shards": (4, 6), "fill_value": 2.5}, {}, [np.s_[:4]])
    meta(root, locations)

    path = os.path.join(out, f"stacked{fmt}.zarr")
    shutil.rmtree(path, ignore_errors=True)
    root = zarr.open_group(path, mode="w", zarr_format=fmt)
    root.attrs["title"] = "stacked by rows"
    shape, dims = (N, *CELLS), ("scene", "y", "x")
    for i, (name, (dtype, options, attrs, gaps)) in enumerate(table.items()):
        for rows in (1, 3 if i % 2 else 4, N):
            written = [np.s_[:4], np.s_[8:10]] if gaps else [np.s_[...]]
            create(root, f"{name}_{rows}", dtype, data(dtype, shape), (rows, 3, 5), dims, options, attrs, written)
    create(root, "per_row", "f4", data("f4", (N,)), (4,), ("scene",), {}, {}, [np.s_[...]])
    create(root, "along", "f4", np.arange(7, dtype="f4"), (7,), ("y",), {}, {"units": "m"}, [np.s_[...]])
    create(root, "crs", "i4", np.array(4326), (), (), {}, {"grid_mapping_name": "latitude_longitude"}, [np.s_[...]])
    create(root.create_group("inner"), "deep", "i4", data("i4", (N, 3, 2)), (4, 3, 2), ("scene", "p", "q"), {}, {}, [np.s_[...]])
    if fmt == 3:
        for name, inner, shard in (("shards_1", (1, 3, 5), (4, 6, 5)), ("shards_2", (2, 3, 5), (4, 6, 5)), ("whole_1", (1, 3, 5), (1, 6, 5))):
            create(root, name, "f4", data("f4", shape), inner, dims, {"shards": shard, "fill_value": 2.5}, {}, [np.s_[:4], np.s_[8:10]])
        create(root, "turned", "f4", data("f4", shape), (4, 3, 5), dims, {"filters": [TransposeCodec(order=(1, 2, 0))]}, {}, [np.s_[...]])
    meta(root, None)
