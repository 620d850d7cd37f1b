// Functions of the NVIDIA driver, found at run time so that nothing links against it.
#pragma once
#include <cuda.h>

namespace hayate::cuda {

// The function `name`; Error(unsupported) when the driver is too old to have it.
void* driver_function(const char* name);
void check_driver(CUresult, const char* what);  // out_of_memory for memory, else internal

#define HAYATE_DRIVER_FUNCTION(name) reinterpret_cast<decltype(&name)>(driver_function(#name))

}  // namespace hayate::cuda
