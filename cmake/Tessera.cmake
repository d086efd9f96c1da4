# Helpers shared by the folders of the compiler.
#
# The compiler links LLVM and MLIR dynamically: mixing their shared and static
# libraries would register everything twice.

set(TESSERA_COMPILER_FLAGS -fno-exceptions -Wall -Wextra -Wno-unused-parameter
                           -Wno-missing-field-initializers)
# No __DATE__-like state may enter a precompiled header, else ccache never hits. libstdc++
# calls parts of its own std::stable_sort deprecated, of which clang warns where they are
# in such a header.
set(TESSERA_PCH_FLAGS -fpch-instantiate-templates "SHELL:-Xclang -fno-pch-timestamp"
                      -U__DEPRECATED)
# What libraries of the compiler reuse, by folder: dialects MLIR's headers alone, code
# generation more.
set(TESSERA_COMPILER_PCH dialects)

# Headers are most of a file's compile time, so they are compiled once: cmake/pch/NAME.h
# for the targets that have REUSE_FROM tessera_pch_NAME, of the same options.
# tessera_pch(NAME [COMPILER | EXECUTABLE])
function(tessera_pch name)
  cmake_parse_arguments(A "COMPILER;EXECUTABLE" "" "" ${ARGN})
  set(target tessera_pch_${name})
  set(empty ${CMAKE_BINARY_DIR}/pch/${name}.cpp)
  file(CONFIGURE OUTPUT ${empty} CONTENT "")
  add_library(${target} OBJECT ${empty})
  target_compile_options(${target} PRIVATE ${TESSERA_PCH_FLAGS})
  if(A_COMPILER)
    tessera_compiler_options(${target})
    if(NOT CMAKE_BUILD_TYPE STREQUAL "Release")
      target_precompile_headers(${target} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/pch/statistic.h)
    endif()
  elseif(A_EXECUTABLE)
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${target} PRIVATE -fPIE)
  endif()
  target_precompile_headers(${target} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/pch/${name}.h)
endfunction()

# tessera_reuse_pch(TARGET NAME)
function(tessera_reuse_pch target name)
  target_compile_options(${target} PRIVATE ${TESSERA_PCH_FLAGS})
  target_precompile_headers(${target} REUSE_FROM tessera_pch_${name})
endfunction()

function(tessera_compiler_options target)
  target_include_directories(${target} SYSTEM PRIVATE ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
  target_compile_options(${target} PRIVATE ${TESSERA_COMPILER_FLAGS})
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
  tessera_reuse_pch(${name} ${TESSERA_COMPILER_PCH})
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
  tessera_reuse_pch(${name} ${TESSERA_COMPILER_PCH})
  add_dependencies(${name} tessera_generated)
  target_link_libraries(${name} PRIVATE ${A_LINK} MLIR LLVM)
endfunction()

# All files that TableGen writes; sources wait for this one target.
add_custom_target(tessera_generated)
tessera_pch(mlir COMPILER)
foreach(name dialects codegen)
  tessera_pch(${name} COMPILER)
  add_dependencies(tessera_pch_${name} tessera_generated)
endforeach()
tessera_pch(runtime)
