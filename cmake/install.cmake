# cmake --install: the binary, one library, the public headers, find_package(hayate).
get_property(folders GLOBAL PROPERTY HAYATE_FOLDERS)
