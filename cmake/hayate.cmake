# How folders become targets: hayate_folder(name SOURCES ... LINK ...), hayate_test(name SOURCES ... LINK ...).

add_library(hayate_flags INTERFACE)
target_compile_options(hayate_flags INTERFACE -Wall -Wextra -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(hayate_flags INTERFACE -Wno-restrict)  # false alarms on std::string, gcc bug 105651
endif()
if(HAYATE_SANITIZE)
  target_compile_options(hayate_flags INTERFACE -fsanitize=${HAYATE_SANITIZE} -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(hayate_flags INTERFACE -fsanitize=${HAYATE_SANITIZE})
endif()

if(HAYATE_FUZZ)
  target_compile_options(hayate_flags INTERFACE -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined)
  target_link_options(hayate_flags INTERFACE -fsanitize=address,undefined)
endif()

# One folder of src/. LINK names the folders it may include (see tools/check_includes.py) and outside libraries.
function(hayate_folder name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(hayate_${name} STATIC ${ARG_SOURCES})
  target_include_directories(hayate_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(hayate_${name} PUBLIC ${ARG_LINK} PRIVATE $<BUILD_INTERFACE:hayate_flags>)
  set_property(GLOBAL APPEND PROPERTY HAYATE_FOLDERS hayate_${name})
endfunction()

# One test program per folder of tests/.
function(hayate_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name}_test ${ARG_SOURCES})
  target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(${name}_test PRIVATE HAYATE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name}_test PRIVATE ${ARG_LINK} GTest::gtest_main hayate_flags)
  add_test(NAME ${name} COMMAND ${name}_test)
  # Threads that spin while they wait starve each other on a busy machine.
  set_tests_properties(${name} PROPERTIES ENVIRONMENT OMP_WAIT_POLICY=passive)
endfunction()
