"""examples/python run, and leave the pictures that they promise. The README's lines, too."""

import re
import subprocess
import sys

import pytest
from conftest import ROOT, TINY
from PIL import Image


def run(command, folder):
    done = subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "name, arguments, pictures",
    [("seeds", ["a castle", TINY, "2"], ["seed-1.png", "seed-4.png", "seeds.png"]), ("morph", [TINY, "2"], ["morph-0.png", "morph-4.png"]), ("watch", [TINY, "3"], ["watch.png"])],
)
def test_example(name, arguments, pictures, tmp_path):
    run([ROOT / f"examples/python/{name}.py", *arguments], tmp_path)
    for picture in pictures:
        with Image.open(tmp_path / picture) as image:
            assert image.getextrema() != ((0, 0),) * 3


def test_the_readme(tmp_path):
    (code,) = re.findall(r"```python\n(import hayate.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[:1]
    assert len(code.strip().splitlines()) <= 5
    run(["-c", code], tmp_path)
    assert list(tmp_path.glob("*.png"))
