"""What a model is made of: one tree of parts, from its configuration alone."""

from gptviz.anatomy.gpt import anatomy, find, has
from gptviz.anatomy.part import Part, Shape, Size, size_of

__all__ = ["Part", "Shape", "Size", "anatomy", "find", "has", "size_of"]
