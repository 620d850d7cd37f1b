// Pictures and numbers as arrays of Python, which share the memory of what owns them.
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
// The same wherever it lies, in any order; and a capsule of DLPack.
using NumbersIn = nanobind::ndarray<nanobind::ro>;
using Exported = nanobind::ndarray<nanobind::array_api, float>;  // has DLPack, and the buffer protocol if it is on the host

Pixels pixels_of(Image&, nanobind::handle owner);
Pixels pixels_of(Image);  // owns its memory
Image image_of(const PixelsIn&);
Floats floats_of(std::vector<float>&, std::vector<size_t> shape, nanobind::handle owner);
DeviceArray device_array_of(const NumbersIn&);  // keeps them; Error(usage) where they are no floats of 32 or 16 bits on the host or on a GPU of CUDA
// With the dimensions in this order; of float32.
Exported exported(const DeviceArray&, const std::vector<size_t>& order);

}  // namespace hayate::python
