//===- OutputFolderTest.cpp - Tests of folders that are written -----------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/files/OutputFolder.h"
#include "runtime/files/Output.h"
#include <csignal>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace tessera::runtime;
namespace fs = std::filesystem;

namespace {

class OutputFolderTest : public testing::Test {
protected:
  void SetUp() override {
    char pattern[] = "/tmp/tessera-test-XXXXXX";
    folder = mkdtemp(pattern);
  }
  void TearDown() override { fs::remove_all(folder); }

  size_t entries() const {
    return std::distance(fs::directory_iterator(folder),
                         fs::directory_iterator());
  }
  static void put(const OutputFolder &output, const char *name) {
    std::ofstream(output.fileIn(name)) << name;
  }
  void refuses(const fs::path &path, const std::string &reason) {
    OutputFolder output;
    EXPECT_FALSE(output.open(path));
    EXPECT_NE(output.error().find(reason), std::string::npos) << output.error();
  }

  fs::path folder;
};

TEST_F(OutputFolderTest, AppearsWhole) {
  fs::create_directory(folder / "empty");
  fs::create_directory_symlink("empty", folder / "link");
  for (const char *name : {"new", "new-with-slash/", "link"}) {
    OutputFolder output;
    ASSERT_TRUE(output.open(folder / name)) << output.error();
    put(output, "a");
    EXPECT_FALSE(fs::exists(folder / name / "a"));
    ASSERT_TRUE(output.commit()) << output.error();
    EXPECT_TRUE(fs::exists(folder / name / "a"));
  }
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(entries(), 4u);
}

TEST_F(OutputFolderTest, LeavesNothingWithoutCommit) {
  {
    OutputFolder output;
    ASSERT_TRUE(output.open(folder / "x"));
    put(output, "a");
    EXPECT_EQ(entries(), 1u);
  }
  EXPECT_EQ(entries(), 0u);
}

TEST_F(OutputFolderTest, GoesWithAProcessThatIsKilledOrExits) {
  for (bool killed : {false, true}) {
    pid_t child = fork();
    if (child == 0) {
      OutputFolder output;
      OutputFile file;
      if (!output.open(folder / "x") || !file.open(output.fileIn("a"), 8))
        _exit(1);
      if (killed)
        raise(SIGKILL);
      removeUnfinishedOutputs();
      _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    EXPECT_EQ(entries(), killed ? 1u : 0u);
  }
  // The next one of the name finds what the killed one has left, and not what a
  // living one is making.
  OutputFolder first, second;
  ASSERT_TRUE(first.open(folder / "x"));
  EXPECT_EQ(entries(), 1u);
  ASSERT_TRUE(second.open(folder / "x"));
  EXPECT_EQ(entries(), 2u);
  put(first, "a");
  ASSERT_TRUE(first.commit()) << first.error();
  put(second, "b");
  EXPECT_FALSE(second.commit());
  EXPECT_NE(second.error().find("has got files in the meantime"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(folder / "x" / "b"));
}

TEST_F(OutputFolderTest, RefusesWhatItWouldSpoil) {
  std::ofstream(folder / "file") << "x";
  fs::create_directory(folder / "full");
  std::ofstream(folder / "full" / "x") << "x";
  fs::create_symlink("circle", folder / "circle");
  refuses(folder / "file", "it is no folder");
  refuses(folder / "full", "the folder has files");
  refuses(folder / "none" / "x", "make it first");
  refuses(folder / "circle", "lead nowhere");
  EXPECT_EQ(entries(), 3u);
}

} // namespace
