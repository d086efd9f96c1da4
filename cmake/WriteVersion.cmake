# cmake -D SOURCE=folder -D OUTPUT=file -D TESSERA=version -D LLVM=version
#       -P WriteVersion.cmake
# Writes the source of runtime/core/Version.h. The file stays untouched where it
# would become the same.

set(commit unknown)
set(date "")
find_package(Git QUIET)
# A release's sources may lie within another project's checkout.
if(GIT_EXECUTABLE AND EXISTS ${SOURCE}/.git)
  execute_process(
    COMMAND ${GIT_EXECUTABLE} -C ${SOURCE} log -1 --abbrev=12 --format=%h\;%cs
    OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(found)
    list(POP_FRONT found commit date)
  endif()
endif()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT [[
#include "runtime/core/Version.h"

const tessera::runtime::Version tessera::runtime::version = {
    "@TESSERA@", "@LLVM@", "@commit@", "@date@"};
]])
