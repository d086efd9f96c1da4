//===- Gemm.cpp - GEMMs through oneDNN ------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/Error.h"
#include "runtime/core/Threads.h"
#include "runtime/host/BlockedGemm.h"
#include "runtime/host/GemmPieces.h"
#include "runtime/host/GemmPrimitive.h"
#include "runtime/host/LongGemm.h"
#include "runtime/host/NarrowGemm.h"
#include "runtime/program/Context.h"
#include "runtime/program/StepRecorder.h"
#include <algorithm>
#include <dnnl.h>
#include <map>
#include <memory>
#include <vector>

extern "C" int omp_get_max_threads(void);
extern "C" int omp_get_thread_num(void);
extern "C" void omp_set_num_threads(int threads);

namespace tessera::runtime {

namespace {

/// A memory object and the address it holds: giving it the same one again
/// would make the library write the padding anew.
struct Operand {
  dnnl_memory_t memory = nullptr;
  const char *address = nullptr;
};

/// A matrix of 16 bits where the library takes none on this CPU: it works on a
/// copy in fp32.
struct Copy {
  int64_t elements = 0; ///< 0: the library takes the matrix as it is
  int64_t offset = 0;   ///< of the copy in the scratch memory
  ElementType type = ElementType::F32;
};

/// A primitive with its operands, whose addresses are set at each call.
struct GemmPrimitive {
  /// Of a local GEMM: the same primitive with operands for each thread.
  std::vector<GemmPrimitive> ofThread;
  dnnl_stream_t ownStream = nullptr;
  const Gemm *isDoneHere = nullptr; ///< the library has no part in it
  dnnl_primitive_t matmul = nullptr, packing = nullptr;
  Copy copyA, copyB, copyBias, copyC;
  bool readsC = false;   ///< its copy must hold what is there before
  int64_t copyBytes = 0; ///< of all copies, at the scratch memory's start
  Operand a, b, bias, c, scratch;
  Operand packed, packingScratch; ///< only with packing
  dnnl_exec_arg_t arguments[5], packingArguments[3];
  int argumentCount = 0, packingArgumentCount = 0;
  int64_t packedBytes = 0;
};

/// A GEMM of the manifest as the pieces that it runs in: one without a count.
struct PreparedGemm {
  Gemm gemm;
  std::vector<Gemm> pieces;
  std::vector<GemmPrimitive> primitives; ///< of each piece; none if narrow
};

dnnl_engine_t engine = nullptr;
dnnl_stream_t stream = nullptr;
/// Those of each model, and of the one that runs. They last as long as the
/// process: threads may be within one when it exits.
using Models = std::map<const Manifest *, std::vector<PreparedGemm>>;
Models &models = *new Models;
std::vector<PreparedGemm> *prepared = nullptr;

constexpr int64_t alignment = 64;
/// A larger matrix is not packed: its copy would dominate the workspace.
constexpr int64_t largestPacked = int64_t(64) << 20;
/// Elements that a thread converts at least.
constexpr int64_t copyGrain = 1 << 14;
constexpr int64_t packedRows = 256, packedRowsTransposed = 1024;

/// Whether b goes to the library's own layout first. Measured with oneDNN
/// 2.6.3: a GEMM then runs at 0.92 of the peak rather than at 0.5 to 0.85
/// where b is stored as it is read, and at 0.85 to 0.9 where it is stored
/// transposed, which the library copies by itself. The copy costs
/// about 26 / m of the GEMM.
///
/// One that runs on a thread alone gains nothing: its k is short.
bool isPacked(const Gemm &gemm) {
  if (gemm.local)
    return false;
  int64_t least = gemm.transposeB ? packedRowsTransposed : packedRows;
  return gemm.m >= least &&
         sizeOf(gemm.type) * gemm.k * gemm.n <= largestPacked;
}

dnnl_data_type_t dataType(ElementType type) {
  return type == ElementType::Bf16  ? dnnl_bf16
         : type == ElementType::F16 ? dnnl_f16
                                    : dnnl_f32;
}

/// A row-major matrix of \p rows x \p columns; stored transposed where asked.
dnnl_memory_desc_t matrix(int64_t rows, int64_t columns, int64_t leading,
                          bool transposed, ElementType type) {
  dnnl_dims_t dims = {rows, columns};
  dnnl_dims_t strides = {transposed ? 1 : leading, transposed ? leading : 1};
  dnnl_memory_desc_t description;
  dnnl_memory_desc_init_by_strides(&description, 2, dims, dataType(type),
                                   strides);
  return description;
}

int64_t roundUp(int64_t bytes) {
  return (bytes + alignment - 1) / alignment * alignment;
}

/// \p gemm in fp32 throughout.
Gemm inSinglePrecision(Gemm gemm) {
  gemm.type = gemm.resultType = ElementType::F32;
  return gemm;
}

/// What the library says of a GEMM before it is made.
struct Description {
  dnnl_memory_desc_t a, b, bias, c, packed;
  dnnl_primitive_desc_t matmul = nullptr;
  dnnl_primitive_desc_t packing = nullptr; ///< null: b is used as it is

