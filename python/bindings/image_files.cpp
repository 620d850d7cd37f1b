// Pictures in files.
#include <nanobind/stl/string.h>

#include "arrays.h"
#include "bindings.h"

namespace nb = nanobind;

namespace hayate::python {

void bind_image_files(nb::module_& m) {
  m.def(
      "read_image",
      [](const std::string& path) {
        ImageFile file;
        {
          nb::gil_scoped_release released;
          file = read_image(path);
        }
        return nb::make_tuple(pixels_of(std::move(file.image)), file.infotext);
      },
      nb::arg("path"), nb::sig("def read_image(path: str) -> tuple[numpy.typing.NDArray[numpy.uint8], str]"),
      "The pixels, (height, width, 3), and the infotext.");
  m.def(
      "encode_image",
      [](const std::string& name, const PixelsIn& pixels, const std::string& infotext, int quality) {
        const Image image = image_of(pixels);
        std::vector<std::byte> file;
        {
          nb::gil_scoped_release released;
          file = encode_image(name, image, infotext, quality);
        }
        return nb::bytes(file.data(), file.size());
      },
      nb::arg("name"), nb::arg("pixels"), nb::arg("infotext") = "", nb::arg("quality") = 90, "The bytes of a file of this name.");
  m.def(
      "write_image",
      [](const std::string& path, const PixelsIn& pixels, const std::string& infotext, int quality) {
        const Image image = image_of(pixels);
        nb::gil_scoped_release released;
        write_image(path, image, infotext, quality);
      },
      nb::arg("path"), nb::arg("pixels"), nb::arg("infotext") = "", nb::arg("quality") = 90, "Writes the file whole or not at all.");
}

}  // namespace hayate::python
