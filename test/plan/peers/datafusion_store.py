"""Answers queries over a store of make_collection.py --plain with DataFusion, through zarr-datafusion-search.

usage: datafusion_store.py FOLDER QUERIES.json     QUERIES: WHERE conditions. Prints the rows that each
finds, or DataFusion's message, JSON. There is no idx column: `d` is the row's number.
"""
import asyncio
import json
import os
import sys

from datafusion import SessionContext
from geodatafusion import register_all
from obstore.store import LocalStore
from zarr_datafusion_search import ZarrTable


async def table():
    return await ZarrTable.from_obstore(LocalStore(os.path.abspath(sys.argv[1])), "/meta")


meta = asyncio.run(table())  # the context does not keep it alive
context = SessionContext()
register_all(context)
context.register_table("meta", meta)
with open(sys.argv[2], encoding="utf-8") as file:
    conditions = json.load(file)
answers = []
for condition in conditions:
    try:
        batches = context.sql(f"SELECT d FROM meta WHERE {condition}").collect()
        answers.append(sorted(int(value) for batch in batches for value in batch.column(0).to_pylist()))
    except BaseException as error:  # a panic of Rust is no Exception
        answers.append(str(error)[:200])
print(json.dumps(answers))
