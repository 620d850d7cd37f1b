// Pictures and numbers as NumPy arrays, which share the memory of what owns them.
#pragma once
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <vector>

#include "hayate/hayate.h"

namespace hayate::python {

using Pixels = nanobind::ndarray<nanobind::numpy, uint8_t, nanobind::shape<-1, -1, 3>, nanobind::c_contig>;  // (height, width, 3)
using Floats = nanobind::ndarray<nanobind::numpy, float, nanobind::c_contig>;
// What is taken in: anything with DLPack or the buffer protocol whose numbers lie on the host, in order.
using PixelsIn = nanobind::ndarray<const uint8_t, nanobind::shape<-1, -1, 3>, nanobind::c_contig, nanobind::device::cpu>;
using FloatsIn = nanobind::ndarray<const float, nanobind::c_contig, nanobind::device::cpu>;

Pixels pixels_of(Image&, nanobind::handle owner);
Pixels pixels_of(Image);  // owns its memory
Image image_of(const PixelsIn&);
Floats floats_of(std::vector<float>&, std::vector<size_t> shape, nanobind::handle owner);
std::vector<float> vector_of(const FloatsIn&);

}  // namespace hayate::python
