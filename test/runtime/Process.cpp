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

bool Process::waitFor(const std::string &part) {
  while (true) {
    bool last = poll();
    if (text().find(part) != std::string::npos)
      return true;
    if (last)
      return false;
    usleep(5000);
  }
}

Result Process::finish(double seconds) {
  auto begin = std::chrono::steady_clock::now();
  while (!poll()) {
    std::chrono::duration<double> waited =
        std::chrono::steady_clock::now() - begin;
    if (waited.count() > seconds)
      kill(child, SIGKILL);
    usleep(2000);
  }
  Result result;
  result.code =
      WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.text = text();
  return result;
}

Result run(const std::vector<std::string> &command,
           const std::vector<std::string> &environment) {
  return Process(command, environment).finish();
}

std::vector<pid_t> childrenOf(pid_t parent) {
  std::vector<pid_t> children;
  DIR *stream = opendir("/proc");
  while (dirent *entry = readdir(stream)) {
    std::ifstream file(std::string("/proc/") + entry->d_name + "/stat");
    std::string line;
    if (!std::getline(file, line))
      continue;
    pid_t own = atoi(entry->d_name), above = 0;
    char state;
    size_t name = line.rfind(')');
    if (name != std::string::npos &&
        sscanf(line.c_str() + name + 1, " %c %d", &state, &above) == 2 &&
        above == parent)
      children.push_back(own);
  }
  closedir(stream);
  return children;
}
