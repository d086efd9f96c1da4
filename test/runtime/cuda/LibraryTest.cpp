//===- LibraryTest.cpp - Tests of opening libraries -----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/cuda/Library.h"
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

using namespace tessera::runtime::cuda;
namespace fs = std::filesystem;

namespace {

class LibraryTest : public testing::Test {
protected:
  void SetUp() override {
    char pattern[] = "/tmp/tessera-library-XXXXXX";
    folder = mkdtemp(pattern);
    for (const char *variable :
         {"CUDA_HOME", "CUDA_PATH", "VIRTUAL_ENV", "CONDA_PREFIX"})
      unsetenv(variable);
  }
  void TearDown() override { fs::remove_all(folder); }

  /// A library under another name in \p place of the folder.
  std::string put(const std::string &place) {
    fs::create_directories(folder / place);
    fs::copy_file(FAKE_CUDA_FOLDER "/libcuda.so.1",
                  folder / place / "libtile.so.7");
    return (folder / place / "libtile.so.7").string();
  }

  fs::path folder;
};

using LibraryDeathTest = LibraryTest;

TEST_F(LibraryTest, LiesInAToolkitOrInPackages) {
  struct Layout {
    const char *variable, *place;
  };
  for (auto [variable, place] :
       {Layout{"CUDA_HOME", "lib64"},
        Layout{"CUDA_PATH", "targets/x86_64-linux/lib"},
        Layout{"VIRTUAL_ENV", "lib/python3.12/site-packages/nvidia/cu13/lib"},
        Layout{"CONDA_PREFIX", "lib"}}) {
    std::string path = put(place);
    setenv(variable, folder.c_str(), 1);
    Library library("libtile.so.7", "install it");
    EXPECT_EQ(library.path(), path);
    EXPECT_NE(library.find("cuInit"), nullptr);
    unsetenv(variable);
    fs::remove_all(folder / place);
  }
}

TEST_F(LibraryDeathTest, SaysWhatIsMissingAndWhereItLooked) {
  put("lib64");
  setenv("CUDA_HOME", folder.c_str(), 1);
  EXPECT_EXIT(Library("libnone.so.3", "install none"),
              testing::ExitedWithCode(1),
              "cannot open libnone.so.3: this executable trains on an NVIDIA "
              "GPU; install none. Looked in the loader's path, " +
                  folder.string() + "/lib64");
  EXPECT_EXIT(Library("libtile.so.7", "").find("cuTile"),
              testing::ExitedWithCode(1),
              "lib64/libtile.so.7 has no function cuTile: it is too old");
  std::ofstream(folder / "lib64/libtile.so.7") << "damaged";
  EXPECT_EXIT(Library("libtile.so.7", "install it"), testing::ExitedWithCode(1),
              "cannot open .*lib64/libtile.so.7");
  unsetenv("CUDA_HOME");
}

} // namespace
