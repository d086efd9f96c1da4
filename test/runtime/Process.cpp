//===- Process.cpp - Running executables in tests -------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/runtime/Process.h"
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

Process::Process(const std::vector<std::string> &command,
                 const std::vector<std::string> &environment) {
  static std::atomic<int> number{0};
  path = testing::TempDir() + "output." + std::to_string(getpid()) + "." +
         std::to_string(++number);
  std::vector<char *> arguments;
  for (const std::string &word : command)
    arguments.push_back(const_cast<char *>(word.c_str()));
  arguments.push_back(nullptr);
  int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
  child = fork();
  if (child == 0) {
    // mpirun in a container, where tests are the root's.
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
    setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
    for (const std::string &pair : environment)
      putenv(const_cast<char *>(pair.c_str()));
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    close(STDIN_FILENO);
    open("/dev/null", O_RDONLY);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  close(file);
}

Process::~Process() {
  if (!ended) {
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
  unlink(path.c_str());
}

std::string Process::text() const {
  std::ifstream file(path);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

bool Process::poll() {
  if (!ended)
    ended = waitpid(child, &status, WNOHANG) == child;
  return ended;
}

bool Process::waitFor(const std::string &part, double seconds) {
  for (double waited = 0; waited < seconds; waited += 0.01) {
    bool last = poll();
    if (text().find(part) != std::string::npos)
      return true;
    if (last)
      return false;
    usleep(10000);
  }
  return false;
}

Result Process::finish(double seconds) {
  auto begin = std::chrono::steady_clock::now();
  Result result;
  while (!poll()) {
    result.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
            .count();
    if (result.seconds > seconds)
      kill(child, SIGKILL);
    usleep(2000);
  }
  result.code =
      WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.text = text();
  return result;
}

Result run(const std::vector<std::string> &command,
           const std::vector<std::string> &environment) {
  return Process(command, environment).finish();
}

/// The state and the parent of a process; false where there is none.
static bool statusOf(const std::string &process, char &state, pid_t &parent) {
  std::ifstream file("/proc/" + process + "/stat");
  std::string line;
  if (!std::getline(file, line))
    return false;
  // The name before them may hold anything but ends in the last bracket.
  size_t name = line.rfind(')');
  return name != std::string::npos &&
         sscanf(line.c_str() + name + 1, " %c %d", &state, &parent) == 2;
}

bool endsWithin(pid_t process, double seconds) {
  char state;
  pid_t parent;
  for (double waited = 0; waited < seconds; waited += 0.01) {
    if (!statusOf(std::to_string(process), state, parent) || state == 'Z')
      return true;
    usleep(10000);
  }
  return false;
}

std::vector<pid_t> childrenOf(pid_t wanted) {
  std::vector<pid_t> children;
  DIR *stream = opendir("/proc");
  while (dirent *entry = readdir(stream)) {
    char state;
    pid_t parent;
    if (statusOf(entry->d_name, state, parent) && parent == wanted)
      children.push_back(atoi(entry->d_name));
  }
  closedir(stream);
  return children;
}
