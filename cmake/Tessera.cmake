# Helpers shared by the folders of the compiler.
#
# The compiler links LLVM and MLIR dynamically: mixing their shared and static
# libraries would register everything twice.

set(TESSERA_COMPILER_FLAGS -fno-exceptions -Wall -Wextra -Wno-unused-parameter
                           -Wno-missing-field-initializers -fpch-instantiate-templates)

# One precompiled header serves all of the compiler: MLIR's headers are most
# of a file's compile time.
function(tessera_pch_owner)
  file(WRITE ${CMAKE_BINARY_DIR}/pch/empty.cpp.in "")
  configure_file(${CMAKE_BINARY_DIR}/pch/empty.cpp.in ${CMAKE_BINARY_DIR}/pch/empty.cpp COPYONLY)
  add_library(tessera_pch OBJECT ${CMAKE_BINARY_DIR}/pch/empty.cpp)
  tessera_compiler_options(tessera_pch)
  if(NOT CMAKE_BUILD_TYPE STREQUAL "Release")
    target_precompile_headers(tessera_pch PRIVATE ${PROJECT_SOURCE_DIR}/cmake/statistic.h)
  endif()
  target_precompile_headers(tessera_pch PRIVATE ${PROJECT_SOURCE_DIR}/cmake/pch.h)
endfunction()

function(tessera_compiler_options target)
  target_include_directories(${target} SYSTEM PRIVATE ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
  # No __DATE__-like state may enter the header, else ccache never hits.
  target_compile_options(${target} PRIVATE ${TESSERA_COMPILER_FLAGS}
                         "SHELL:-Xclang -fno-pch-timestamp")
  if(TESSERA_SANITIZE)
    # Half the time to compile; null, alignment and size end by a signal anyway.
    target_compile_options(${target} PRIVATE -O0 -fno-sanitize=null,alignment,object-size)
  endif()
  separate_arguments(defs NATIVE_COMMAND "${LLVM_DEFINITIONS}")
  target_compile_options(${target} PRIVATE ${defs})
endfunction()

# tessera_library(NAME SOURCES... [DEPENDS targets...] [LINK libs...]): a static
# library of the compiler.
function(tessera_library name)
  cmake_parse_arguments(A "" "" "DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${A_UNPARSED_ARGUMENTS})
  tessera_compiler_options(${name})
  target_precompile_headers(${name} REUSE_FROM tessera_pch)
  target_link_libraries(${name} PUBLIC MLIR LLVM ${A_LINK})
  add_dependencies(${name} tessera_generated ${A_DEPENDS})
  if(A_DEPENDS)
    add_dependencies(tessera_generated ${A_DEPENDS})
  endif()
endfunction()

# tessera_executable(NAME SOURCES... [LINK libs...])
function(tessera_executable name)
  cmake_parse_arguments(A "" "" "LINK" ${ARGN})
  add_executable(${name} ${A_UNPARSED_ARGUMENTS})
  # The precompiled header is compiled as for a library.
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${name} PRIVATE -fPIC)
  tessera_compiler_options(${name})
  target_precompile_headers(${name} REUSE_FROM tessera_pch)
  add_dependencies(${name} tessera_generated)
  target_link_libraries(${name} PRIVATE ${A_LINK} MLIR LLVM)
endfunction()

# All files that TableGen writes; sources wait for this one target.
add_custom_target(tessera_generated)
tessera_pch_owner()
