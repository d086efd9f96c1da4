# The libraries that executables are linked with when users compile: the
# compiler knows their paths (target/LinkLibraries.h), and a package depends on
# the packages that own them (cmake/Packaging.cmake).
#
# Static libraries where they are small: an executable needs none of them on the
# machine where it runs.
find_package(MPI REQUIRED COMPONENTS C)
find_library(DNNL_LIBRARY dnnl REQUIRED)
find_library(SODIUM_LIBRARY libsodium.a REQUIRED)
find_library(ONIGURUMA_LIBRARY onig REQUIRED)
find_library(ICU_LIBRARY icuuc REQUIRED)
find_library(ZLIB_STATIC_LIBRARY libz.a REQUIRED)
find_library(ZSTD_STATIC_LIBRARY libzstd.a REQUIRED)

configure_file(${PROJECT_SOURCE_DIR}/target/LinkLibraries.h.in
               ${PROJECT_BINARY_DIR}/target/LinkLibraries.h @ONLY)
set(TESSERA_LINK_LIBRARIES
  ${DNNL_LIBRARY} ${MPI_C_LIBRARIES} ${SODIUM_LIBRARY}
  ${ONIGURUMA_LIBRARY} ${ICU_LIBRARY} ${ZLIB_STATIC_LIBRARY} ${ZSTD_STATIC_LIBRARY})
