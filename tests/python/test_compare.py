"""compare_with_diffusers, where diffusers is installed."""

import hayate
import pytest
from conftest import TINY


def test_needs_diffusers(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "diffusers", None)
    with pytest.raises(hayate.UnsupportedError, match="diffusers"):
        hayate.compare_with_diffusers(TINY)


def test_the_same_picture_as_diffusers():
    pytest.importorskip("diffusers")
    compared = hayate.compare_with_diffusers(TINY, num_inference_steps=3, width=64, height=64)
    assert compared.latent_error < 1e-4 and compared.pixel_error <= 2
    assert "diffusers" in str(compared)
