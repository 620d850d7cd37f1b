// What each file here adds to the module hayate._core. The Python package beside it is what people import; this is the C++ API as it is.
#pragma once
#include <nanobind/nanobind.h>

namespace hayate::python {

void bind_errors();                         // hayate::Error becomes the exceptions of hayate/errors.py
void bind_options(nanobind::module_&);      // Options, Lora and their choices
void bind_request(nanobind::module_&);      // Request, Picture and what they are made of
void bind_result(nanobind::module_&);       // Result, Timings, MemoryForecast, LoraChange
void bind_session(nanobind::module_&);      // Session: a pipeline on a thread of its own
void bind_image_files(nanobind::module_&);  // reading and writing pictures
void bind_lists(nanobind::module_&);        // version, rungs, schedulers, devices

}  // namespace hayate::python
