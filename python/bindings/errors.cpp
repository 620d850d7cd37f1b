// hayate::Error as a Python exception: hayate/errors.py has a class for each kind, found by the kind's name.
#include "bindings.h"
#include "hayate/error.h"

namespace nb = nanobind;

namespace hayate::python {

namespace {

const char* class_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage: return "UsageError";
    case ErrorKind::not_found: return "NotFoundError";
    case ErrorKind::bad_file: return "BadFileError";
    case ErrorKind::bad_model: return "BadModelError";
    case ErrorKind::unsupported: return "UnsupportedError";
    case ErrorKind::out_of_memory: return "OutOfMemoryError";
    case ErrorKind::io: return "IoError";
    case ErrorKind::not_finite: return "NotFiniteError";
    case ErrorKind::cancelled: return "CancelledError";
    case ErrorKind::internal: return "InternalError";
  }
  return "InternalError";
}

void translate(const std::exception_ptr& error, void*) {
  try {
    std::rethrow_exception(error);
  } catch (const Error& e) {
    nb::object type = nb::module_::import_("hayate.errors").attr(class_of(e.kind()));
    PyErr_SetString(type.ptr(), e.what());
  }
}

}  // namespace

void bind_errors() { nb::register_exception_translator(translate); }

}  // namespace hayate::python
