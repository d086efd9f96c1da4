//===- Terminal.cpp - The terminal that a run is watched on ---------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/Terminal.h"
#include "runtime/comm/Launcher.h"
#include "runtime/core/Environment.h"
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tessera::runtime {
namespace {

/// One of /proc/PROCESS/stat: the process's name and its parent.
struct ProcessInfo {
  std::string name;
  int parent = 0;
};

ProcessInfo readProcess(int process) {
  ProcessInfo info;
  std::string path = "/proc/" + std::to_string(process) + "/stat";
  FILE *file = fopen(path.c_str(), "r");
  if (!file)
    return info;
  char text[512];
  size_t count = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[count] = 0;
  // 12 (name) S 11 ...; a name may hold brackets.
  const char *begin = strchr(text, '('), *end = strrchr(text, ')');
  if (!begin || !end || end < begin || strlen(end) < 4)
    return info;
  info.name.assign(begin + 1, end);
  info.parent = atoi(end + 4);
  return info;
}

/// The mpirun that has started this process on this node; 0 where none has.
int findLauncher() {
  static constexpr const char *names[] = {
      "mpirun", "mpiexec", "orterun", "prterun", "prte", "mpiexec.hydra"};
  // Between them there may be a shell, or a proxy.
  int process = getppid();
  for (int depth = 0; depth < 8 && process > 1; ++depth) {
    ProcessInfo info = readProcess(process);
    for (const char *name : names)
      if (info.name == name)
        return process;
    process = info.parent;
  }
  return 0;
}

/// Opens the terminal that \p stream of \p process is; -1 where it is none.
int openTerminal(int process, int stream) {
  std::string path =
      "/proc/" + std::to_string(process) + "/fd/" + std::to_string(stream);
  struct stat status;
  // A pipe is not opened: it would have a reader more.
  if (stat(path.c_str(), &status) != 0 || !S_ISCHR(status.st_mode))
    return -1;
  int file = ::open(path.c_str(), O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (file >= 0 && !isatty(file)) {
    close(file);
    return -1;
  }
  return file;
}

int columnsOf(int terminal) {
  winsize size = {};
  return terminal >= 0 && ioctl(terminal, TIOCGWINSZ, &size) == 0 ? size.ws_col
                                                                  : 0;
}

} // namespace

Terminal::~Terminal() {
  if (opened >= 0)
    close(opened);
}

void Terminal::find(bool linesToError) {
  bool byLauncher = readLauncher().launcher != Launcher::None;
  // mpirun may give its ranks terminals of their own as standard output.
  int launcher = byLauncher ? findLauncher() : 0;
  if (isatty(STDERR_FILENO)) {
    bar = barTerminal = STDERR_FILENO;
    if (launcher == 0 && isatty(STDOUT_FILENO))
      lineTerminal = STDOUT_FILENO;
  } else if (launcher > 0)
    findBehind(launcher, linesToError);
  else if (isatty(STDOUT_FILENO))
    bar = barTerminal = lineTerminal = STDOUT_FILENO;
}

void Terminal::findBehind(int launcher, bool linesToError) {
  // Where each line gets its rank in front, a bar would.
  for (const char *name :
       {"OMPI_MCA_orte_tag_output", "OMPI_MCA_orte_timestamp_output"})
    if (environmentText(name))
      return;
  int stream = linesToError ? STDERR_FILENO : STDOUT_FILENO;
  opened = openTerminal(launcher, stream);
  if (opened >= 0) {
    // On the stream of the lines, as two have no order.
    bar = STDOUT_FILENO;
    lineTerminal = barTerminal = opened;
    return;
  }
  opened = openTerminal(launcher, STDERR_FILENO);
  if (opened < 0)
    return;
  bar = STDERR_FILENO;
  barTerminal = opened;
}

int Terminal::lineColumns() const { return columnsOf(lineTerminal); }
int Terminal::barColumns() const { return columnsOf(barTerminal); }

} // namespace tessera::runtime
