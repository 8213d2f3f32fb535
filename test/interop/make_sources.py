"""Write collections with every awkward array a view must show unchanged, seeded.

usage: make_sources.py DIRECTORY [SEED]   Makes DIRECTORY/{v2,v3,xarray2,xarray3}.zarr.
v2, v3: by zarr-python, granule groups with nested groups and bare arrays, codecs, orders, fills, missing chunks.
xarray2, xarray3: by xarray, CF-encoded times in /meta, packed variables, NaN fills.
"""

import os
import shutil
import sys
import warnings

import numpy as np
import shapely
import xarray as xr
import zarr
from numcodecs import Delta, Shuffle, Zlib, LZ4, Blosc, GZip, Zstd
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, GzipCodec, TransposeCodec, ZstdCodec
from zarr.core.dtype import VariableLengthBytes

warnings.filterwarnings("ignore")
out, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 7
rng = np.random.default_rng(seed)
N = 6
LOCATIONS = [f"/{'even' if i % 2 == 0 else 'odd/deep'}/g{i}" for i in range(N)]


def data(dtype, shape=(7, 5)):
    kind = np.dtype(dtype).kind
    if kind == "f":
        values = rng.normal(0, 100, shape)
        values[0, 0] = np.nan
        values[1, 1] = 0
        values[2, 2] = -9999
    elif kind == "b":
        values = rng.integers(0, 2, shape)
    else:
        values = rng.integers(0, 100, shape)
        values[0, 0] = 0
        values[1, 1] = 99
    return values.astype(dtype)


def put(group, name, values, chunks=(3, 5), skip_chunk=False, dims=("y", "x"), attrs=None, **options):
    fmt = group.metadata.zarr_format
    if fmt == 3 and dims:
        options["dimension_names"] = dims
    array = group.create_array(name, shape=values.shape, chunks=chunks, dtype=options.pop("dtype", values.dtype), **options)
    if skip_chunk:
        array[:3] = values[:3]
    else:
        array[...] = values
    if fmt == 2 and dims:
        array.attrs["_ARRAY_DIMENSIONS"] = list(dims)
    for key, value in (attrs or {}).items():
        array.attrs[key] = value
    return array


def v2_granule(group):
    put(group, "plain", data("f4"), fill_value=None)
    put(group, "masked", data("f4"), fill_value=-9999.0, compressors=Zlib(3), skip_chunk=True)
    put(group, "nan", data("f8"), fill_value=np.nan, skip_chunk=True, compressors=LZ4())
    put(group, "zero", data("i2"), fill_value=0, attrs={"scale_factor": 0.5, "add_offset": 1.0})
    put(group, "own", data("i4"), fill_value=None, attrs={"_FillValue": 99}, compressors=GZip(2))
    put(group, "both", data("i4"), fill_value=7, attrs={"_FillValue": 99, "units": "K"}, skip_chunk=True)
    put(group, "fortran", data("f4"), fill_value=None, order="F")
    put(group, "big", data(">i4"), fill_value=None, compressors=Blosc(cname="zstd", clevel=3, shuffle=2))
    put(group, "filters", data("i4"), fill_value=None, filters=[Delta(dtype="i4"), Shuffle(elementsize=4)], compressors=Zstd(3))
    put(group, "raw", data("u1"), fill_value=255, compressors=None, skip_chunk=True)
    put(group, "flag", data("bool"), fill_value=False)
    put(group, "text", np.array(["a", "bé", "", "dd", "e", "f", "g"], dtype="<U3"), chunks=(3,), dims=("y",), fill_value=None)
    put(group, "when", np.arange(7).astype("M8[ms]"), chunks=(3,), dims=("y",), fill_value=None)
    words = np.array(["a", "bé", "", "dd", "e", "f", "g"], dtype=object)
    put(group, "words", words, chunks=(3,), dims=("y",), dtype=str, attrs={"missing_value": "dd"})
    put(group, "fixed", words.astype("<U3"), chunks=(3,), dims=("y",), fill_value="e")
    put(group, "codes", np.array([b"a", b"b", b"", b"dd", b"e", b"f", b"g"], dtype="S3"), chunks=(3,), dims=("y",), fill_value=None)
    put(group, "complex", (data("f4") + 1j).astype("c8"), fill_value=-9999 + 1j)
    put(group.create_group("inner"), "deep", data("f4"), fill_value=-1.0, attrs={"idx": 5, "meta_note": "own"})
    group.attrs.update({"title": "a v2 granule", "cloud": 1.0})


