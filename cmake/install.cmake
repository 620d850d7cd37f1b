# cmake --install: the program, one library, the public headers, the built-in model with its LoRAs, find_package(hayate).
include(CMakePackageConfigHelpers)

get_property(folders GLOBAL PROPERTY HAYATE_FOLDERS)
list(TRANSFORM folders REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE objects)
add_library(hayate_library STATIC ${objects})
set_target_properties(hayate_library PROPERTIES OUTPUT_NAME hayate EXPORT_NAME hayate LINKER_LANGUAGE CXX)
target_compile_features(hayate_library INTERFACE cxx_std_20)
target_include_directories(hayate_library INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
# Only what the objects need at link time: the public headers include none of it. cmake/hayate-config.cmake.in finds these again.
target_link_libraries(hayate_library PRIVATE fmt::fmt PNG::PNG JPEG::JPEG webp webpmux OpenMP::OpenMP_CXX Threads::Threads
  DNNL::dnnl utf8proc)
if(HAYATE_CUDA)
  target_link_libraries(hayate_library PRIVATE CUDA::cudart_static)
endif()
add_library(hayate::hayate ALIAS hayate_library)

set_source_files_properties(${PROJECT_SOURCE_DIR}/src/pipeline/installed_files.cpp TARGET_DIRECTORY hayate_pipeline PROPERTIES COMPILE_DEFINITIONS
  "HAYATE_INSTALL_PREFIX=\"${CMAKE_INSTALL_PREFIX}\";HAYATE_SOURCE_DIR=\"${PROJECT_SOURCE_DIR}\"")

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/hayate)
install(TARGETS hayate_cli)
set(pages ${PROJECT_BINARY_DIR}/pages)
install(FILES ${pages}/hayate.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${pages}/hayate.bash DESTINATION share/bash-completion/completions RENAME hayate)
install(FILES ${pages}/hayate.zsh DESTINATION share/zsh/site-functions RENAME _hayate)
install(FILES ${pages}/hayate.fish DESTINATION share/fish/vendor_completions.d)
install(TARGETS hayate_library EXPORT hayate)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/hayate DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/models DESTINATION share/hayate)  # src/pipeline/installed_files.cpp looks there
# src/pipeline/installed_files.cpp looks there, too; scripts/setup makes the folder where the Python package index can be reached.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/build/clip_tokenizer DESTINATION share/hayate OPTIONAL)
install(EXPORT hayate NAMESPACE hayate:: FILE hayate-targets.cmake DESTINATION ${package_folder})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/hayate-config.cmake.in ${PROJECT_BINARY_DIR}/hayate-config.cmake
  INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/hayate-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/hayate-config.cmake ${PROJECT_BINARY_DIR}/hayate-config-version.cmake DESTINATION ${package_folder})
