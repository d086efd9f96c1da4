//===- Handshake.cpp - Whether a peer is of this run ----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/Handshake.h"
#include "runtime/core/Environment.h"
#include "runtime/core/Error.h"
#include <cstring>
#include <initializer_list>
#include <sodium.h>
#include <string_view>

namespace tessera::runtime {
namespace {

constexpr char magic[8] = "tessera";

static_assert(sizeof(Proof) == crypto_auth_hmacsha256_BYTES);

std::string_view bytesOf(const Hello &hello) {
  return {reinterpret_cast<const char *>(&hello), sizeof hello};
}

/// HMAC-SHA256 of the parts one behind the other.
std::array<unsigned char, 32>
authenticate(std::string_view key,
             std::initializer_list<std::string_view> parts) {
  auto bytes = [](std::string_view text) {
    return reinterpret_cast<const unsigned char *>(text.data());
  };
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, bytes(key), key.size());
  for (std::string_view part : parts)
    crypto_auth_hmacsha256_update(&state, bytes(part), part.size());
  std::array<unsigned char, 32> sum;
  crypto_auth_hmacsha256_final(&state, sum.data());
  return sum;
}

} // namespace

Handshake::Handshake(const Launch &launch)
    : rank(launch.rank), ranks(launch.size) {
  if (sodium_init() < 0)
    fatal("libsodium cannot start: the system gives no random numbers");
  const char *text = secretText();
  secret = text != nullptr;
  if (!secret && !launch.isOneNode()) {
    giveRootALead();
    fatal("the ranks are on several nodes and have no secret by which they "
          "know each other: set TESSERA_SECRET to the same for all of them, "
          "such as the output of 'openssl rand -hex 32', before srun, on each "
          "node before torchrun, or with 'mpirun -x TESSERA_SECRET'");
  }
  key = authenticate(secret ? text : "", {"tessera rendezvous 1 ", launch.job});
}

Hello Handshake::hello() const {
  Hello hello = {};
  memcpy(hello.magic, magic, sizeof magic);
  hello.rank = rank;
  hello.ranks = ranks;
  randombytes_buf(hello.challenge.data(), hello.challenge.size());
  return hello;
}

bool Handshake::fits(const Hello &other, bool isRoot) const {
  return memcmp(other.magic, magic, sizeof magic) == 0 &&
         other.ranks == ranks && other.rank >= 0 && other.rank < ranks &&
         (other.rank == 0) == isRoot;
}

Proof Handshake::prove(bool byRoot, const Hello &root,
                       const Hello &peer) const {
  return authenticate({reinterpret_cast<const char *>(key.data()), key.size()},
                      {byRoot ? "root" : "peer", bytesOf(root), bytesOf(peer)});
}

bool Handshake::isProven(const Proof &proof, bool byRoot, const Hello &root,
                         const Hello &peer) const {
  Proof expected = prove(byRoot, root, peer);
  return sodium_memcmp(proof.data(), expected.data(), expected.size()) == 0;
}

} // namespace tessera::runtime
