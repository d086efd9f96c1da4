//===- OutputTest.cpp - Tests of files that are written -------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/files/Output.h"
#include "runtime/data/Data.h"
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <regex>
#include <sstream>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace tessera::runtime;
namespace fs = std::filesystem;

namespace {

class Output : public testing::Test {
protected:
  void SetUp() override {
    char pattern[] = "/tmp/tessera-test-XXXXXX";
    folder = mkdtemp(pattern);
  }
  void TearDown() override { fs::remove_all(folder); }

  fs::path file(const std::string &name) const { return folder / name; }

  static void put(const fs::path &path, const std::string &text) {
    std::ofstream(path) << text;
  }
  static std::string contentOf(const fs::path &path) {
    std::ifstream stream(path);
    std::stringstream content;
    content << stream.rdbuf();
    return content.str();
  }
  static void writeWhole(const fs::path &path, const std::string &text) {
    auto bytes = static_cast<int64_t>(text.size());
    OutputFile output;
    EXPECT_TRUE(output.open(path, bytes) && output.write(text.data(), bytes) &&
                output.commit())
        << output.error();
  }
  size_t files() const {
    return std::distance(fs::directory_iterator(folder),
                         fs::directory_iterator());
  }
  void refuses(const fs::path &path, const std::string &reason,
               int64_t bytes = 1) {
    OutputFile output;
    EXPECT_FALSE(output.open(path, bytes)) << path;
    EXPECT_TRUE(std::regex_search(output.error(), std::regex(reason)))
        << output.error();
  }

  fs::path folder;
};

TEST_F(Output, ReplacesAFileAtTheEndAndKeepsItsMode) {
  put(file("w"), "before");
  chmod(file("w").c_str(), 0640);
  OutputFile output;
  ASSERT_TRUE(output.open(file("w"), 5) && output.write("after", 5));
  EXPECT_EQ(contentOf(file("w")), "before");
  EXPECT_EQ(files(), 2u);
  ASSERT_TRUE(output.commit());
  EXPECT_EQ(contentOf(file("w")), "after");
  EXPECT_EQ(files(), 1u);
  EXPECT_EQ(fs::status(file("w")).permissions(), fs::perms(0640));
}

TEST_F(Output, GivesANewFileTheModeThatTheUserWants) {
  mode_t mask = umask(0027);
  writeWhole(file("w"), "text");
  umask(mask);
  EXPECT_EQ(fs::status(file("w")).permissions(), fs::perms(0640));
}

TEST_F(Output, FollowsLinks) {
  fs::create_directory(file("d"));
  put(file("d/real"), "before");
  fs::create_symlink("d/real", file("link"));
  fs::create_symlink("link", file("again"));
  writeWhole(file("again"), "after");
  EXPECT_EQ(contentOf(file("d/real")), "after");
  EXPECT_TRUE(fs::is_symlink(file("link")) && fs::is_symlink(file("again")));
  fs::create_symlink("d/new", file("dangling"));
  writeWhole(file("dangling"), "new");
  EXPECT_EQ(contentOf(file("d/new")), "new");
  fs::create_symlink("circle", file("circle"));
  refuses(file("circle"), "its symbolic links lead nowhere");
}

TEST_F(Output, WritesToAFifoAsItIs) {
  ASSERT_EQ(mkfifo(file("pipe").c_str(), 0600), 0);
  std::string text;
  std::thread reader([&] { text = contentOf(file("pipe")); });
  writeWhole(file("pipe"), "through");
  reader.join();
  EXPECT_EQ(text, "through");
  EXPECT_TRUE(fs::is_fifo(file("pipe")));
  EXPECT_EQ(files(), 1u);
}

// Devices of the test's own: a fault would hit no other.
TEST_F(Output, WritesToADeviceAsItIs) {
  if (mknod(file("null").c_str(), S_IFCHR | 0600, makedev(1, 3)) != 0 ||
      mknod(file("full").c_str(), S_IFCHR | 0600, makedev(1, 7)) != 0 ||
      !std::ofstream(file("null")))
    GTEST_SKIP() << "no right to make devices";
  writeWhole(file("null"), "nothing");
  EXPECT_TRUE(fs::is_character_file(file("null")));
  OutputFile full;
  EXPECT_TRUE(full.open(file("full"), 4));
  EXPECT_FALSE(full.write("text", 4));
  EXPECT_NE(full.error().find("full': No space left on device"),
            std::string::npos);
  EXPECT_EQ(files(), 2u);
}

TEST_F(Output, RefusesWhatItCannotWriteAtOnce) {
  refuses(file("none/w"), "there is no folder '.*none': make it first");
  refuses(folder, "it is a folder: name a file in it");
  refuses(file("w/"), "it is no name of a file");
  refuses(file("w"), "it takes 4.00 TB, and '.*' has .*B left",
          4'000'000'000'000);
  put(file("plain"), "x");
  refuses(file("plain/w"), "Not a directory");
  EXPECT_EQ(files(), 1u) << "nothing is left of those that were refused";
}

TEST_F(Output, RefusesAFileBeyondTheLimitOfItsSize) {
  rlimit before, limit;
  getrlimit(RLIMIT_FSIZE, &before);
  limit = before;
  limit.rlim_cur = 1000;
  auto handler = signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &limit);
  refuses(file("w"), "it takes 5.00 kB, and the limit of", 5000);
  setrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, handler);
  EXPECT_EQ(files(), 0u);
}