  explicit Description(const Gemm &gemm);
  Description(const Description &) = delete;
  ~Description() {
    if (matmul)
      dnnl_primitive_desc_destroy(matmul);
    if (packing)
      dnnl_primitive_desc_destroy(packing);
  }

  static const dnnl_memory_desc_t *scratchOf(const_dnnl_primitive_desc_t of) {
    return dnnl_primitive_desc_query_md(of, dnnl_query_scratchpad_md, 0);
  }
  /// Where the scratch memory of the library begins: after the packed b.
  int64_t packedBytes() const {
    if (!packing)
      return 0;
    return roundUp(dnnl_memory_desc_get_size(&packed));
  }
  int64_t scratchBytes() const {
    int64_t bytes = dnnl_memory_desc_get_size(scratchOf(matmul));
    if (packing)
      bytes = std::max<int64_t>(bytes,
                                dnnl_memory_desc_get_size(scratchOf(packing)));
    return packedBytes() + bytes;
  }

private:
  dnnl_primitive_desc_t describeMatmul(const Gemm &gemm,
                                       const_dnnl_primitive_attr_t attributes);
};

/// Null where the library cannot do it; `packed` becomes the layout of b that
/// it wants.
dnnl_primitive_desc_t
Description::describeMatmul(const Gemm &gemm,
                            const_dnnl_primitive_attr_t attributes) {
  dnnl_matmul_desc_t operation;
  dnnl_primitive_desc_t result = nullptr;
  if (dnnl_matmul_desc_init(&operation, &a, &packed,
                            gemm.bias ? &bias : nullptr, &c) != dnnl_success ||
      dnnl_primitive_desc_create(&result, &operation, attributes, engine,
                                 nullptr) != dnnl_success)
    return nullptr;
  packed = *dnnl_primitive_desc_query_md(result, dnnl_query_weights_md, 0);
  return result;
}

Description::Description(const Gemm &gemm) {
  a = matrix(gemm.m, gemm.k, gemm.lda, gemm.transposeA, gemm.type);
  b = packed = matrix(gemm.k, gemm.n, gemm.ldb, gemm.transposeB, gemm.type);
  c = matrix(gemm.m, gemm.n, gemm.ldc, false, gemm.resultType);
  bias = matrix(1, gemm.n, gemm.n, false, gemm.type);
  dnnl_primitive_attr_t attributes;
  dnnl_primitive_attr_create(&attributes);
  dnnl_primitive_attr_set_scratchpad_mode(attributes,
                                          dnnl_scratchpad_mode_user);
  dnnl_post_ops_t postOps;
  dnnl_post_ops_create(&postOps);
  if (gemm.accumulate)
    dnnl_post_ops_append_sum(postOps, 1.0f);
  if (gemm.epilogue == "gelu")
    dnnl_post_ops_append_eltwise(postOps, 1.0f, dnnl_eltwise_gelu_tanh, 0, 0);
  dnnl_primitive_attr_t matmulAttributes;
  dnnl_primitive_attr_clone(&matmulAttributes, attributes);
  dnnl_primitive_attr_set_post_ops(matmulAttributes, postOps);
  if (isPacked(gemm)) {
    dnnl_dims_t dims = {gemm.k, gemm.n};
    dnnl_memory_desc_init_by_tag(&packed, 2, dims, dataType(gemm.type),
                                 dnnl_format_tag_any);
    matmul = describeMatmul(gemm, matmulAttributes);
    // Some forms of the library have no layout of their own.
    if (matmul && packed.format_desc.blocking.inner_nblks == 0) {
      dnnl_primitive_desc_destroy(matmul);
      matmul = nullptr;
    }
    if (matmul && dnnl_reorder_primitive_desc_create(
                      &packing, &b, engine, &packed, engine, attributes) !=
                      dnnl_success) {
      dnnl_primitive_desc_destroy(matmul);
      matmul = packing = nullptr;
    }
  }
  if (!matmul) {
    packed = b;
    matmul = describeMatmul(gemm, matmulAttributes);
  }
  dnnl_post_ops_destroy(postOps);
  dnnl_primitive_attr_destroy(matmulAttributes);
  dnnl_primitive_attr_destroy(attributes);
}

bool openEngine() {
  if (engine)
    return true;
  // The library's cache takes matrices that differ only in the stride of a
  // dimension of 1 for equal, and then answers with another's scratch size.
  dnnl_set_primitive_cache_capacity(0);
  return dnnl_engine_create(&engine, dnnl_cpu, 0) == dnnl_success;
}

/// What a GEMM takes on this CPU.
struct Recipe {
  Description description;
  Copy a, b, bias, c;
  int64_t copyBytes = 0;

