# Writes cli/revision.h's function with the git revision of SOURCE to OUTPUT, which is touched only when that changes. Run at each build.
cmake_path(GET SOURCE PARENT_PATH above)
set(ENV{GIT_CEILING_DIRECTORIES} ${above})  # a checkout around the tree is not the tree's
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
  OUTPUT_VARIABLE revision RESULT_VARIABLE failed OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(failed)
  set(revision unknown)
endif()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT [[// Written by cmake/revision.cmake.
#include "revision.h"

namespace hayate::cli {
std::string revision() { return "@revision@"; }
}  // namespace hayate::cli
]])