def v3_granule(group):
    le = BytesCodec(endian="little")
    fill = {"_FillValue": "AAAAAIDDw8A="}  # float64 -9991 in base64: masks nothing that is there
    put(group, "plain", data("f4"))
    put(group, "nan_missing", data("f4"), fill_value=np.nan, skip_chunk=True)
    put(group, "number_fill", data("i2"), fill_value=-5, attrs={"_FillValue": 99}, skip_chunk=True)
    put(group, "same_fill", data("i2"), fill_value=99, attrs={"_FillValue": 99}, skip_chunk=True)
    put(group, "base64", data("f4"), fill_value=1.5, attrs=fill, skip_chunk=True)
    pair = [fill["_FillValue"], "AAAAAAAAAAA="]
    put(group, "complex", (data("f4") * 0 - 9991).astype("c8"), attrs={"_FillValue": pair})
    put(group, "big", data("f8"), serializer=BytesCodec(endian="big"), compressors=[GzipCodec()])
    put(group, "checked", data("i4"), compressors=[ZstdCodec(), Crc32cCodec()])
    put(group, "bloscs", data("i4"), compressors=[BloscCodec(cname="lz4", shuffle="bitshuffle"), Crc32cCodec()])
    put(group, "fortran", data("f4"), filters=[TransposeCodec(order=(1, 0))])
    put(group, "turned", rng.normal(size=(4, 3, 2)).astype("f4"), chunks=(2, 3, 2), dims=("z", "p", "q"), filters=[TransposeCodec(order=(1, 2, 0))])
    put(group, "sharded", data("f4", (8, 6)), dims=("sy", "sx"), chunks=(2, 3), shards=(4, 6), fill_value=3.0)
    holes = put(group, "holes", np.zeros((8, 6), "f4"), dims=("sy", "sx"), chunks=(2, 3), shards=(4, 6), fill_value=2.5)
    holes[0:2, 0:3] = 7
    put(group, "flag", data("bool"))
    put(group, "text", np.array(["a", "bé", "", "dd", "e", "f", "g"], dtype=object), chunks=(3,), dims=("y",), dtype=str)
    put(group, "when", np.arange(7).astype("M8[ms]"), chunks=(3,), dims=("y",))
    scalar = group.create_array("scalar", shape=(), dtype="f4", fill_value=0, dimension_names=())
    scalar[...] = 4.5
    put(group.create_group("inner"), "deep", data("f4"), attrs={"idx": 5, "note": "own"})
    group.attrs.update({"title": "a v3 granule", "cloud": 1.0})


def meta(root, locations):
    fmt = root.metadata.zarr_format
    group = root.create_group("meta")
    n = len(locations)

    def column(name, values, dtype, **options):
        array = group.create_array(name, shape=(n,), chunks=(4,), dtype=dtype, **options)
        array[:] = values
        return array

    boxes = np.array([shapely.to_wkb(shapely.box(i * 10, 0, i * 10 + 5, 5)) for i in range(n)], dtype=object)
    column("date", np.arange(n).astype("M8[D]").astype("M8[ms]"), "M8[ms]")
    column("bbox", boxes, VariableLengthBytes())
    column("array_location", np.array(locations, dtype=object), str)
    column("cloud", np.linspace(0, 1, n), "f4")
    column("units", np.array(["K"] * n, dtype=object), str)
    column("orbit", np.arange(n) + 2**60, "i8")
    fills = {"fill_value": -1} if fmt == 2 else {}
    rank = column("rank", [-1, 1, 2, 3, -1, 5][:n], "i4", **fills)
    if fmt == 3:
        rank.attrs["_FillValue"] = -1


for fmt, granule in ((2, v2_granule), (3, v3_granule)):
    path = os.path.join(out, f"v{fmt}.zarr")
    shutil.rmtree(path, ignore_errors=True)
    root = zarr.open_group(path, mode="w", zarr_format=fmt)
    for location in LOCATIONS[:-1]:
        granule(root.create_group(location.strip("/")))
    put(root, LOCATIONS[-1].strip("/"), data("f4"), fill_value=-9999.0 if fmt == 2 else 0.0)
    meta(root, LOCATIONS)

for fmt in (2, 3):
    path = os.path.join(out, f"xarray{fmt}.zarr")
    shutil.rmtree(path, ignore_errors=True)
    options = {"zarr_format": fmt, "consolidated": False}
    for i, location in enumerate(LOCATIONS):
        values = data("f4", (7 + i, 5)).astype("f8")
        ds = xr.Dataset(
            {
                "sst": (("y", "x"), values, {"units": "K"}),
                "wind": (("y", "x"), values.astype("f4")),
                "time": (("y",), np.datetime64("2020-01-01", "ns") + np.arange(7 + i) * np.timedelta64(1, "s")),
            },
            attrs={"title": "by xarray"},
        )
        encoding = {"sst": {"dtype": "i2", "scale_factor": 0.1, "add_offset": 0.0, "_FillValue": -32768}, "wind": {"_FillValue": np.float32(-9999)}}
        ds.to_zarr(path, group=location.strip("/"), mode="a", encoding=encoding, **options)
    table = xr.Dataset(
        {
            "date": ("row", np.datetime64("2020-01-01", "ns") + np.arange(N) * np.timedelta64(36, "h")),
            "bbox": ("row", np.array([shapely.box(i * 10, 0, i * 10 + 5, 5).wkt for i in range(N)], dtype=object)),
            "array_location": ("row", np.array(LOCATIONS, dtype=object)),
            "cloud": ("row", np.where(np.arange(N) == 2, np.nan, np.arange(N) / 10)),
            "units": ("row", np.array(["K"] * N, dtype=object)),
        }
    )
    table.to_zarr(path, group="meta", mode="a", **options)
