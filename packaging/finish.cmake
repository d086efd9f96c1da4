# What Debian asks of a package beyond what `cmake --install` installs: run by
# CPack on the tree that becomes the package.

set(root ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr)
set(sources ${CMAKE_CURRENT_LIST_DIR})
find_program(GZIP gzip REQUIRED)

file(GLOB pages ${root}/share/man/man1/*.1)
execute_process(COMMAND ${GZIP} -9n ${pages} COMMAND_ERROR_IS_FATAL ANY)

# The date is the commit's, as that of manual pages, else that of the packaging.
set(date)
execute_process(COMMAND git -C ${sources} log -1 --format=%cD OUTPUT_VARIABLE date
                OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT date)
  execute_process(COMMAND date -R OUTPUT_VARIABLE date OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
set(changelog ${root}/share/doc/tessera/changelog)
file(WRITE ${changelog} "tessera (${CPACK_PACKAGE_VERSION}) unstable; urgency=medium

  * What users notice is in CHANGELOG.md, in this folder.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")
execute_process(COMMAND ${GZIP} -9n ${changelog} COMMAND_ERROR_IS_FATAL ANY)

# Debian's own Python, whatever is first on the path.
set(script ${root}/share/tessera/scripts/graph-from)
file(READ ${script} text)
string(REPLACE "#!/usr/bin/env python3\n" "#!/usr/bin/python3\n" text "${text}")
file(WRITE ${script} "${text}")

file(COPY_FILE ${sources}/copyright ${root}/share/doc/tessera/copyright)
file(MAKE_DIRECTORY ${root}/share/lintian/overrides)
file(COPY_FILE ${sources}/lintian-overrides ${root}/share/lintian/overrides/tessera)
