"""hayate on a Ray cluster: a file of prompts into a data set of pictures. `pip install hayate[ray]`; docs/ray.md."""

from hayate.ray.dataset import Summary, generate_dataset
from hayate.ray.painter import Painter

__all__ = ["Painter", "Summary", "generate_dataset"]
