"""For each line [sql, sql]: do both expressions have one tree in DuckDB's parser? Prints "same", "differ" or the error."""

import json
import sys

import duckdb

connection = duckdb.connect()


def tree(expression):
    rows = connection.execute("SELECT json_serialize_sql(?)", [f"SELECT {expression} FROM t"]).fetchall()
    parsed = json.loads(rows[0][0])
    if parsed["error"]:
        raise ValueError(parsed["error_message"])
    return normal(parsed["statements"][0]["node"]["select_list"][0])


def normal(node):
    """Without positions; chains of AND and of OR flat; signs folded into numbers."""
    if isinstance(node, list):
        return [normal(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: normal(value) for key, value in node.items() if not key.startswith("query_location")}
    if node.get("class") == "CONJUNCTION":
        children = []
        for child in node["children"]:
            children += child["children"] if child.get("type") == node["type"] else [child]
        node["children"] = children
    arguments = node.get("arguments") or []
    if node.get("function_name") == "-" and len(arguments) == 1:
        number = arguments[0]["expression"]
        if number["class"] == "CONSTANT" and number["literal"]["kind"] != "STRING" and "text" in number["literal"]:
            text = number["literal"]["text"]
            if text[:1].isdigit() or text[:1] == "-":
                number["literal"]["text"] = text[1:] if text.startswith("-") else f"-{text}"
                return number
    return node


for line in sys.stdin:
    first, second = json.loads(line)
    try:
        print("same" if tree(first) == tree(second) else "differ")
    except (ValueError, duckdb.Error) as error:
        print(str(error).splitlines()[0])
