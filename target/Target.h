//===- Target.h - What the compiler asks of a target ------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A target is what executables are written for: CPUs, or NVIDIA GPUs. Phases
// and reports ask for the one that a module's specification names and never
// which one it is. A new target is a folder below codegen/ and one line that
// registers it.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TARGET_TARGET_H
#define TESSERA_TARGET_TARGET_H

#include "dialects/spec/Spec.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "target/GemmShape.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/JSON.h"
#include <memory>
#include <string>
#include <vector>

namespace tessera {

namespace nn {
class CachedAttentionOp;
} // namespace nn

/// What is known of a node, before a machine is given. Rates are those of the
/// whole node.
struct NodeFigures {
  std::string name;                   ///< "A100"; empty: cores of any kind
  double fp32, bf16;                  ///< Gflop/s, multiply-adds counted as two
  double fp32Share, bf16Share;        ///< that GEMMs reach
  double memory, cache, cacheMiB;     ///< GB/s, GB/s, MiB
  double launch;                      ///< microseconds
  double intraNodeLatency, intraNode; ///< between its ranks: microseconds, GB/s
  double interNodeLatency, interNode; ///< to other nodes
};

/// The bytes of an object file.
using ObjectFile = llvm::SmallString<0>;

/// What an executable is linked from, beside its object and the runtime.
struct LinkParts {
  /// "device_host" is lib/tessera/libtessera_device_host.a beside bin.
  std::vector<std::string> archives;
  /// Arguments of the linker; an absolute path is a library's.
  std::vector<std::string> libraries;

  /// Adds those of \p others that are not among these yet.
  void add(const LinkParts &others);
};

/// Reports what is wrong with a specification: the path of its field, what,
/// and how to mend it.
using SpecificationReport = llvm::function_ref<void(
    llvm::StringRef path, const llvm::Twine &what, const llvm::Twine &remedy)>;

class Target {
public:
  explicit Target(llvm::StringRef name) : name(name) {}
  virtual ~Target();

  /// As the specification names it: `target { cpu { ... } }`.
  llvm::StringRef getName() const { return name; }

  /// Attaches the code of kernels to operations.
  virtual void registerKernels(mlir::DialectRegistry &registry) const = 0;

  /// Makes what must be made before there are threads.
  virtual void prepare() const {}

  //===--- specification --------------------------------------------------===//

  /// What a specification says of this target, as an attribute. \p fields has
  /// the fields of `target { NAME { ... } }`, each with its value or default.
  virtual spec::TargetAttrInterface
  getAttribute(mlir::DictionaryAttr fields) const;

  /// Whether \p attribute is such a one.
  virtual bool isDescribedBy(spec::TargetAttrInterface attribute) const;

  /// Reports what of \p specification, whose target is described by such a one,
  /// this target cannot do. Its fields are within their own limits.
  virtual void validate(spec::SpecificationAttr specification,
                        SpecificationReport report) const {}

  //===--- zero -----------------------------------------------------------===//

  /// Whether sums over micro-batches are a kernel's work, as the collectives
  /// of its library do not add to their destination.
  virtual bool sumsByKernel() const { return false; }

  //===--- kernels --------------------------------------------------------===//

  /// Whether GELUs of the training steps of \p module end GEMMs, in the forward
  /// and the backward pass: the target's library has both, and the
  /// specification wants it.
  virtual bool endsGemmsWithGelu(mlir::ModuleOp module) const { return false; }

  /// Whether nn.row_matmul has weights in panels (runtime/program/
  /// PackedWeights.h), for any number of rows.
  virtual bool packsWeights() const { return false; }

  /// How many sums over rows one kernel may have at most, where threads share
  /// out what they read: each takes registers and memory of its own.
  virtual int64_t getMostColumnSums() const { return INT64_MAX; }

  /// Positions of the parts of slots that threads share out among themselves
  /// where rows and heads may be too few for all of them (nn-split-attention);
  /// 0 where attention stays one operation. Follows from \p attention alone.
  virtual int64_t getAttentionPart(nn::CachedAttentionOp attention) const;

  /// Bytes of a thread's cache that a chunk of rows may fill, with all that its
  /// steps leave for one another (plan-chunk-rows); 0 where rows are never
  /// taken in chunks.
  virtual int64_t getRowChunkBytes() const { return 0; }

  //===--- plan -----------------------------------------------------------===//

  /// The pass that says how large each kernel's launch is and what memory it
  /// takes (`plan.iterations`, `plan.scratch`, `plan.flops`).
  virtual std::unique_ptr<mlir::Pass> createShapeKernels() const = 0;

  /// Whether the threads of a launch share its scratch memory, instead of
  /// having some of their own.
  virtual bool sharesScratch() const { return false; }

  /// Bytes of scratch memory that the target's library takes for \p gemm with
  /// any number of threads up to \p threads; negative where it cannot do it.
  virtual int64_t getScratchBytes(const GemmShape &gemm,
                                  int64_t threads) const = 0;

  //===--- target and executable ------------------------------------------===//

  /// The phase `target`: from a plan and its kernels to the LLVM dialect.
  virtual void buildPipeline(mlir::OpPassManager &manager) const = 0;

  /// Compiles \p module, as the phase `target` leaves it, into object files;
  /// one alone where \p inOne. The module is of no use then. \p report, where
  /// it is not null, gets a JSON array of what the assembler says of each
  /// kernel.
  virtual mlir::FailureOr<std::vector<ObjectFile>>
  emitObjects(mlir::ModuleOp module, bool inOne,
              llvm::raw_ostream *report) const = 0;

  virtual LinkParts getLinkParts(mlir::ModuleOp module) const = 0;

  /// How often a launch of \p kernel calls the runtime (runtime/abi.h).
  virtual int64_t getCallCount(mlir::Operation *kernel) const { return 1; }

  /// Writes what the runtime must know of the device, as attributes of the
  /// manifest.
  virtual void writeManifest(mlir::ModuleOp module,
                             llvm::json::OStream &json) const {}

  //===--- reports --------------------------------------------------------===//

  /// Whether ranks compute on a device each, beside the cores of their node.
  virtual bool hasDevices() const { return false; }

  /// The ranks that a node with \p cores cores has at most.
  virtual int64_t getRanksPerNode(int64_t cores) const = 0;

  /// A node with \p cores cores and \p ranks ranks.
  virtual NodeFigures assumeNode(mlir::ModuleOp module, int64_t cores,
                                 int64_t ranks) const = 0;

  /// Bytes of the host's memory that a rank that runs \p programs pins, so
  /// that the device can reach it.
  virtual int64_t
  getPinnedBytes(llvm::ArrayRef<plan::ProgramOp> programs) const {
    return 0;
  }

private:
  std::string name;
};

/// Makes \p target known by its name; once for each name.
void registerTarget(std::unique_ptr<Target> target);

/// All registered targets, in the order of their registration.
llvm::ArrayRef<std::unique_ptr<Target>> getTargets();

/// The target that is registered as \p name, or null.
const Target *findTarget(llvm::StringRef name);

/// "no target 'abacus' is known; the targets are cpu, cuda".
std::string getUnknownTargetText(llvm::StringRef name);

/// The target that the specification of \p module names; "cpu" where the module
/// has none. Null, with an error that names those that there are, where none of
/// that name is registered, or where another attribute describes it.
const Target *getTarget(mlir::ModuleOp module);

} // namespace tessera

#endif // TESSERA_TARGET_TARGET_H