  /// \p copies: 16-bit matrices go through copies in fp32.
  Recipe(const Gemm &gemm, bool copies)
      : description(copies ? inSinglePrecision(gemm) : gemm) {
    if (!copies)
      return;
    auto copy = [&](int64_t rows, int64_t columns, int64_t leading,
                    ElementType type) {
      Copy result;
      if (type != ElementType::F32) {
        result = {(rows - 1) * leading + columns, copyBytes, type};
        copyBytes += roundUp(4 * result.elements);
      }
      return result;
    };
    a = gemm.transposeA ? copy(gemm.k, gemm.m, gemm.lda, gemm.type)
                        : copy(gemm.m, gemm.k, gemm.lda, gemm.type);
    b = gemm.transposeB ? copy(gemm.n, gemm.k, gemm.ldb, gemm.type)
                        : copy(gemm.k, gemm.n, gemm.ldb, gemm.type);
    bias = gemm.bias ? copy(1, gemm.n, gemm.n, gemm.type) : Copy();
    c = copy(gemm.m, gemm.n, gemm.ldc, gemm.resultType);
  }

  int64_t scratchBytes() const {
    return copyBytes + description.scratchBytes();
  }
};

/// Whether the library, which counts rows, columns and strides in 32 bits here
/// and there, takes matrices of this size.
bool isCountable(const Gemm &gemm) {
  return std::max({gemm.m, gemm.n, gemm.k, gemm.lda, gemm.ldb, gemm.ldc}) <=
         INT32_MAX;
}

/// The way of the library, or the one through copies where it has none: it
/// takes no f16 here, and bf16 only with AVX-512. Null where neither works.
std::unique_ptr<Recipe> findRecipe(const Gemm &gemm) {
  if (gemm.type == ElementType::F64 || gemm.resultType == ElementType::F64 ||
      !isCountable(gemm))
    return nullptr;
  for (bool copies : {false, true}) {
    auto recipe = std::make_unique<Recipe>(gemm, copies);
    if (recipe->description.matmul)
      return recipe;
  }
  return nullptr;
}

/// Makes the memory object of an operand and adds it to an argument list;
/// nothing for one of no bytes.
void addArgument(dnnl_exec_arg_t *arguments, int &count, int kind,
                 Operand &operand, const dnnl_memory_desc_t &description) {
  if (dnnl_memory_desc_get_size(&description) == 0)
    return;
  if (!operand.memory &&
      dnnl_memory_create(&operand.memory, &description, engine,
                         DNNL_MEMORY_NONE) != dnnl_success)
    fatal("oneDNN cannot make a memory object: is there enough memory?");
  arguments[count++] = {kind, operand.memory};
}

void requireScratch(const Gemm &gemm, int64_t wanted) {
  if (wanted > gemm.scratch)
    fatal("oneDNN wants %lld bytes of scratch memory for GEMM %d, the plan "
          "has %lld: compile the specification on this machine, with as many "
          "threads as it runs with (--set target.threads=N)",
          static_cast<long long>(wanted), gemm.id,
          static_cast<long long>(gemm.scratch));
}

/// Makes the memory objects of \p result and lists them.
void addArguments(const Gemm &gemm, const Description &description,
                  GemmPrimitive &result) {
  auto add = [&](int kind, Operand &operand, const dnnl_memory_desc_t &memory) {
    addArgument(result.arguments, result.argumentCount, kind, operand, memory);
  };
  auto addPacking = [&](int kind, Operand &operand,
                        const dnnl_memory_desc_t &memory) {
    addArgument(result.packingArguments, result.packingArgumentCount, kind,
                operand, memory);
  };
  if (description.packing) {
    addPacking(DNNL_ARG_FROM, result.b, description.b);
    addPacking(DNNL_ARG_TO, result.packed, description.packed);
    addPacking(DNNL_ARG_SCRATCHPAD, result.packingScratch,
               *Description::scratchOf(description.packing));
  }
  add(DNNL_ARG_SRC, result.a, description.a);
  add(DNNL_ARG_WEIGHTS, description.packing ? result.packed : result.b,
      description.packed);
  add(DNNL_ARG_DST, result.c, description.c);
  if (gemm.bias)
    add(DNNL_ARG_BIAS, result.bias, description.bias);
  add(DNNL_ARG_SCRATCHPAD, result.scratch,
      *Description::scratchOf(description.matmul));
}

/// Whether one without a count is the runtime's own, and its scratch memory.
bool isDoneHere(const Gemm &gemm) { return isLong(gemm) || isBlocked(gemm); }
int64_t scratchBytesHere(const Gemm &gemm) {
  int threads = omp_get_max_threads();
  return isLong(gemm) ? longGemmScratchBytes(gemm, threads)
                      : blockedGemmScratchBytes(gemm, threads);
}
void runHere(const Gemm &gemm, const GemmMatrices &at) {
  auto *a = reinterpret_cast<const float *>(at.a),
       *b = reinterpret_cast<const float *>(at.b);
  auto *c = reinterpret_cast<float *>(at.c);
  if (isLong(gemm))
    return runLongGemm(gemm, gemm.k, a, b, c, at.scratch);
  runBlockedGemm(gemm, omp_get_max_threads(), 0, a, b,
                 reinterpret_cast<const float *>(at.bias), c, at.scratch);
}

/// Sets the number of threads that the library counts on, for a while.
class ThreadsHere {
public:
  explicit ThreadsHere(int threads) : before(omp_get_max_threads()) {
    if (threads > 0)
      omp_set_num_threads(threads);
  }
  ~ThreadsHere() { omp_set_num_threads(before); }
  ThreadsHere(const ThreadsHere &) = delete;

