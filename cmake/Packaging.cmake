# `cpack` in the build folder: a Debian package. It depends on the packages of
# the libraries that the tools use (dpkg-shlibdeps), and on those of the files
# that executables are linked with on the user's machine.

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME tessera)
set(CPACK_PACKAGE_VENDOR "The Tessera authors")
# Who makes a package maintains it, and says so as to Debian's other tools.
if(DEFINED ENV{DEBEMAIL})
  set(maintainer "$ENV{DEBFULLNAME}")
  if(NOT maintainer)
    set(maintainer ${CPACK_PACKAGE_VENDOR})
  endif()
  set(CPACK_PACKAGE_CONTACT "${maintainer} <$ENV{DEBEMAIL}>")
else()
  cmake_host_system_information(RESULT host QUERY FQDN)
  set(CPACK_PACKAGE_CONTACT "${CPACK_PACKAGE_VENDOR} <tessera@${host}>")
endif()
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Ahead-of-time compiler for training")
set(CPACK_PACKAGE_DESCRIPTION
"Tessera compiles the specification of a model, a Transformer or a graph neural
network, into one native training executable, partitioned by ZeRO over ranks,
for CPUs or for NVIDIA GPUs. Every byte and every message is planned ahead and
can be read before anything runs.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)

find_program(DPKG_QUERY dpkg-query)
if(DPKG_QUERY)
  # `c++` and its libgomp; mpirun; tessera-graph-from. The runtime is compiled for
  # this libstdc++.
  set(packages "g++" openmpi-bin python3)
  foreach(library ${DNNL_LIBRARY} ${MPI_C_LIBRARIES} ${SODIUM_LIBRARY} ${ONIGURUMA_LIBRARY}
                  ${ICU_LIBRARY} ${ZLIB_STATIC_LIBRARY} ${ZSTD_STATIC_LIBRARY})
    execute_process(COMMAND ${DPKG_QUERY} -S ${library} OUTPUT_VARIABLE owner
                    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(owner MATCHES "^([^:, ]+)")
      list(APPEND packages ${CMAKE_MATCH_1})
    else()
      message(WARNING "no package owns ${library}: a .deb will not depend on it")
    endif()
  endforeach()
  list(REMOVE_DUPLICATES packages)
  list(JOIN packages ", " CPACK_DEBIAN_PACKAGE_DEPENDS)
endif()
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS python3-numpy)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS nvidia-cuda-toolkit)

set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/packaging/finish.cmake)

include(CPack)
