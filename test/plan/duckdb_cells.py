"""DuckDB for tests: a connection, and answers as JSON that loses nothing."""
import datetime

import duckdb


def connection(spatial=False):
    """In UTC; with the spatial extension, which the packages duckdb-extensions and duckdb-extension-spatial bring."""
    con = duckdb.connect()
    con.execute("SET threads = 1")
    if spatial:
        from duckdb_extensions import import_extension

        import_extension("spatial", con=con)
        con.execute("LOAD spatial")
    return con


def cell(value):
    """Integers are {"int": "digits"} and floats {"float": "digits"}; times are text, durations microseconds."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, datetime.timedelta):
        return {"int": str(value // datetime.timedelta(microseconds=1))}
    if isinstance(value, int):
        return {"int": str(value)}
    if isinstance(value, float):
        return {"float": repr(value)}
    return bytes(value).hex() if isinstance(value, (bytes, bytearray)) else str(value)


def answers(con, queries):
    """The rows of each query's answer, or the message where DuckDB refuses it."""
    found = []
    for sql in queries:
        try:
            found.append([[cell(value) for value in row] for row in con.execute(sql).fetchall()])
        except duckdb.Error as error:
            found.append(str(error))
    return found