  int before;
};

GemmPrimitive prepare(const Gemm &gemm) {
  GemmPrimitive result;
  if (isDoneHere(gemm)) {
    requireScratch(gemm, scratchBytesHere(gemm));
    result.isDoneHere = &gemm;
    return result;
  }
  ThreadsHere threads(gemm.local ? 1 : 0);
  std::unique_ptr<Recipe> recipe = findRecipe(gemm);
  if (!recipe)
    fatal("oneDNN cannot do GEMM %d (%lld x %lld x %lld)", gemm.id,
          static_cast<long long>(gemm.m), static_cast<long long>(gemm.n),
          static_cast<long long>(gemm.k));
  const Description &description = recipe->description;
  requireScratch(gemm, recipe->scratchBytes());
  result.copyA = recipe->a;
  result.copyB = recipe->b;
  result.copyBias = recipe->bias;
  result.copyC = recipe->c;
  result.copyBytes = recipe->copyBytes;
  result.readsC = gemm.accumulate || gemm.ldc > gemm.n;
  result.packedBytes = description.packedBytes();
  bool made =
      dnnl_primitive_create(&result.matmul, description.matmul) == dnnl_success;
  if (description.packing)
    made = made && dnnl_primitive_create(&result.packing,
                                         description.packing) == dnnl_success;
  if (!made)
    fatal("oneDNN cannot make GEMM %d", gemm.id);
  if (gemm.local) {
    result.ofThread.assign(threads.before, GemmPrimitive(result));
    for (GemmPrimitive &own : result.ofThread) {
      addArguments(gemm, description, own);
      if (dnnl_stream_create(&own.ownStream, engine, dnnl_stream_in_order) !=
          dnnl_success)
        fatal("oneDNN cannot use this CPU");
    }
  } else {
    addArguments(gemm, description, result);
  }
  return result;
}

/// Gives back what addArguments and prepare have made.
void release(GemmPrimitive &gemm) {
  for (GemmPrimitive &own : gemm.ofThread) {
    own.matmul = own.packing = nullptr; // shared with gemm
    release(own);
  }
  for (Operand *operand : {&gemm.a, &gemm.b, &gemm.bias, &gemm.c, &gemm.scratch,
                           &gemm.packed, &gemm.packingScratch})
    dnnl_memory_destroy(operand->memory);
  dnnl_stream_destroy(gemm.ownStream);
  dnnl_primitive_destroy(gemm.matmul);
  dnnl_primitive_destroy(gemm.packing);
}

/// Where the library reads a matrix: in its copy, filled from \p address, or at
/// \p address itself.
const char *copyIn(const Copy &copy, const char *address, char *scratch,
                   bool fill) {
  if (!copy.elements)
    return address;
  auto *numbers = reinterpret_cast<float *>(scratch + copy.offset);
  if (fill)
    parallelFor(copy.elements, copyGrain, [&](int64_t begin, int64_t end) {
      toFloats(copy.type, address + begin * sizeOf(copy.type), end - begin,
               numbers + begin);
    });
  return scratch + copy.offset;
}

/// Rounds a result's copy to \p address.
void copyOut(const Copy &copy, const char *scratch, char *address) {
  auto *numbers = reinterpret_cast<const float *>(scratch + copy.offset);
  parallelFor(copy.elements, copyGrain, [&](int64_t begin, int64_t end) {
    fromFloats(copy.type, numbers + begin, end - begin,
               address + begin * sizeOf(copy.type));
  });
}

void setAddress(Operand &operand, const char *address) {
  if (!operand.memory || operand.address == address)
    return;
  dnnl_memory_set_data_handle(operand.memory, const_cast<char *>(address));
  operand.address = address;
}

/// Runs \p gemm, which is GEMM \p id or a piece of it.
void run(GemmPrimitive &gemm, int id, const GemmMatrices &at) {
  if (gemm.isDoneHere)
    return runHere(*gemm.isDoneHere, at);
  char *scratch = at.scratch;
  setAddress(gemm.a, copyIn(gemm.copyA, at.a, scratch, true));
  setAddress(gemm.b, copyIn(gemm.copyB, at.b, scratch, true));
  setAddress(gemm.bias, copyIn(gemm.copyBias, at.bias, scratch, true));
  setAddress(gemm.c, copyIn(gemm.copyC, at.c, scratch, gemm.readsC));
  char *copies = scratch;
  scratch += gemm.copyBytes;
  setAddress(gemm.packed, scratch);
  setAddress(gemm.packingScratch, scratch + gemm.packedBytes);
  setAddress(gemm.scratch, scratch + gemm.packedBytes);
  bool done = true;
  if (gemm.packing)
    done =
        dnnl_primitive_execute(gemm.packing, stream, gemm.packingArgumentCount,
                               gemm.packingArguments) == dnnl_success;
  if (!done || dnnl_primitive_execute(gemm.matmul, stream, gemm.argumentCount,
                                      gemm.arguments) != dnnl_success)
    fatal("oneDNN failed in GEMM %d", id);
  if (gemm.copyC.elements)
    copyOut(gemm.copyC, copies, at.c);
}

/// Runs one that has no primitive, without a count.
void runNarrow(const Gemm &gemm, const GemmMatrices &at) {
  runNarrowGemm(gemm, 0, reinterpret_cast<const float *>(at.a),
                reinterpret_cast<const float *>(at.b),
                reinterpret_cast<const float *>(at.bias),
                reinterpret_cast<float *>(at.c), at.scratch);
}

/// Runs a piece of the prepared GEMM at \p gemm.
void runPiece(void *gemm, int piece, const GemmMatrices &at) {
  auto *prepared = static_cast<PreparedGemm *>(gemm);
  run(prepared->primitives[piece], prepared->gemm.id, at);
}

} // namespace

int64_t gemmScratchBytes(const Gemm &gemm, int threads) {
  if (!openEngine())
    return -1;
  if (isNarrow(gemm) && isCountable(gemm))
    return narrowGemmScratchBytes(gemm);
  ThreadsHere here(threads);
  int64_t most = 0;
  for (const Gemm &piece : getPieces(gemm)) {
    int64_t bytes = -1;
    if (isDoneHere(piece) && isCountable(piece))
      bytes = scratchBytesHere(piece);
    else if (std::unique_ptr<Recipe> recipe = findRecipe(piece))
      bytes = recipe->scratchBytes();
    most = bytes < 0 || most < 0 ? -1 : std::max(most, bytes);
  }
  BlockCopies copies = getBlockCopies(gemm);
  return most < 0 ? most : most + copies.all();
}

} // namespace tessera::runtime

