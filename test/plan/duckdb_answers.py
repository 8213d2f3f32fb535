"""Answers the queries of a JSON file with DuckDB.

usage: duckdb_answers.py FILE     FILE: {"columns": {name: [DuckDB type, [text or null, ...]]}, "queries": [SQL, ...]}
Prints the answers as duckdb_cells.py writes them, JSON.
"""
import json
import sys

from duckdb_cells import answers, connection

with open(sys.argv[1], encoding="utf-8") as file:
    given = json.load(file)
con = connection()
names = list(given["columns"])
con.execute(f"CREATE TABLE meta (idx BIGINT, {', '.join(f'{n} {t}' for n, (t, _) in given['columns'].items())})")
casts = ", ".join(f"CAST(? AS {given['columns'][n][0]})" for n in names)
rows = [[i, *row] for i, row in enumerate(zip(*(cells for _, cells in given["columns"].values())))]
con.executemany(f"INSERT INTO meta VALUES (?, {casts})", rows)
print(json.dumps(answers(con, given["queries"])))
