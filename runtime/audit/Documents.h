//===- Documents.h - Attacks on models of text ------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_AUDIT_DOCUMENTS_H
#define TESSERA_RUNTIME_AUDIT_DOCUMENTS_H

#include <cstdint>
#include <span>
#include <vector>

namespace tessera::runtime {

/// What a model says of a document: for each token but the first, which
/// nothing predicts.
struct DocumentLikelihood {
  /// The logarithm of the probability that the model gave the token.
  std::vector<float> logProbability;
  /// The mean and the deviation of the logarithms of the probabilities of all
  /// tokens there, weighted by the probabilities: what logProbability would be
  /// on average were the token drawn from the model. Empty where
  /// minKPlusPlusScore() is not asked for.
  std::vector<float> mean, deviation;
};

// Scores: the higher, the likelier the document was trained on. A document has
// at least one token that is predicted.

/// The negated loss (Yeom et al., "Privacy risk in machine learning", CSF
/// 2018).
double lossScore(const DocumentLikelihood &document);

/// The negated loss over the bytes that zlib compresses the document's text to,
/// \p compressedBytes (Carlini et al., "Extracting training data from large
/// language models", USENIX Security 2021, section 5).
double compressionScore(const DocumentLikelihood &document,
                        int64_t compressedBytes);

/// Min-K %: the mean of the \p share of the tokens that are the least likely,
/// at least one (Shi et al., "Detecting pretraining data from large language
/// models", ICLR 2024).
double minKScore(const DocumentLikelihood &document, double share = 0.2);

/// Min-K %++: the same of (logProbability - mean) / deviation (Zhang et al.,
/// "Min-K%++: improved baseline for detecting pre-training data", ICLR 2025).
/// Where the deviation is 0, the model is sure, and the token counts 0.
double minKPlusPlusScore(const DocumentLikelihood &document,
                         double share = 0.2);

/// The reference's loss minus the model's, which takes out how hard a document
/// is (Watson et al., "On the importance of difficulty calibration in
/// membership inference attacks", ICLR 2022). Both read the same tokens.
double referenceScore(const DocumentLikelihood &document,
                      const DocumentLikelihood &reference);

/// The mean and deviation that DocumentLikelihood holds, from the \p logits of
/// all tokens at one place.
struct TokenMoments {
  double mean = 0, deviation = 0;
};
TokenMoments tokenMoments(std::span<const float> logits);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_AUDIT_DOCUMENTS_H
