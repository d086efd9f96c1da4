//===- ModuleWriter.h - Writes modules of phase `model` ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_MODELS_MODULEWRITER_H
#define TESSERA_FRONTENDS_MODELS_MODULEWRITER_H

#include "dialects/nn/NN.h"
#include "frontends/Specification.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

#include <optional>

namespace tessera {

/// How a parameter starts.
struct Initializer {
  nn::Init kind;
  double value;

  static Initializer normal(double std) { return {nn::Init::Normal, std}; }
  static Initializer uniform(double bound) {
    return {nn::Init::Uniform, bound};
  }
  static Initializer constant(double value) {
    return {nn::Init::Constant, value};
  }
};

/// A range of a parameter's rows (dimension 0) that files of weights hold as a
/// tensor of its own.
struct ParameterPart {
  std::string name;
  int64_t rows;
};

/// A named argument or result of a function.
struct Port {
  llvm::StringRef name;
  mlir::Type type;
  /// An argument that the runtime fills once, before the first step.
  bool filledOnce = false;
  /// An argument that is no input of a program that does not read it.
  bool onlyIfRead = false;
  /// An argument's: the input that counts its rows; empty where all are there.
  llvm::StringRef counted = "";
};

/// What a matrix is for, which may decide how programs that only read it have
/// it.
enum class MatrixKind {
  Linear,   ///< of a linear layer
  Embedding ///< of tokens, or of the logits
};

/// The rows of a function that generates: tokens of several texts, whose keys
/// and values are kept in slots (NNGenerationOps.td).
struct CachedRows {
  /// Of each row its slot and its position in the slot's text; how many rows
  /// there are.
  mlir::Value slots, positions, count;
  int64_t slotCount, context; ///< texts, and most tokens of each
  /// Whether all rows are of one slot, at positions that follow one another.
  bool areOfOneSlot;
  bool keepsBytes; ///< 8-bit integers with scales
};

/// Writes parameters and functions into a module; the values of a function
/// are activations of shape [rows, features] in fp32.
class ModuleWriter {
public:
  explicit ModuleWriter(mlir::ModuleOp module);

  mlir::OpBuilder &builder() { return ops; }
  mlir::Location loc() { return ops.getUnknownLoc(); }
  mlir::RankedTensorType f32(llvm::ArrayRef<int64_t> shape);
  mlir::RankedTensorType i32(llvm::ArrayRef<int64_t> shape);

  /// Declares parameter \p name in \p group. Matrices decay, vectors do not.
  /// Its \p parts, if any, are all its rows in order.
  void parameter(llvm::StringRef name, llvm::ArrayRef<int64_t> shape,
                 Initializer initializer, llvm::StringRef group,
                 llvm::ArrayRef<ParameterPart> parts = {}) {
    declare(name, shape, initializer, group, parts, std::nullopt);
  }
  /// The same of a matrix whose dimension \p inner matmuls sum along.
  void matrix(MatrixKind kind, llvm::StringRef name,
              llvm::ArrayRef<int64_t> shape, int64_t inner,
              Initializer initializer, llvm::StringRef group,
              llvm::ArrayRef<ParameterPart> parts = {}) {
    declare(name, shape, initializer, group, parts,
            llvm::is_contained(inBlocks, kind) ? std::optional(inner)
                                               : std::nullopt);
  }
  /// Functions read matrices of \p kind as 8-bit integers in blocks
  /// (NNQuantizedOps.td). Said before they are declared.
  void readInBlocks(MatrixKind kind) { inBlocks.push_back(kind); }

  /// Begins function \p name; until it ends, operations are written into it.
  /// Returns its arguments.
  llvm::SmallVector<mlir::Value> begin(llvm::StringRef name,
                                       llvm::ArrayRef<Port> inputs,
                                       llvm::ArrayRef<Port> outputs);
  void end(mlir::ValueRange results);
  /// The ranks that train run what the function that was begun computes, too,
  /// between steps (whileTrainingAttrName).
  void runWhileTraining();

