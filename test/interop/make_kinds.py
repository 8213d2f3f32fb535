"""One collection in every kind of source, seeded.

usage: make_kinds.py OUT
OUT/{v2,v3}.zarr, OUT/{v2,v3,deflated}.zip by zarr-python's ZipStore, OUT/granules.icechunk,
OUT/virtual.icechunk whose granules are virtual chunks in OUT/v3.zarr, OUT/refs.json and OUT/refs.parq
by kerchunk over OUT/data/*.h5 (relative paths in the former), OUT/truth.npz with the arrays that all of them hold.
"""

import json
import sys
import warnings
import zipfile
from pathlib import Path

import h5py
import icechunk
import kerchunk.df
import kerchunk.hdf
import numpy as np
import zarr

warnings.filterwarnings("ignore")
out = Path(sys.argv[1]).resolve()
(out / "data").mkdir(parents=True)
rng = np.random.default_rng(7)
ROWS, SHAPE = 8, (9, 6)

truth = {
    "sst": rng.integers(-500, 500, (ROWS, *SHAPE)).astype("<i2"),
    "wind": rng.normal(0, 10, (ROWS, *SHAPE)).astype("<f4"),
    "time": 2**60 + rng.integers(0, 10**6, (ROWS, SHAPE[0])),
    "meta/array_location": np.array([f"/swath/g{i}" for i in range(ROWS)], dtype="U9"),
    "meta/cloud": np.array([5.5, 80, 20, np.nan, 40, 0, 99.5, 50], dtype="<f8"),
    "meta/date": np.array([f"2025-0{i + 1}-01T00:00:00" for i in range(ROWS)], dtype="M8[ms]"),
    "meta/orbit": 2**53 + np.arange(ROWS, dtype="i8"),
}
ARRAYS = ["sst", "wind", "time"]
DIMS = ("row", "cell")
np.savez(out / "truth.npz", **truth)


def write(store, zarr_format):
    root = zarr.create_group(store, zarr_format=zarr_format)
    meta = root.create_group("meta")
    for key, values in truth.items():
        if key.startswith("meta/"):
            meta.create_array(key[5:], data=values, chunks=(3,))
    for i in range(ROWS):
        granule = root.create_group(f"swath/g{i}")
        for name in ARRAYS:
            values = truth[name][i]
            dims = DIMS[: values.ndim]
            extra = {"dimension_names": dims} if zarr_format == 3 else {"attributes": {"_ARRAY_DIMENSIONS": dims}}
            granule.create_array(name, data=values, chunks=(4, 6)[: values.ndim], **extra)
    if not isinstance(store, icechunk.IcechunkStore):
        zarr.consolidate_metadata(store)


for version in (2, 3):
    write(str(out / f"v{version}.zarr"), version)
    with zarr.storage.ZipStore(out / f"v{version}.zip", mode="w") as store:
        write(store, version)
with zarr.storage.ZipStore(out / "deflated.zip", mode="w", compression=zipfile.ZIP_DEFLATED) as store:
    write(store, 3)

repo = icechunk.Repository.create(icechunk.local_filesystem_storage(str(out / "granules.icechunk")))
session = repo.writable_session("main")
write(session.store, 3)
session.commit("all")

# The same with the granules' chunks left where they are, in the files of v3.zarr.
config = icechunk.RepositoryConfig.default()
place = icechunk.local_filesystem_store(str(out))
config.set_virtual_chunk_container(icechunk.VirtualChunkContainer(f"file://{out}/", place))
repo = icechunk.Repository.create(icechunk.local_filesystem_storage(str(out / "virtual.icechunk")), config)
session = repo.writable_session("main")
write(session.store, 3)
for path in sorted((out / "v3.zarr/swath").rglob("*")):
    if path.is_file() and path.name != "zarr.json":
        key = str(path.relative_to(out / "v3.zarr"))
        session.store.set_virtual_ref(key, f"file://{path}", offset=0, length=path.stat().st_size)
session.commit("virtual")

refs = {}
for path in sorted((out / "v2.zarr").rglob("*")):
    key = str(path.relative_to(out / "v2.zarr"))
    if path.is_file() and not key.startswith("swath/g") and key != ".zmetadata":
        refs[key] = [str(path), 0, path.stat().st_size] if path.name[0] != "." else path.read_text()
for i in range(ROWS):
    path = out / "data" / f"g{i}.h5"
    with h5py.File(path, "w") as file:
        for name in ARRAYS:
            values = truth[name][i]
            packed = {"compression": "gzip", "shuffle": True} if name != "wind" else {}
            file.create_dataset(name, data=values, chunks=(4, 6)[: values.ndim], **packed)
    found = kerchunk.hdf.SingleHdf5ToZarr(str(path), inline_threshold=0).translate()
    refs |= {f"swath/g{i}/{key}": value for key, value in found["refs"].items()}
relative = lambda v: [str(Path(v[0]).relative_to(out)), *v[1:]] if isinstance(v, list) else v
(out / "refs.json").write_text(json.dumps({"version": 1, "refs": {k: relative(v) for k, v in refs.items()}}))
kerchunk.df.refs_to_dataframe({"version": 1, "refs": refs}, str(out / "refs.parq"), record_size=2)
print("null")  # Icechunk writes warnings to stdout
