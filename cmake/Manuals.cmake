# Manual pages and completions, from the tables of options that the programs
# themselves parse by: in share of the build folder, as where they are installed.

add_executable(tessera-executable-manual runtime/commands/ManualMain.cpp)
target_link_libraries(tessera-executable-manual PRIVATE
  tessera_runtime_core tessera_device_host tessera_comm_single ${DNNL_LIBRARY})
set_target_properties(tessera-executable-manual PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/cmake)

set(TESSERA_MAN share/man/man1)
set(TESSERA_BASH_COMPLETIONS share/bash-completion/completions)
# Debian's zsh looks there for what packages install, others in site-functions.
set(TESSERA_ZSH_COMPLETIONS share/zsh/vendor-completions)
if(NOT EXISTS /etc/debian_version)
  set(TESSERA_ZSH_COMPLETIONS share/zsh/site-functions)
endif()

foreach(folder ${TESSERA_MAN} ${TESSERA_BASH_COMPLETIONS} ${TESSERA_ZSH_COMPLETIONS})
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/${folder})
endforeach()
set(manuals "")
function(tessera_manual file form)
  add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/${file}
    COMMAND tessera describe --as ${form} -o ${PROJECT_BINARY_DIR}/${file}
    DEPENDS tessera VERBATIM)
  set(manuals ${manuals} ${PROJECT_BINARY_DIR}/${file} PARENT_SCOPE)
endfunction()
tessera_manual(${TESSERA_MAN}/tessera.1 man)
tessera_manual(${TESSERA_BASH_COMPLETIONS}/tessera bash)
tessera_manual(${TESSERA_ZSH_COMPLETIONS}/_tessera zsh)
# tessera_page(NAME COMMAND...): the page that a command prints.
function(tessera_page name)
  set(page ${PROJECT_BINARY_DIR}/${TESSERA_MAN}/${name}.1)
  add_custom_command(OUTPUT ${page} COMMAND ${ARGN} > ${page} DEPENDS ${ARGV1} VERBATIM)
  set(manuals ${manuals} ${page} PARENT_SCOPE)
endfunction()
tessera_page(tessera-executable tessera-executable-manual)
tessera_page(tessera-opt tessera-opt --describe)
tessera_page(tessera-lsp-server tessera-lsp-server --describe)
# The script needs NumPy as soon as it is read: the first Python that has it.
foreach(candidate ${Python3_EXECUTABLE} /usr/bin/python3)
  execute_process(COMMAND ${candidate} -c "import numpy" RESULT_VARIABLE no_numpy ERROR_QUIET)
  if(NOT no_numpy)
    set(numpy_python ${candidate})
    break()
  endif()
endforeach()
if(numpy_python)
  set(graph_from ${PROJECT_SOURCE_DIR}/scripts/graph-from)
  set(page ${PROJECT_BINARY_DIR}/${TESSERA_MAN}/tessera-graph-from.1)
  set(writer ${PROJECT_SOURCE_DIR}/cmake/argparse_manual.py)
  add_custom_command(OUTPUT ${page}
    COMMAND ${numpy_python} ${writer} ${graph_from} tessera-graph-from
            ${PROJECT_VERSION} > ${page}
    DEPENDS ${graph_from} ${writer} VERBATIM)
  list(APPEND manuals ${page})
endif()
add_custom_target(manuals ALL DEPENDS ${manuals})