// As a container has it that is given a single file.
TEST_F(Output, RefusesAFileThatIsMounted) {
  put(file("outside"), "x");
  put(file("w"), "");
  if (mount(file("outside").c_str(), file("w").c_str(), nullptr, MS_BIND,
            nullptr) != 0)
    GTEST_SKIP() << "no right to mount";
  refuses(file("w"), "something is mounted there");
  umount(file("w").c_str());
  EXPECT_EQ(contentOf(file("outside")), "x");
}

TEST_F(Output, RefusesWhatItsUserMayNotReplace) {
  if (geteuid() != 0)
    GTEST_SKIP() << "no right to be another user";
  for (const char *name : {"shared", "kept"}) {
    put(file(name), "x");
    chmod(file(name).c_str(), *name == 's' ? 0666 : 0644);
  }
  static constexpr uid_t nobody = 65534;
  for (mode_t mode : {0755, 0777, 01777}) {
    chmod(folder.c_str(), mode);
    ASSERT_EQ(seteuid(nobody), 0);
    refuses(file("kept"), "kept': Permission denied");
    if (mode == 0755) {
      refuses(file("new"), "cannot make a file in '.*': Permission denied");
      refuses(file("shared"), "cannot make a file in '.*': Permission denied");
    } else if (mode == 0777) {
      writeWhole(file("shared"), "y");
    } else {
      refuses(file("shared"), "it is another user's");
    }
    ASSERT_EQ(seteuid(0), 0);
    if (mode == 0777) {
      EXPECT_EQ(chown(file("shared").c_str(), 0, 0), 0);
    }
  }
  EXPECT_EQ(files(), 2u);
}

TEST_F(Output, RemovesWhatAKilledProcessHasLeftAndNothingElse) {
  pid_t child = fork();
  if (child == 0) {
    OutputFile left, other;
    left.open(file("w"), 1000);
    other.open(file("v"), 10);
    raise(SIGKILL);
  }
  waitpid(child, nullptr, 0);
  EXPECT_EQ(files(), 2u);
  OutputFile alive;
  ASSERT_TRUE(alive.open(file("w"), 10));
  for (const char *name :
       {"w.tessera-1-1.tmp.old", "w.tessera-x-1.tmp", "w.tmp", "w.tessera-"})
    put(file(name), "a stranger's");
  fs::create_directory(file("w.tessera-7-7.tmp"));
  put(file("elsewhere"), "a stranger's");
  fs::create_symlink("elsewhere", file("w.tessera-8-8.tmp"));
  // Of `w` the killed one's went when `alive` was opened, which stays.
  EXPECT_EQ(files(), 9u);
  writeWhole(file("w"), "text");
  EXPECT_EQ(files(), 10u);
  ASSERT_TRUE(alive.commit());
  EXPECT_EQ(files(), 9u);
}

TEST_F(Output, KnowsAnInputUnderAnyName) {
  put(file("data.bin"), "x");
  put(file("data.idx"), "x");
  put(file("w"), "x");
  fs::create_hard_link(file("data.bin"), file("same"));
  fs::create_symlink("data.idx", file("link"));
  for (const char *data : {"data", "data.bin", "data.idx"})
    for (const char *name : {"same", "link"})
      EXPECT_STREQ(findUse(file(name), dataFiles(file(data))), "the data");
  EXPECT_STREQ(findUse("/proc/self/exe", {}), "this executable");
  EXPECT_EQ(findUse(file("w"), dataFiles(file("data"))), nullptr);
  EXPECT_EQ(findUse(file("none"), {{"the data", file("none")}}), nullptr);
}

// As a handler of signals removes them.
TEST_F(Output, RemovesWhatIsUnfinishedAtOnce) {
  OutputFile first, second;
  ASSERT_TRUE(first.open(file("v"), 10) && second.open(file("w"), 10));
  writeWhole(file("x"), "text");
  EXPECT_EQ(files(), 3u);
  removeUnfinishedOutputs();
  EXPECT_EQ(files(), 1u);
  EXPECT_EQ(contentOf(file("x")), "text");
}

} // namespace
