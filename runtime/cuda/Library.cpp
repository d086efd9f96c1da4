//===- Library.cpp - Shared libraries opened at run time ------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/cuda/Library.h"
#include "runtime/core/Environment.h"
#include "runtime/core/Error.h"
#include <algorithm>
#include <climits>
#include <cstdlib>
#include <dlfcn.h>
#include <glob.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tessera::runtime::cuda {

/// Appends the folders that \p pattern names, the last name first.
static void addFolders(std::vector<std::string> &folders,
                       const std::string &pattern) {
  glob_t found;
  if (glob(pattern.c_str(), GLOB_ONLYDIR, nullptr, &found) == 0)
    for (size_t i = found.gl_pathc; i > 0; --i)
      if (std::string path = found.gl_pathv[i - 1];
          std::find(folders.begin(), folders.end(), path) == folders.end())
        folders.push_back(path);
  globfree(&found);
}

std::vector<std::string> searchFolders() {
  std::vector<std::string> folders;
  auto fromVariable = [&](const char *variable, auto add) {
    if (const char *value = environmentText(variable))
      add(std::string(value));
  };
  auto addToolkit = [&](const std::string &root) {
    for (const char *part : {"/lib64", "/lib", "/targets/*-linux/lib"})
      addFolders(folders, root + part);
  };
  auto addPackages = [&](const std::string &root) {
    for (const char *part :
         {"/lib/python3*/site-packages", "/lib/python3*/dist-packages",
          "/lib/python3/dist-packages"})
      addFolders(folders, root + part + "/nvidia/*/lib");
  };
  fromVariable("CUDA_HOME", addToolkit);
  fromVariable("CUDA_PATH", addToolkit);
  fromVariable("VIRTUAL_ENV", addPackages);
  fromVariable("CONDA_PREFIX", [&](const std::string &root) {
    addFolders(folders, root + "/lib");
    addPackages(root);
  });
  addToolkit("/usr/local/cuda");
  addToolkit("/usr/local/cuda-*");
  fromVariable("HOME",
               [&](const std::string &home) { addPackages(home + "/.local"); });
  addPackages("/usr/local");
  addPackages("/usr");
  return folders;
}

Library::Library(const char *name, const char *remedy) : name(name) {
  handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  std::string looked = "the loader's path";
  for (const std::string &folder :
       handle ? std::vector<std::string>() : searchFolders()) {
    looked += ", " + folder;
    std::string path = folder + "/" + name;
    if (access(path.c_str(), F_OK) != 0)
      continue;
    handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle)
      fatal("cannot open %s (%s): this executable trains on an NVIDIA GPU; %s",
            path.c_str(), dlerror(), remedy);
    break;
  }
  if (!handle)
    fatal("cannot open %s: this executable trains on an NVIDIA GPU; %s. Looked "
          "in %s",
          name, remedy, looked.c_str());
  link_map *map = nullptr;
  dlinfo(handle, RTLD_DI_LINKMAP, &map);
  where = map->l_name;
}

void *Library::find(const char *function) const {
  void *address = dlsym(handle, function);
  if (!address)
    fatal("%s has no function %s: it is too old; install a newer one",
          where.c_str(), function);
  return address;
}

void Library::fail(const char *function, int error) const {
  const char *text = describeError ? describeError(error) : nullptr;
  fatal("%s failed: %s (error %d of %s)", function, text ? text : "no reason",
        error, name);
}

} // namespace tessera::runtime::cuda