void tessera_prepare_gemms(const tessera::runtime::Manifest *manifest, int) {
  using namespace tessera::runtime;
  if (!openEngine() ||
      (!stream && dnnl_stream_create(&stream, engine, dnnl_stream_in_order) !=
                      dnnl_success))
    fatal("oneDNN cannot use this CPU");
  prepared = &models[manifest];
  for (PreparedGemm &old : *prepared)
    for (GemmPrimitive &primitive : old.primitives)
      release(primitive);
  prepared->clear();
  prepared->reserve(manifest->gemms.size());
  for (const Gemm &gemm : manifest->gemms) {
    if (gemm.id != static_cast<int>(prepared->size()))
      fatal("the embedded manifest lists GEMM %d at place %zu", gemm.id,
            prepared->size());
    PreparedGemm &made = prepared->emplace_back();
    made.gemm = gemm;
    made.pieces = getPieces(gemm);
    // One that is done here has no primitive.
    if (isNarrow(gemm)) {
      requireScratch(gemm, narrowGemmScratchBytes(gemm));
      continue;
    }
    BlockCopies copies = getBlockCopies(gemm);
    for (Gemm &piece : made.pieces) {
      piece.scratch = gemm.scratch - copies.all();
      made.primitives.push_back(prepare(piece));
    }
  }
}

