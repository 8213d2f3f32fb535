"""Answers the queries of a JSON file with DuckDB.

usage: duckdb_answers.py FILE     FILE: {"columns": {name: [DuckDB type, [text or null, ...]]}, "queries": [SQL, ...]}
Prints a JSON list: the first column of each query's rows, or the message where DuckDB refuses it. NaN is null, as in
Zarrsift; infinities and times are text, durations microseconds.
"""

import datetime
import json
import math
import sys


import duckdb



def plain(value):
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, datetime.timedelta):
        return value // datetime.timedelta(microseconds=1)
    return value if isinstance(value, (bool, int, float, str, type(None))) else str(value)


with open(sys.argv[1], encoding="utf-8") as file:
    given = json.load(file)
con = duckdb.connect()
names = list(given["columns"])
con.execute(f"CREATE TABLE meta (idx BIGINT, {', '.join(f'{n} {t}' for n, (t, _) in given['columns'].items())})")
casts = ", ".join(f"CAST(? AS {given['columns'][n][0]})" for n in names)
rows = [[i, *row] for i, row in enumerate(zip(*(cells for _, cells in given["columns"].values())))]
con.executemany(f"INSERT INTO meta VALUES (?, {casts})", rows)
answers = []
for sql in given["queries"]:
    try:
        answers.append([plain(row[0]) for row in con.execute(sql).fetchall()])
    except duckdb.Error as error:
        answers.append(str(error))
print(json.dumps(answers))
