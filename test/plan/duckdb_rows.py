"""Answers the queries of a JSON file with DuckDB.

usage: duckdb_rows.py FILE     FILE: {"columns": {name: [DuckDB type, [text or null, ...]]}, "queries": [SQL, ...]}
Prints a JSON list: the rows that each query finds, or the message where DuckDB refuses it. Integers are rows' cells as
{"int": "digits"} and floats as {"float": "digits"}, for JSON loses some.
"""

import json
import sys


import duckdb

with open(sys.argv[1], encoding="utf-8") as file:
    given = json.load(file)
con = duckdb.connect()
names = list(given["columns"])
con.execute(f"CREATE TABLE meta (idx BIGINT, {', '.join(f'{n} {t}' for n, (t, _) in given['columns'].items())})")
casts = ", ".join(f"CAST(? AS {given['columns'][n][0]})" for n in names)
rows = [[i, *row] for i, row in enumerate(zip(*(cells for _, cells in given["columns"].values())))]
con.executemany(f"INSERT INTO meta VALUES (?, {casts})", rows)


def cell(value):
    if isinstance(value, int) and not isinstance(value, bool):
        return {"int": str(value)}
    if isinstance(value, float):
        return {"float": repr(value)}
    return value


answers = []
for sql in given["queries"]:
    try:
        answers.append([[cell(value) for value in row] for row in con.execute(sql).fetchall()])
    except duckdb.Error as error:
        answers.append(str(error))
print(json.dumps(answers))
