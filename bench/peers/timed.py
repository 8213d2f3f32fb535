"""Seconds and the most memory of a command that ends well. usage: timed.py COMMAND [ARGUMENT ...]

Prints JSON: {"s": wall time, "rss_mb": the most memory that the process had resident at once}.
"""

import json
import resource
import subprocess
import sys
import time

started = time.perf_counter()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
seconds = time.perf_counter() - started
most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps({"s": round(seconds, 2), "rss_mb": round(most / (1e6 if sys.platform == "darwin" else 1e3))}))
