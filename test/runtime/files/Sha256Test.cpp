//===- Sha256Test.cpp - Tests of hashes -----------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/files/Sha256.h"
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace tessera::runtime;

namespace {

// The examples of FIPS 180-4's validation, and `sha256sum`.
TEST(Sha256, IsThatOfTheStandard) {
  EXPECT_EQ(sha256(""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, DoesNotDependOnThePieces) {
  std::string text;
  for (int i = 0; i < 200; ++i) {
    Sha256 hash;
    for (size_t at = 0; at < text.size(); at += 1 + i % 70)
      hash.add(std::string_view(text).substr(at, 1 + i % 70));
    EXPECT_EQ(hash.finish(), sha256(text)) << i;
    text += static_cast<char>(i);
  }
}

TEST(Sha256, ReadsFiles) {
  std::string path = testing::TempDir() + "hash." + std::to_string(getpid());
  std::string text(3 << 20, 'x'), error;
  std::ofstream(path) << text << "end";
  EXPECT_EQ(fileSha256(path, "the data ", error), sha256(text + "end"));
  unlink(path.c_str());
  EXPECT_EQ(fileSha256(path, "the data ", error), "");
  EXPECT_NE(error.find("the data '" + path), std::string::npos);
}

} // namespace
