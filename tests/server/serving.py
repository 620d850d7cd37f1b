"""Starts `hayate serve` for tests in Python, which skip (status 77) where a package of theirs is not installed."""

import contextlib
import importlib
import signal
import subprocess
import sys


def need(*packages):
    try:
        return [importlib.import_module(p) for p in packages]
    except ImportError as error:
        print(f"skipped: {error}")
        sys.exit(77)


@contextlib.contextmanager
def server(program, *options):
    process = subprocess.Popen([program, "serve", "--port", "0", *options], stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip(), process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
