//===- HandshakeTest.cpp - Tests of proofs of a secret --------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/Handshake.h"
#include "test/runtime/comm/Ranks.h"
#include <cstring>
#include <gtest/gtest.h>

using namespace tessera::runtime;

namespace {

constexpr const char *secret = "0123456789abcdef0123456789abcdef";

/// The side of rank \p rank of three on two nodes.
Handshake sideOf(int rank, const char *secret, const char *job = "job") {
  setEnvironment({{"TESSERA_SECRET", secret}});
  Launch launch;
  launch.rank = rank;
  launch.size = 3;
  launch.localSize = 2;
  launch.job = job;
  return Handshake(launch);
}

Hello helloOf(int rank, unsigned char challenge) {
  Hello hello = {"tessera", rank, 3, {}};
  hello.challenge.fill(challenge);
  return hello;
}

std::string hexadecimal(const Proof &proof) {
  std::string text;
  for (unsigned char byte : proof) {
    char digits[3];
    snprintf(digits, sizeof digits, "%02x", byte);
    text += digits;
  }
  return text;
}

// Python's hmac: key = HMAC(secret, "tessera rendezvous 1 " + job), proof =
// HMAC(key, side + root + peer), a hello as struct's "<8sii32s".
TEST(Handshake, ProvesByHmacSha256) {
  Handshake side = sideOf(0, secret);
  EXPECT_EQ(hexadecimal(side.prove(true, helloOf(0, 1), helloOf(2, 2))),
            "e1efac791541cfc426f34c6ca2995047d5645d85d0028bf69cd570be45a6d53a");
  EXPECT_EQ(hexadecimal(side.prove(false, helloOf(0, 1), helloOf(2, 2))),
            "a15829f47725575533f450d3d537f0502256be2b96a9c9a68c49b5ca568a38f2");
}

TEST(Handshake, TakesTheProofOfTheSameRunAlone) {
  Handshake root = sideOf(0, secret), peer = sideOf(2, secret);
  Hello mine = root.hello(), its = peer.hello();
  EXPECT_TRUE(peer.fits(mine, true));
  EXPECT_TRUE(root.fits(its, false));
  EXPECT_TRUE(root.isProven(peer.prove(false, mine, its), false, mine, its));
  EXPECT_TRUE(peer.isProven(root.prove(true, mine, its), true, mine, its));
  // Another secret, and another run with the same one.
  EXPECT_FALSE(root.isProven(
      sideOf(2, "another-secret-of-32-characters!").prove(false, mine, its),
      false, mine, its));
  EXPECT_FALSE(root.isProven(sideOf(2, secret, "other").prove(false, mine, its),
                             false, mine, its));
  // Any byte that differs.
  Proof proof = peer.prove(false, mine, its);
  for (unsigned char &byte : proof) {
    byte ^= 1;
    EXPECT_FALSE(root.isProven(proof, false, mine, its));
    byte ^= 1;
  }
}

TEST(Handshake, AnOldProofIsWorthless) {
  Handshake root = sideOf(0, secret), peer = sideOf(2, secret);
  Hello mine = root.hello(), its = peer.hello();
  Proof old = peer.prove(false, mine, its);
  Hello fresh = root.hello();
  EXPECT_NE(mine.challenge, fresh.challenge);
  EXPECT_NE(its.challenge, peer.hello().challenge);
  EXPECT_FALSE(root.isProven(old, false, fresh, its));
  // Nor does it serve another rank.
  Hello other = its;
  other.rank = 1;
  EXPECT_FALSE(root.isProven(old, false, mine, other));
}

TEST(Handshake, AProofSentBackIsWorthless) {
  Handshake root = sideOf(0, secret), peer = sideOf(2, secret);
  Hello mine = root.hello(), its = peer.hello();
  EXPECT_FALSE(peer.isProven(peer.prove(false, mine, its), true, mine, its));
  EXPECT_FALSE(root.isProven(root.prove(true, mine, its), false, mine, its));
  // Nor is a side's own hello taken for the other's.
  EXPECT_FALSE(root.fits(mine, false));
  EXPECT_FALSE(peer.fits(its, true));
}

TEST(Handshake, OtherHellosDoNotFit) {
  Handshake root = sideOf(0, secret);
  Hello good = helloOf(2, 0);
  EXPECT_TRUE(root.fits(good, false));
  for (int rank : {-1, 0, 3})
    EXPECT_FALSE(root.fits(helloOf(rank, 0), false)) << rank;
  Hello hello = good;
  hello.ranks = 4;
  EXPECT_FALSE(root.fits(hello, false));
  hello = good;
  hello.magic[7] = 1;
  EXPECT_FALSE(root.fits(hello, false));
}

using HandshakeDeathTest = testing::Test;

TEST(HandshakeDeathTest, SeveralNodesNeedASecret) {
  EXPECT_EXIT(sideOf(0, ""), testing::ExitedWithCode(1),
              "the ranks are on several nodes and have no secret .* set "
              "TESSERA_SECRET to the same for all of them");
  EXPECT_EXIT(sideOf(0, "0123456789abcdef0123456789abcde"),
              testing::ExitedWithCode(1),
              "TESSERA_SECRET has 31 characters: it takes at least 32");
  setEnvironment({});
  Launch launch;
  launch.size = launch.localSize = 3;
  EXPECT_FALSE(Handshake(launch).hasSecret());
}

} // namespace
