# `cmake --install`: the tools in bin, what they link into executables in
# lib/tessera, what projects find in lib/cmake/Tessera, and documentation. The
# tools find the rest from where they lie themselves, so a prefix may be moved.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# Where Tessera looks for archives does not depend on what a system calls lib.
set(TESSERA_INSTALL_LIBRARIES lib/tessera)
set(TESSERA_INSTALL_CMAKE lib/cmake/Tessera)
set(TESSERA_INSTALL_SHARE ${CMAKE_INSTALL_DATADIR}/tessera)

# LLVM's libraries need not lie where the system looks for libraries.
set_target_properties(tessera tessera-opt tessera-lsp-server PROPERTIES
  INSTALL_RPATH_USE_LINK_PATH ON)
install(TARGETS tessera tessera-opt tessera-lsp-server
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
get_property(archives GLOBAL PROPERTY TESSERA_EXECUTABLE_ARCHIVES)
install(TARGETS ${archives} ARCHIVE DESTINATION ${TESSERA_INSTALL_LIBRARIES})

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/TesseraConfig.cmake.in
  ${PROJECT_BINARY_DIR}/cmake/TesseraConfig.cmake
  INSTALL_DESTINATION ${TESSERA_INSTALL_CMAKE} PATH_VARS CMAKE_INSTALL_BINDIR
  TESSERA_INSTALL_SHARE NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cmake/TesseraConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/cmake/TesseraConfig.cmake
              ${PROJECT_BINARY_DIR}/cmake/TesseraConfigVersion.cmake
        DESTINATION ${TESSERA_INSTALL_CMAKE})

# As in the source tree, so that the examples' `# proto-file` holds for both.
install(DIRECTORY examples DESTINATION ${TESSERA_INSTALL_SHARE})
install(FILES frontends/spec.proto DESTINATION ${TESSERA_INSTALL_SHARE}/frontends)

# The script for graphs finds what lies beside it through the link, too.
install(PROGRAMS scripts/graph-from DESTINATION ${TESSERA_INSTALL_SHARE}/scripts)
install(FILES scripts/graph_sources.py DESTINATION ${TESSERA_INSTALL_SHARE}/scripts)
file(RELATIVE_PATH graph_from ${CMAKE_INSTALL_FULL_BINDIR}
     ${CMAKE_INSTALL_FULL_DATADIR}/tessera/scripts/graph-from)
install(CODE "set(folder \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\")
  file(MAKE_DIRECTORY \"\${folder}\")
  file(CREATE_LINK ${graph_from} \"\${folder}/tessera-graph-from\" SYMBOLIC)")

foreach(folder ${TESSERA_MAN} ${TESSERA_BASH_COMPLETIONS} ${TESSERA_ZSH_COMPLETIONS})
  install(DIRECTORY ${PROJECT_BINARY_DIR}/${folder}/ DESTINATION ${folder})
endforeach()

install(FILES README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md")

include(Packaging)
