#!/usr/bin/env python3
"""Checks which folder includes which (docs/architecture.md has the picture), and that each file says first what it is for."""

import re
import subprocess
import sys
from pathlib import Path

# What each folder may include beside itself: all of a folder, one header, or only the headers right in a folder ("/*").
ALLOWED = {
    "core": [],
    "image": ["core", "hayate"],
    "program": ["core"],
    "passes": ["core", "program"],
    "models": ["core", "program"],
    "tokenizer": ["core"],
    "prompt": ["core", "tokenizer"],
    "schedule": ["core"],
    "backend": ["core", "program"],
    "backend/reference": ["core", "program", "backend/*"],
    "backend/cpu": ["core", "program", "backend/*"],
    "backend/cuda": ["core", "program", "backend/*"],
    "weights": ["core", "program", "backend/backend.h"],
    "pipeline": ["core", "program", "passes", "models", "tokenizer", "prompt", "schedule", "backend/backend.h", "backend/processor.h", "weights", "image/pixels.h", "image/resample.h", "image/surroundings.h", "hayate"],
    "quality": ["core", "models", "weights", "pipeline", "hayate"],
    "server": ["core", "hayate", "image/opacity.h", "prompt/a1111_networks.h"],
    "cli": ["hayate"],
    "examples": ["hayate"],
    "python": ["hayate"],
}
PUBLIC_CORE = ["hayate/error.h", "hayate/device_array.h", "hayate/byte_size.h", "hayate/suggest.h", "hayate/text_file.h"]  # what core has to offer to everything, users too
FOLDERS = [*ALLOWED, "hayate"]

SOURCES = {".h", ".cpp", ".cu", ".cuh"}
COMMENTS = {**dict.fromkeys(SOURCES, r"// \S"), ".py": r'"""\S', ".cmake": r"# \S", "": r"# \S"}
ROOTS = ["include", "src", "cli", "python", "tests", "examples", "scripts", "tools", "cmake", ".ci"]
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)


def folder_of(path):
    """src/core/json.h -> core; src/backend/cpu/a.h -> backend/cpu; cli/main.cpp -> cli. Tests may include anything."""
    parts = path.parts[:-1]
    if parts[0] in ("src", "include"):
        parts = parts[1:]
    while len(parts) > 1 and "/".join(parts) not in ALLOWED:
        parts = parts[:-1]
    return "/".join(parts)


def allows(entry, include):
    if entry.endswith("/*"):
        return include.rpartition("/")[0] == entry[:-2]
    return include == entry or include.startswith(entry + "/")


def bad_includes(path, text):
    folder = folder_of(path)
    if folder not in ALLOWED:
        return
    own = folder + "/*" if folder == "backend" else folder  # the interface knows none of its implementations
    for include in INCLUDE.findall(text):
        if "/" not in include or include in PUBLIC_CORE or include.split("/")[0] not in FOLDERS:
            continue
        if not any(allows(entry, include) for entry in [own, *ALLOWED[folder]]):
            yield f"{path}: {folder} may not include {include}"


def bad_first_line(path, text):
    """A file's first line (after a shebang) is a comment about it."""
    if path.suffix not in COMMENTS:
        return
    lines = text.splitlines() or [""]
    first = lines[1] if lines[0].startswith("#!") and len(lines) > 1 else lines[0]
    if not re.match(COMMENTS[path.suffix], first):
        yield f"{path}: the first line should be a comment that says what the file is for"


def problems(root):
    listed = subprocess.run(["git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard", "--", *ROOTS],
                            capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines():
        if "/data/" in name or not (root / name).is_file():
            continue
        text = (root / name).read_text()
        yield from bad_includes(Path(name), text)
        yield from bad_first_line(Path(name), text)


def self_test():
    """The checks find what they are for."""
    assert list(bad_includes(Path("src/core/a.h"), '#include "program/program.h"\n'))
    assert list(bad_includes(Path("src/models/a.h"), '#include "passes/passes.h"\n'))
    assert list(bad_includes(Path("src/weights/a.h"), '#include "backend/cpu/isa.h"\n'))
    assert list(bad_includes(Path("src/backend/cpu/kernels/a.h"), '#include "backend/reference/ops.h"\n'))
    assert list(bad_includes(Path("src/backend/a.h"), '#include "backend/cpu/isa.h"\n'))
    assert list(bad_includes(Path("cli/a.cpp"), '  #  include <core/json.h>\n'))
    assert not list(bad_includes(Path("src/weights/a.h"), '#include "backend/backend.h"\n#include <core/a.h>\n#include <vector>\n'))
    assert list(bad_first_line(Path("src/core/a.h"), "#pragma once\n"))
    assert not list(bad_includes(Path("src/backend/cpu/kernels/a.h"), '#include "backend/cpu/isa.h"\n#include "backend/backend.h"\n'))
    assert not list(bad_first_line(Path("scripts/a"), "#!/bin/sh\n# Does a thing.\n"))


def main():
    self_test()
    found = list(problems(Path(__file__).resolve().parent.parent))
    print("\n".join(found) if found else "includes: ok")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
