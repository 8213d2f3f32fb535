"""How many rows of STORE touch the box 0…20 by 0…20, as zarr-datafusion-search finds them. usage: peer.py STORE"""

import asyncio
import sys

from datafusion import SessionContext
from geodatafusion import register_all
from obstore.store import LocalStore
from zarr_datafusion_search import ZarrTable


async def open_table():
    return await ZarrTable.from_obstore(LocalStore(sys.argv[1]), "/meta")


context = SessionContext()
register_all(context)
# Kept: its plans fail where the table itself is gone.
table = asyncio.run(open_table())
context.register_table("meta", table)
box = "ST_GeomFromText('POLYGON((0 0,20 0,20 20,0 20,0 0))')"
answer = context.sql(f"SELECT count(date) FROM meta WHERE ST_Intersects(bbox, {box})")
print(answer.collect()[0].column(0)[0].as_py())
