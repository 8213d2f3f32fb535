import icechunk, zarr, sys, warnings
warnings.simplefilter("ignore")
r=icechunk.Repository.open(icechunk.local_filesystem_storage(sys.argv[1])); s=r.readonly_session("main").store
g=zarr.open_group(s,mode="r"); o=zarr.open_group(sys.argv[2],mode="r",use_consolidated=False)
n=0
for p,a in g.members(max_depth=None):
    if hasattr(a,"shape") and not p.startswith("meta"):
        import numpy as np
        x,y=a[...],o[p][...]; assert np.array_equal(x,y,equal_nan=x.dtype.kind=="f"),p; n+=1
print(n, [ (h.message) for h in r.ancestry(branch="main")])
