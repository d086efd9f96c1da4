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
set(page ${PROJECT_BINARY_DIR}/${TESSERA_MAN}/tessera-executable.1)
add_custom_command(OUTPUT ${page} COMMAND tessera-executable-manual > ${page} VERBATIM)
add_custom_target(manuals ALL DEPENDS ${manuals} ${page})
