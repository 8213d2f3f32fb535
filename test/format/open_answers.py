"""Opens answers written as Arrow and GeoJSON, and compares every cell with the same answer as JSON.

Usage: open_answers.py FOLDER. FOLDER holds NAME.json, NAME.arrows and, where there is geometry, NAME.geojson.
Prints, as JSON, how many cells each library that is here agreed on; the first that differs is an error.
"""

import base64
import importlib
import json
import re
import sys
from pathlib import Path

import numpy as np
import shapely

FLOATS = {"float16": np.float16, "float32": np.float32, "float64": np.float64}
TICKS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def library(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


pa, pl, duckdb, gpd = (library(name) for name in ("pyarrow", "polars", "duckdb", "geopandas"))
agreed = {}


def days(year, month, day):
    """Days since 1970-01-01 in the proleptic Gregorian calendar, for any year."""
    cycles, year = divmod(year, 400)
    at = np.datetime64(f"{year + 2000:04}-{month:02}-{day:02}", "D").astype(int)
    return int(at) + (cycles - 5) * 146097


def ticks(text, per_second):
    """Counts of the unit in a decimal number of seconds, exact."""
    whole, _, fraction = text.partition(".")
    digits = len(str(per_second)) - 1
    return int(whole) * per_second + int((fraction.ljust(digits, "0") or "0")[:digits] or 0)


def timestamp(text, per_second):
    year, month, day, hour, minute, second = re.fullmatch(
        r"([+-]?\d+)-(\d\d)-(\d\d)T(\d\d):(\d\d):([\d.]+)Z", text
    ).groups()
    seconds = days(int(year), int(month), int(day)) * 86400 + int(hour) * 3600 + int(minute) * 60
    return seconds * per_second + ticks(second, per_second)


def duration(text, per_second):
    sign, d, h, m, s = re.fullmatch(
        r"(-?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?", text
    ).groups()
    seconds = int(d or 0) * 86400 + int(h or 0) * 3600 + int(m or 0) * 60
    value = seconds * per_second + ticks(s or "0", per_second)
    return -value if sign else value


def wkb(shape):
    return shapely.to_wkb(shape, flavor="iso", include_srid=False, byte_order=1)


def meant(value, kind, unit):
    """A cell of the JSON answer as what the other libraries should hold."""
    if value is None:
        return None
    if kind in FLOATS:
        return repr(float(FLOATS[kind](float(value))))
    if kind == "timestamp":
        return timestamp(value, TICKS[unit])
    if kind == "duration":
        return duration(value, TICKS[unit])
    if kind == "bytes":
        return base64.b64decode(value)
    if kind == "geometry":
        return wkb(shapely.from_wkt(value))
    return value


def held(value, kind):
    """A cell of another library, to compare with `meant`."""
    if value is None:
        return None
    if kind in FLOATS:
        return repr(float(value))
    if kind == "geometry":
        return wkb(shapely.from_wkt(value) if isinstance(value, str) else shapely.from_wkb(value))
    if kind == "bytes":
        return bytes(value)
    return value


def kinds(answer):
    for column in answer["columns"]:
        kind, unit = re.fullmatch(r"(\w+)(?:\[(\w+)\])?", column["type"]).groups()
        yield column["name"], kind, unit


def same(who, where, column, expected, found):
    if len(expected) != len(found):
        sys.exit(f"{who}, {where}: {column} has {len(found)} rows, not {len(expected)}")
    for i, (a, b) in enumerate(zip(expected, found)):
        if type(a) is not type(b) or a != b:
            sys.exit(f"{who}, {where}: {column} row {i} is {b!r}, not {a!r}")
    agreed[who] = agreed.get(who, 0) + len(found)


def expected(answer, name, kind, unit):
    return [meant(row[name], kind, unit) for row in answer["rows"]]


def check_pyarrow(where, answer, path):
    table = pa.ipc.open_stream(path).read_all()
    table.validate(full=True)
    assert table.column_names == [column["name"] for column in answer["columns"]]
    for name, kind, unit in kinds(answer):
        column, field = table[name], table.schema.field(name)
        metadata = {k.decode(): v.decode() for k, v in (field.metadata or {}).items()}
        if kind == "timestamp":
            assert field.type == pa.timestamp(unit, "UTC"), field
        elif kind == "duration":
            assert field.type == pa.duration(unit), field
        elif kind == "geometry" and not isinstance(field.type, pa.BaseExtensionType):
            assert pa.types.is_binary(field.type), field
            assert metadata["ARROW:extension:name"] == "geoarrow.wkb", metadata
            assert json.loads(metadata["ARROW:extension:metadata"])["crs"] == "OGC:CRS84", metadata
        else:
            names = {"float16": "halffloat", "float32": "float", "float64": "double", "bytes": "binary"}
            assert str(field.type) == names.get(kind, kind), field
        if kind in ("timestamp", "duration"):
            column = column.cast(pa.int64())
        same("pyarrow", where, name, expected(answer, name, kind, unit), [held(v, kind) for v in column.to_pylist()])


def check_polars(where, answer, path):
    frame = pl.read_ipc_stream(path)
    for name, kind, unit in kinds(answer):
        series = frame[name]
        if kind == "geometry" and hasattr(series, "ext"):
            series = series.ext.storage()
        if kind in ("timestamp", "duration"):
            if unit == "s":  # polars has no seconds: they are milliseconds there, which wrap around
                unit = "ms"
            series = series.cast(pl.Int64)
        wanted = expected(answer, name, kind, unit)
        if any(type(v) is int and abs(v) >= 2**63 for v in wanted):
            continue
        same("polars", where, name, wanted, [held(v, kind) for v in series.to_list()])


def check_duckdb(where, answer, path):
    """DuckDB has no float16, and microseconds at most but in timestamps."""
    for name, kind, unit in kinds(answer):
        if kind == "float16":
            continue
        rows = pa.ipc.open_stream(path).read_all().select([name])  # noqa: F841: named in the SQL
        column = '"' + name.replace('"', '""') + '"'
        per_tick = TICKS["us"] / TICKS[unit] if unit else 1
        wanted = expected(answer, name, kind, unit)
        if kind == "timestamp":
            read = f"epoch_{'ns' if unit == 'ns' else 'us'}({column})"
            wanted = [v if v is None or unit == "ns" else v * int(per_tick) for v in wanted]
        elif kind == "duration":
            read = f"(extract(day FROM {column})::HUGEINT * 86400000000 + epoch_us({column} - to_days(extract(day FROM {column})::INTEGER)))::BIGINT"
            micros = lambda v: v * int(per_tick) if unit != "ns" else int(v / 1000) if abs(v) < 2**50 else (abs(v) // 1000) * (1 if v > 0 else -1)
            wanted = [None if v is None else micros(v) for v in wanted]
        else:
            read = column
        found = duckdb.sql(f"SELECT {read} FROM rows").fetchall()
        same("duckdb", where, name, wanted, [held(v, kind) for (v,) in found])


def check_geopandas(where, answer, path):
    table = pa.ipc.open_stream(path).read_all()
    shapes = [name for name, kind, _ in kinds(answer) if kind == "geometry"]
    if not shapes:
        return
    frame = gpd.GeoDataFrame.from_arrow(table.select(shapes))
    assert frame.geometry.name == shapes[0] and frame.crs == "OGC:CRS84", frame.crs
    for name in shapes:
        found = [None if shape is None else wkb(shape) for shape in frame[name]]
        same("geopandas", where, name, expected(answer, name, "geometry", None), found)


def check_geojson(where, answer, path):
    document = json.loads(path.read_text(encoding="utf-8"))
    assert list(document) == ["type", "features"] and document["type"] == "FeatureCollection"
    shape = next(name for name, kind, _ in kinds(answer) if kind == "geometry")
    found = []
    for i, feature in enumerate(document["features"]):
        assert list(feature) == ["type", "geometry", "properties"] and feature["type"] == "Feature"
        properties = dict(answer["rows"][i])
        del properties[shape]
        assert {**properties, "idx": feature["properties"]["idx"]} == feature["properties"], feature
        geometry = feature["geometry"]
        found.append(geometry and wkb(shapely.from_geojson(json.dumps(geometry))))
    same("geojson", where, shape, expected(answer, shape, "geometry", None), found)
    if gpd:
        frame = gpd.read_file(path)
        # GDAL says EPSG:4979 where some position has a height.
        assert frame.crs in ("EPSG:4326", "EPSG:4979"), (where, frame.crs)
        # GDAL has no empty points in GeoJSON: null.
        nothing = wkb(shapely.Point())
        wanted = [None if v == nothing else v for v in expected(answer, shape, "geometry", None)]
        same("geopandas geojson", where, shape, wanted, [None if s is None else wkb(s) for s in frame.geometry])


def main(folder):
    for file in sorted(folder.glob("*.json")):
        answer = json.loads(file.read_text(encoding="utf-8"))
        arrows, geojson = file.with_suffix(".arrows"), file.with_suffix(".geojson")
        if pa:
            check_pyarrow(file.stem, answer, arrows)
        if pl:
            check_polars(file.stem, answer, arrows)
        if pa and duckdb and not file.stem.startswith("extreme"):
            check_duckdb(file.stem, answer, arrows)
        if pa and gpd:
            check_geopandas(file.stem, answer, arrows)
        if geojson.exists():
            check_geojson(file.stem, answer, geojson)
    print(json.dumps(agreed))


main(Path(sys.argv[1]))