void tessera_select_gemms(const tessera::runtime::Manifest *manifest) {
  using namespace tessera::runtime;
  prepared = &models.at(manifest);
}

void tessera_gemm(tessera_context *, int32_t id, const char *a, const char *b,
                  const char *bias, char *, char *c, char *scratch) {
  using namespace tessera::runtime;
  RecordedCall recorded;
  PreparedGemm &made = (*prepared)[id];
  if (made.primitives.empty())
    return runNarrow(made.gemm, {a, b, bias, c, scratch});
  run(made.primitives.front(), id, {a, b, bias, c, scratch});
}

void tessera_gemm_counted(tessera_context *, int32_t id, const int32_t *count,
                          const char *a, const char *b, const char *bias,
                          char *, char *c, char *scratch) {
  using namespace tessera::runtime;
  RecordedCall recorded;
  PreparedGemm &gemm = (*prepared)[id];
  int64_t parts = std::clamp<int64_t>(*count, 0, gemm.gemm.room);
  runPieces(gemm.gemm, gemm.pieces, parts, {a, b, bias, c, scratch}, runPiece,
            &gemm);
}

void tessera_local_gemm(int32_t id, const char *a, const char *b,
                        const char *bias, char *c, char *scratch) {
  using namespace tessera::runtime;
  PreparedGemm &made = (*prepared)[id];
  if (made.primitives.empty())
    return runNarrow(made.gemm, {a, b, bias, c, scratch});
  GemmPrimitive &gemm = made.primitives.front().ofThread[omp_get_thread_num()];
  setAddress(gemm.a, a);
  setAddress(gemm.b, b);
  setAddress(gemm.bias, bias);
  setAddress(gemm.c, c);
  setAddress(gemm.scratch, scratch);
  if (dnnl_primitive_execute(gemm.matmul, gemm.ownStream, gemm.argumentCount,
                             gemm.arguments) != dnnl_success)
    fatal("oneDNN failed in GEMM %d", id);
}
