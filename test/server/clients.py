"""What zarr-python and fsspec make of a server's answers.

usage: clients.py ORIGIN VIEW_ID SQL_URL
Prints JSON: what was found, what was raised. VIEW_ID is a view of a few granules, SQL_URL the base (no face) of the
same query in the path.
"""

import json
import sys
import warnings

import fsspec
import zarr

origin, view, sql_url = sys.argv[1:4]
out = {}
warnings.simplefilter("error", zarr.errors.ZarrUserWarning)


def raised(call):
    try:
        call()
    except Exception as error:  # which one differs between versions
        return type(error).__name__
    return None


def tree(group):
    return sorted(name for name, _ in group.members(max_depth=None))


for face, version in (("v3", 3), ("v2", 2)):
    url = f"{origin}/views/{view}/{face}"
    plain = zarr.open_group(url, mode="r")
    listed = zarr.open_group(url, mode="r", zarr_format=version, use_consolidated=False)
    slash = zarr.open_group(url + "/", mode="r", zarr_format=version)
    by_sql = zarr.open_group(f"{sql_url}/{face}", mode="r", use_consolidated=False)
    out[face] = {
        "consolidated": plain.metadata.consolidated_metadata is not None,
        "members": tree(plain),
        "listed": tree(listed),
        "slash": tree(slash),
        "by_sql": tree(by_sql),
    }

# The default mode makes what is missing, by PUT; nothing here can be made.
out["write"] = raised(lambda: zarr.open_group(f"{origin}/views/{view}/v3/none", zarr_format=3))
root = zarr.open_group(f"{origin}/views/{view}/v3")
out["update"] = raised(lambda: root.attrs.update(x=1))
out["gone"] = raised(lambda: zarr.open_group(f"{origin}/views/0123/v3", mode="r"))
out["no_face"] = raised(lambda: zarr.open_group(f"{origin}/views/{view}", mode="r"))
out["token"] = raised(lambda: zarr.open_group(f"{origin}/views/{view}/v3?token=T", mode="r"))

fs = fsspec.filesystem("http")
base = f"{origin}/views/{view}/v3"
out["ls"] = sorted(name.removeprefix(base) for name in fs.ls(base, detail=False))
out["ls_slash"] = sorted(name.removeprefix(base) for name in fs.ls(base + "/", detail=False))
document = fs.cat(f"{base}/zarr.json")
out["size"] = [fs.size(f"{base}/meta/zarr.json"), len(fs.cat(f"{base}/meta/zarr.json"))]
out["range"] = fs.cat_file(f"{base}/zarr.json", start=2, end=9) == document[2:9]
out["tail"] = fs.cat_file(f"{base}/zarr.json", start=-5) == document[-5:]
print(json.dumps(out))
