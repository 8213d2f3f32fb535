#!/usr/bin/env python3
"""Serve a Zarr store with zarr-http-server under uvicorn and uvloop. usage: http_server.py STORE.zarr PORT"""
import sys

import uvicorn
import zarr
from zarr_http_server import store_app

store = zarr.storage.LocalStore(sys.argv[1], read_only=True)
uvicorn.run(store_app(store), host="127.0.0.1", port=int(sys.argv[2]), loop="uvloop", log_level="error", access_log=False)