  /// What dropout draws from in the function that was begun, which is run in
  /// training: until it ends, dropout() drops. Its rows are the tokens of
  /// \p samples texts, or the nodes of a graph where that is 0. The function
  /// gets the inputs that this takes once something draws.
  void beginDropout(int64_t samples = 0);
  /// What follows has rows of its own: row i is that of sample \p ids[i].
  void setSamples(mlir::Value ids) { sampleInput = ids; }
  /// \p x has rows of other nodes than a layer's edges end at, and those nodes'
  /// are \p targets.
  void setTargets(mlir::Value x, mlir::Value targets) {
    targetRows = {x, targets};
  }
  /// Layers' edges end at the nodes with the numbers \p nodes: rows of these
  /// are taken by takeTargets(). Null: at all nodes, or at the first ones.
  void setTargetNodes(mlir::Value nodes) { targetNodes = nodes; }
  mlir::Value getTargetNodes() const { return targetNodes; }
  /// The second where \p x is the first; else null.
  mlir::Value targetsOf(mlir::Value x) const {
    return x == targetRows.first ? targetRows.second : mlir::Value();
  }
  /// \p input, rows of features, with elements dropped at \p rate: see
  /// nn.dropout. The input itself in a function without dropout, as of
  /// evaluation and prediction, and where \p rate is 0.
  mlir::Value dropout(mlir::Value input, double rate);
  /// The operands of an operation that draws, by the name that these have in
  /// nn.random_bits; null in a function without dropout or at rate 0. Each call
  /// is another draw, numbered in the order of the calls.
  struct Draw {
    mlir::Value stream, samples;
    explicit operator bool() const { return static_cast<bool>(stream); }
    /// Those that are there.
    llvm::SmallVector<mlir::Value, 2> operands() const {
      llvm::SmallVector<mlir::Value, 2> all;
      for (mlir::Value value : {stream, samples})
        if (value)
          all.push_back(value);
      return all;
    }
  };
  Draw draw(double rate);

  /// The input of the function that was begun that holds the table of rotary
  /// positions, [2, \p length, \p half], which the runtime fills once. Where
  /// rows are tokens in slots: a row's own position of the table for each.
  mlir::Value rotaryTable(int64_t length, int64_t half);

  /// The rows of the function that was begun are \p rows until it ends.
  void beginCached(CachedRows rows) { cached = rows; }
  /// Of the rows that are multiplied from here on \p count are there.
  void countRows(mlir::Value count) { cached->count = count; }
  /// Null where rows are whole texts, one after another.
  const CachedRows *getCachedRows() const {
    return cached ? &*cached : nullptr;
  }
  /// The input \p count counts the rows of the function that was begun
  /// (rowCountAttrName).
  void setRowCount(llvm::StringRef count);
  /// The cache of the next layer that attends, which has \p keyHeads heads of
  /// \p headDim columns, and that of its scales where it keeps bytes.
  std::pair<nn::CacheOp, nn::CacheOp> nextCache(int64_t keyHeads,
                                                int64_t headDim);

  /// The value of parameter \p name, which is not read in blocks.
  mlir::Value use(llvm::StringRef name);
  /// \p x, [rows, inner], times the matrix \p name or its transpose.
  mlir::Value multiply(mlir::Value x, llvm::StringRef name, bool isTransposed);
  /// \p x, [rows, inner], times the transpose of rows [begin, begin + count) of
  /// the matrix \p name, whose tiles they are where it is read in blocks
  /// (WeightBlocks.h).
  mlir::Value multiplyByRows(mlir::Value x, llvm::StringRef name, int64_t begin,
                             int64_t count);
  /// Rows of the matrix \p table by their \p numbers, of any shape.
  mlir::Value gather(llvm::StringRef table, mlir::Value numbers);

  /// The first \p count rows of \p input.
  mlir::Value takeRows(mlir::Value input, int64_t count);
  mlir::Value reshape(mlir::Value input, llvm::ArrayRef<int64_t> shape);
  /// \p input plus \p bias, the same for each row.
  mlir::Value addBias(mlir::Value input, mlir::Value bias);
  mlir::Value add(mlir::Value a, mlir::Value b);

  /// \p loss, a share of the objective, plus the same share of the
  /// specification's L2 penalty, so that all ranks' micro-batches add up to it;
  /// of the weights in \p groups, if any are given.
  mlir::Value addPenalty(mlir::Value loss, const Specification &specification,
                         llvm::ArrayRef<std::string> groups = {});

private:
  void declare(llvm::StringRef name, llvm::ArrayRef<int64_t> shape,
               Initializer initializer, llvm::StringRef group,
               llvm::ArrayRef<ParameterPart> parts,
               std::optional<int64_t> blocksAlong);
  mlir::Value addInput(llvm::StringRef name, mlir::RankedTensorType type,
                       bool filledOnce = false);
  void endDropout();
  /// \p x times \p matrix, bytes if it \p isInBlocks.
  mlir::Value multiply(mlir::Value x, mlir::Value matrix, int64_t columns,
                       bool isTransposed, bool isInBlocks);

  mlir::ModuleOp module;
  mlir::OpBuilder ops;
  mlir::SymbolTable symbols;
  llvm::SmallVector<MatrixKind, 2> inBlocks;
  mlir::func::FuncOp function; ///< that was begun
  bool drops = false;          ///< whether it has dropout
  int64_t samplesOfBatch = 0;
  int64_t draws = 0; ///< so far
  mlir::Value drawInput, sampleInput, rotaryInput;
  std::pair<mlir::Value, mlir::Value> targetRows;
  mlir::Value targetNodes;
  std::optional<CachedRows> cached;
  int64_t caches = 0; ///< of the function so far
};

} // namespace tessera

#endif // TESSERA_FRONTENDS_MODELS_MODULEWRITER_H
