"""Runs scripts in forks of a process that has already imported what they need, which takes a second or more.

usage: forks.py   Each line of stdin is a script to run: {"id", "argv"}. When one ends, a line says what became of it:
{"id", "status", "stdout", "stderr"}. Several run at once. Ends when stdin does.
"""

import importlib
import json
import os
import runpy
import select
import signal
import sys
import tempfile

# Not icechunk: it starts threads, which a fork would lack.
for name in ("xarray", "zarr", "dask", "shapely", "fsspec.implementations.http", "fsspec.implementations.reference"):
    try:
        importlib.import_module(name)
    except ImportError:
        pass  # a script that needs it says so
if "xarray" in sys.modules:
    sys.modules["xarray"].backends.list_engines()  # looks through all installed packages


def become(argv, out, err):
    """Makes this process, a fork, what `python argv…` would be."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    sys.argv = argv
    sys.path[0] = os.path.dirname(argv[0])


def text_of(file):
    with file:
        file.seek(0)
        return file.read().decode(errors="replace")


def reap(running):
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        job, out, err = running.pop(pid)
        status = os.waitstatus_to_exitcode(status)
        print(json.dumps({"id": job, "status": status, "stdout": text_of(out), "stderr": text_of(err)}), flush=True)


def serve():
    """Returns in forks, with the script's path; in this process when stdin ends."""
    ended, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    running, text = {}, b""
    while True:
        ready, _, _ = select.select([0, ended], [], [])
        if ended in ready:
            os.read(ended, 4096)
            reap(running)
        if 0 not in ready:
            continue
        more = os.read(0, 65536)
        if not more:
            return None
        *lines, text = (text + more).split(b"\n")
        for job in map(json.loads, lines):
            out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
            pid = os.fork()
            if pid == 0:
                become(job["argv"], out, err)
                return sys.argv[0]
            running[pid] = (job["id"], out, err)


script = serve()
if script:
    runpy.run_path(script, run_name="__main__")
