//===- Handshake.h - Whether a peer is of this run --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rank 0 and whoever connects prove to each other that they know the run's
// secret, without saying it:
//
//   rank 0 -> peer   Hello with a challenge
//   peer -> rank 0   Hello with a challenge of its own, Proof
//   rank 0 -> peer   Proof
//   peer -> rank 0   one byte: it takes part
//
// A proof is the HMAC-SHA256 of who proves and of both hellos, under a key made
// from the secret. Fresh challenges of both sides make an old proof worthless,
// and the side within it one that is sent back. The peer proves first, so a
// stranger who connects learns nothing that the secret went into. The
// connection itself is neither encrypted nor sealed.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMM_HANDSHAKE_H
#define TESSERA_RUNTIME_COMM_HANDSHAKE_H

#include "runtime/comm/Launch.h"
#include <array>
#include <cstddef>
#include <cstdint>

namespace tessera::runtime {

/// What each side says first.
struct Hello {
  char magic[8];
  int32_t rank, ranks;
  std::array<unsigned char, 32> challenge; ///< random, of this connection alone
};

using Proof = std::array<unsigned char, 32>;

/// What a peer sends: the last byte once it has rank 0's proof.
struct Answer {
  Hello hello;
  Proof proof;
  char ready;
};
/// Of an answer up to its proof, and of a whole one.
inline constexpr size_t provenBytes = offsetof(Answer, ready),
                        answerBytes = provenBytes + 1;
static_assert(provenBytes == 80, "the same on all ranks");

class Handshake {
public:
  /// The secret is TESSERA_SECRET. Ranks of one node may do without: they meet
  /// where the network does not reach, and the job's name keeps runs apart.
  /// Exits the process with the remedy where several nodes have none.
  explicit Handshake(const Launch &launch);

  Hello hello() const;
  /// Whether \p other is what a rank of this run says, rank 0 if \p isRoot and
  /// any other rank if not.
  bool fits(const Hello &other, bool isRoot) const;
  /// The proof of rank 0 if \p byRoot, else the peer's.
  Proof prove(bool byRoot, const Hello &root, const Hello &peer) const;
  /// Takes the same time whichever bytes differ.
  bool isProven(const Proof &proof, bool byRoot, const Hello &root,
                const Hello &peer) const;
  bool hasSecret() const { return secret; }

private:
  int rank, ranks;
  bool secret;
  std::array<unsigned char, 32> key;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMM_HANDSHAKE_H
