"""hayate on a Ray cluster: a file of prompts into a data set of pictures, and a service. `pip install hayate[ray]`; docs/ray.md."""

from hayate.ray.dataset import Summary, generate_dataset
from hayate.ray.painter import Painter
from hayate.ray.service import deployment

__all__ = ["Painter", "Summary", "deployment", "generate_dataset"]
