"""NVIDIA's libraries are found where their packages put them."""

import re
import shutil
import sys
from pathlib import Path

import hayate
import pytest
from hayate import cuda_libraries


def test_loads_what_is_there_and_leaves_what_is_broken(tmp_path, monkeypatch):
    (real,) = set(re.findall(r"/\S*/libm\.so\.6", Path("/proc/self/maps").read_text()))
    for folder in ("cu13/lib", "cudnn/lib"):
        (tmp_path / "nvidia" / folder).mkdir(parents=True)
    shutil.copy(real, tmp_path / "nvidia/cu13/lib/libcublasLt.so.13")
    (tmp_path / "nvidia/cudnn/lib/libcudnn.so.9").write_bytes(b"no library")
    monkeypatch.syspath_prepend(tmp_path)
    assert cuda_libraries.find("libcudnn.so.*") == tmp_path / "nvidia/cudnn/lib/libcudnn.so.9"
    assert cuda_libraries.load() == [tmp_path / "nvidia/cu13/lib/libcublasLt.so.13"]


def test_without_packages(monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    assert cuda_libraries.load() == []


def test_without_a_gpu_the_error_says_what_may_be_missing(monkeypatch):
    monkeypatch.setattr(cuda_libraries, "load", lambda: [])
    try:
        hayate.Pipeline.from_pretrained("builtin", device="cuda")
    except hayate.UnsupportedError as error:
        assert error.__notes__ == [cuda_libraries.HINT]
    else:
        pytest.skip("there is a GPU, and the system's libraries")
