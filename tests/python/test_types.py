"""mypy on the package with the stub of its module, and on a caller."""

import subprocess
import sys
from pathlib import Path

import hayate
from conftest import ROOT

CALLER = """
import hayate
pipe = hayate.Pipeline.from_pretrained("builtin", rung="bf16", loras=[("a.safetensors", 0.5)])
width: int = pipe("a castle", seed=7, num_inference_steps=4).images[0].width
pipe("a castle", sed=7)  # error
"""


def mypy(*arguments, cwd):
    command = [sys.executable, "-m", "mypy", "--config-file", ROOT / "pyproject.toml", "--cache-dir", ROOT / "build/mypy", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def test_the_package_is_typed():
    package = Path(hayate.__file__).parent
    checked = mypy("-p", "hayate", cwd=package.parent)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_callers_are_checked(tmp_path):
    (tmp_path / "caller.py").write_text(CALLER)
    package = Path(hayate.__file__).parent
    checked = mypy(tmp_path / "caller.py", cwd=package.parent)
    assert checked.returncode == 1 and '"sed"' in checked.stdout and "Found 1 error" in checked.stdout, checked.stdout + checked.stderr
