//===- Gemm.cpp - GEMMs by cuBLASLt ---------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The library's matrices are column-major. A row-major matrix is the transpose
// of a column-major one, so c = a . b is computed as c' = b' . a': the factors
// change places, and the bias, one number for each column of c, is one for each
// row of c', as the library has it.
//
//===----------------------------------------------------------------------===//

#include "runtime/core/Environment.h"
#include "runtime/core/Error.h"
#include "runtime/cuda/Device.h"
#include "runtime/program/Context.h"
#include "runtime/program/StepRecorder.h"
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace tessera::runtime::cuda {
namespace {

using namespace cublaslt;

/// libcublasLt.so.13.
struct BlasLt {
  BlasLt()
      : library("libcublasLt.so.13",
                "install CUDA 13's cuBLAS (for example 'pip install "
                "nvidia-cublas') or set CUDA_HOME") {
    library.describeError = reinterpret_cast<const char *(*)(int)>(
        library.find("cublasLtGetStatusString"));
    create(&handle);
  }

  Library library;
  const Function<Handle *> create{library, "cublasLtCreate"};
  const Function<MatmulDesc *, ComputeType, DataType> matmulDescCreate{
      library, "cublasLtMatmulDescCreate"};
  const Function<MatmulDesc, MatmulAttribute, const void *, size_t>
      matmulDescSetAttribute{library, "cublasLtMatmulDescSetAttribute"};
  const Function<Layout *, DataType, uint64_t, uint64_t, int64_t>
      matrixLayoutCreate{library, "cublasLtMatrixLayoutCreate"};
  const Function<Preference *> matmulPreferenceCreate{
      library, "cublasLtMatmulPreferenceCreate"};
  const Function<Preference, PreferenceAttribute, const void *, size_t>
      matmulPreferenceSetAttribute{library,
                                   "cublasLtMatmulPreferenceSetAttribute"};
  const Function<Preference> matmulPreferenceDestroy{
      library, "cublasLtMatmulPreferenceDestroy"};
  const Function<Handle, MatmulDesc, Layout, Layout, Layout, Layout, Preference,
                 int, Heuristic *, int *>
      matmulAlgoGetHeuristic{library, "cublasLtMatmulAlgoGetHeuristic"};
  const Function<Handle, MatmulDesc, const void *, const void *, Layout,
                 const void *, Layout, const void *, const void *, Layout,
                 void *, Layout, const Algorithm *, void *, size_t, Stream>
      matmul{library, "cublasLtMatmul"};

  Handle handle = nullptr;
};

const BlasLt &blas() {
  static const BlasLt blas;
  return blas;
}

/// All timing together ends after so long.
constexpr std::chrono::milliseconds timingLimit(2000);
constexpr int timedRuns = 3;
/// What the library wants its workspace to be aligned to. The plan's scratch
/// memory is aligned to less, and so has less room for it.
constexpr int64_t workspaceAlignment = 256;

int64_t workspaceRoom(const Gemm &gemm) {
  return std::max<int64_t>(0, gemm.scratch - workspaceAlignment);
}

char *workspaceIn(char *scratch) {
  auto place = reinterpret_cast<uintptr_t>(scratch);
  return scratch + (-place & (workspaceAlignment - 1));
}

/// A GEMM as the library knows it, `left` being our b and `right` our a.
struct Plan {
  MatmulDesc description = nullptr;
  Layout left = nullptr, right = nullptr, result = nullptr;
  Algorithm algorithm = {};
  size_t workspaceBytes = 0;
  bool bias = false, aux = false, accumulate = false;
  uintptr_t alignment = 16;

  void setPointers(const char *biasAddress, const char *auxAddress) const {
    if (bias)
      blas().matmulDescSetAttribute(description, BiasPointer, &biasAddress,
                                    sizeof biasAddress);
    if (aux)
      blas().matmulDescSetAttribute(description, AuxPointer, &auxAddress,
                                    sizeof auxAddress);
  }

  void run(const char *a, const char *b, const char *biasAddress,
           const char *auxAddress, char *c, char *scratch) const {
    const float one = 1, beta = accumulate ? 1 : 0;
    setPointers(biasAddress, auxAddress);
    blas().matmul(blas().handle, description, &one, b, left, a, right, &beta, c,
                  result, c, result, &algorithm, workspaceIn(scratch),
                  workspaceBytes, device().compute());
  }
};

/// By the GEMM's id; of a counted one a plan for each of its sizes.
struct GemmPlans {
  Gemm gemm;
  std::vector<Plan> sizes;
};
std::vector<GemmPlans> prepared;

DataType dataType(ElementType type) {
  return type == ElementType::Bf16  ? R16bf
         : type == ElementType::F16 ? R16f
                                    : R32f;
}

/// A row-major matrix as it is stored.
struct Matrix {
  int64_t rows, columns, leading;
  ElementType type;

  /// As the library sees it: the transpose.
  Layout layout() const {
    Layout layout = nullptr;
    blas().matrixLayoutCreate(&layout, dataType(type), columns, rows, leading);
    return layout;
  }
  int64_t bytes() const {
    return ((rows - 1) * leading + columns) * sizeOf(type);
  }
};

struct Operands {
  Matrix a, b, c;
  explicit Operands(const Gemm &gemm)
      : a{gemm.m, gemm.k, gemm.lda, gemm.type},
        b{gemm.k, gemm.n, gemm.ldb, gemm.type},
        c{gemm.m, gemm.n, gemm.ldc, gemm.resultType} {
    if (gemm.transposeA)
      std::swap(a.rows, a.columns);
    if (gemm.transposeB)
      std::swap(b.rows, b.columns);
  }
};

/// What all operands are aligned to: the arena's buffers, and the matrices
/// among the parameters, which lie one behind the other in their groups.
uint32_t alignmentOf(const Manifest &manifest, ElementType type) {
  int64_t alignment = 256;
  auto reduce = [&](int64_t multiple) {
    while (multiple % alignment)
      alignment /= 2;
  };
  for (const auto &[name, program] : manifest.programs)
    reduce(program.alignment);
  for (const Parameter &parameter : manifest.parameters)
    if (parameter.shape.size() > 1)
      reduce(parameter.offset * sizeOf(type));
  return static_cast<uint32_t>(alignment);
}

Epilogue epilogueOf(const Gemm &gemm) {
  if (gemm.epilogue == "gelu_grad")
    return GeluGrad;
  if (gemm.epilogue == "gelu_saved")
    return gemm.bias ? GeluAuxBias : GeluAux;
  if (gemm.epilogue == "gelu")
    return gemm.bias ? GeluBias : Gelu;
  return gemm.bias ? Bias : Plain;
}

Plan describe(const Manifest &manifest, const Gemm &gemm) {
  Operands operands(gemm);
  Plan plan;
  plan.bias = gemm.bias;
  plan.accumulate = gemm.accumulate;
  plan.alignment = alignmentOf(manifest, gemm.type);
  plan.left = operands.b.layout();
  plan.right = operands.a.layout();
  plan.result = operands.c.layout();
  // No TF32: its factors have 10 bits.
  blas().matmulDescCreate(&plan.description, Compute32f, R32f);
  auto set = [&](MatmulAttribute attribute, int32_t value) {
    blas().matmulDescSetAttribute(plan.description, attribute, &value,
                                  sizeof value);
  };
  set(TransA, gemm.transposeB ? Transpose : None);
  set(TransB, gemm.transposeA ? Transpose : None);
  plan.aux = gemm.epilogue == "gelu_saved" || gemm.epilogue == "gelu_grad";
  set(EpilogueAttribute, epilogueOf(gemm));
  if (plan.aux) {
    int64_t leading = gemm.ldc;
    blas().matmulDescSetAttribute(plan.description, AuxLeading, &leading,
                                  sizeof leading);
  }
  if (gemm.bias)
    set(BiasDataType, dataType(gemm.type));
  return plan;
}

/// \p gemm of size number \p size, of those that a count chooses from.
Gemm ofSize(Gemm gemm, int size) {
  int64_t parts = (gemm.room * (size + 1) + countedSizes - 1) / countedSizes;
  int64_t &counted = gemm.counted == Gemm::Counted::Rows ? gemm.m : gemm.k;
  counted = counted / gemm.room * parts;
  return gemm;
}

/// The sizes that \p gemm runs in.
std::vector<Gemm> sizesOf(const Gemm &gemm) {
  if (gemm.counted == Gemm::Counted::Nothing)
    return {gemm};
  std::vector<Gemm> sizes;
  for (int size = 0; size < countedSizes; ++size)
    sizes.push_back(ofSize(gemm, size));
  return sizes;
}

/// The library's candidates for \p gemm, the one that it thinks best first.
std::vector<Heuristic> findCandidates(const Gemm &gemm, const Plan &plan) {
  plan.setPointers(device().arena(), device().arena());
  Preference preference = nullptr;
  blas().matmulPreferenceCreate(&preference);
  auto workspace = static_cast<uint64_t>(workspaceRoom(gemm));
  blas().matmulPreferenceSetAttribute(preference, MaxWorkspaceBytes, &workspace,
                                      sizeof workspace);
  auto alignment = static_cast<uint32_t>(plan.alignment);
  for (PreferenceAttribute matrix :
       {MinAlignmentA, MinAlignmentB, MinAlignmentC, MinAlignmentD})
    blas().matmulPreferenceSetAttribute(preference, matrix, &alignment,
                                        sizeof alignment);
  std::vector<Heuristic> candidates(mostGemmCandidates);
  int count = 0;
  int error = blas().matmulAlgoGetHeuristic.attempt(
      blas().handle, plan.description, plan.left, plan.right, plan.result,
      plan.result, preference, mostGemmCandidates, candidates.data(), &count);
  blas().matmulPreferenceDestroy(preference);
  candidates.resize(error ? 0 : count);
  std::erase_if(candidates, [](const Heuristic &candidate) {
    return candidate.state != cublaslt::Success;
  });
  if (candidates.empty())
    fatal("cuBLASLt cannot do GEMM %d (%lld x %lld x %lld) in its types on %s: "
          "choose another precision",
          gemm.id, static_cast<long long>(gemm.m),
          static_cast<long long>(gemm.n), static_cast<long long>(gemm.k),
          device().name().c_str());
  return candidates;
}

/// Times candidates on the arena, which holds nothing yet.
class Timer {
public:
  Timer() {
    driver().eventCreate(&begin, EventDefault);
    driver().eventCreate(&end, EventDefault);
  }
  ~Timer() {
    driver().eventDestroy(begin);
    driver().eventDestroy(end);
    // What GEMMs have left there.
    if (candidates)
      driver().memsetD8Async(toDevice(device().arena()), 0,
                             device().arenaBytes(), device().compute());
  }
  Timer(const Timer &) = delete;
  Timer &operator=(const Timer &) = delete;

  /// The place in \p found of the fastest, of which at most \p most are timed.
  size_t fastest(const Gemm &gemm, Plan plan,
                 const std::vector<Heuristic> &found, int most) {
    Operands operands(gemm);
    int64_t need = 0;
    auto place = [&](int64_t bytes) {
      char *address = device().arena() + need;
      need = (need + bytes + 255) / 256 * 256;
      return address;
    };
    char *a = place(operands.a.bytes()), *b = place(operands.b.bytes());
    char *bias = place(gemm.n * sizeOf(gemm.type));
    char *c = place(operands.c.bytes()), *aux = place(operands.c.bytes());
    char *scratch = place(gemm.scratch);
    size_t best = 0;
    float bestTime = 0;
    // A GEMM of another program may be larger than this one's arena.
    if (need > device().arenaBytes())
      return best;
    for (size_t i = 0; i < found.size() && static_cast<int>(i) < most &&
                       elapsed() < timingLimit;
         ++i) {
      plan.algorithm = found[i].algorithm;
      plan.workspaceBytes = found[i].workspaceBytes;
      plan.run(a, b, bias, aux, c, scratch);
      driver().eventRecord(begin, device().compute());
      for (int run = 0; run < timedRuns; ++run)
        plan.run(a, b, bias, aux, c, scratch);
      driver().eventRecord(end, device().compute());
      device().synchronize(device().compute());
      float time = 0;
      driver().eventElapsedTime(&time, begin, end);
      if (i == 0 || time < bestTime) {
        best = i;
        bestTime = time;
      }
      ++candidates;
    }
    return best;
  }

  std::chrono::steady_clock::duration elapsed() const {
    return std::chrono::steady_clock::now() - start;
  }
  int timed() const { return candidates; }

private:
  std::chrono::steady_clock::time_point start =
      std::chrono::steady_clock::now();
  Event begin = nullptr, end = nullptr;
  int candidates = 0;
};

/// How many candidates of a GEMM are timed.
int trialsWanted() {
  return static_cast<int>(environmentInteger(
      "TESSERA_GEMM_TRIALS", mostGemmCandidates, 0, mostGemmCandidates));
}

} // namespace
} // namespace tessera::runtime::cuda

void tessera_prepare_gemms(const tessera::runtime::Manifest *manifest, int) {
  using namespace tessera::runtime;
  using namespace tessera::runtime::cuda;
  int trials = trialsWanted();
  Timer timer;
  prepared.clear();
  for (const Gemm &gemm : manifest->gemms) {
    if (gemm.id != static_cast<int>(prepared.size()))
      fatal("the embedded manifest lists GEMM %d at place %zu", gemm.id,
            prepared.size());
    GemmPlans &made = prepared.emplace_back(GemmPlans{gemm, {}});
    for (const Gemm &size : sizesOf(gemm)) {
      Plan plan = describe(*manifest, size);
      std::vector<Heuristic> candidates = findCandidates(size, plan);
      size_t chosen = 0;
      if (trials > 1 && candidates.size() > 1)
        chosen = timer.fastest(size, plan, candidates, trials);
      plan.algorithm = candidates[chosen].algorithm;
      plan.workspaceBytes = candidates[chosen].workspaceBytes;
      made.sizes.push_back(plan);
    }
  }
  char text[128];
  double milliseconds =
      std::chrono::duration<double, std::milli>(timer.elapsed()).count();
  snprintf(text, sizeof text,
           "%zu by cuBLASLt, chosen by timing %d candidates in %.0f ms",
           prepared.size(), timer.timed(), milliseconds);
  device().addSetting({"GEMMs", text});
}

/// Runs \p plan of GEMM \p id.
static void runGemm(const tessera::runtime::cuda::Plan &plan, int32_t id,
                    const char *a, const char *b, const char *bias, char *aux,
                    char *c, char *scratch) {
  auto bits = [](const char *address) {
    return reinterpret_cast<uintptr_t>(address);
  };
  if ((bits(a) | bits(b) | bits(c) | bits(aux)) % plan.alignment)
    tessera::runtime::fatal(
        "GEMM %d has a matrix that is not aligned to %d bytes: compile the "
        "specification again with this version of tessera",
        id, static_cast<int>(plan.alignment));
  plan.run(a, b, bias, aux, c, scratch);
}

void tessera_gemm(tessera_context *, int32_t id, const char *a, const char *b,
                  const char *bias, char *aux, char *c, char *scratch) {
  tessera::runtime::RecordedCall recorded;
  runGemm(tessera::runtime::cuda::prepared[id].sizes.back(), id, a, b, bias,
          aux, c, scratch);
}

void tessera_gemm_counted(tessera_context *, int32_t id, const int32_t *count,
                          const char *a, const char *b, const char *bias,
                          char *aux, char *c, char *scratch) {
  using namespace tessera::runtime;
  RecordedCall recorded;
  const cuda::GemmPlans &made = cuda::prepared[id];
  const Gemm &gemm = made.gemm;
  int size = cuda::device().chooseSize(count, gemm.room);
  runGemm(made.sizes[size], id, a, b, bias, aux, c, scratch);
  // Sums over rows read those beyond, too. A counted GEMM's lie together: the
  // compiler gives it no wider matrix.
  int64_t rows = cuda::ofSize(gemm, size).m;
  if (!gemm.accumulate && rows < gemm.m) {
    int64_t row = gemm.ldc * sizeOf(gemm.resultType);
    cuda::driver().memsetD8Async(cuda::toDevice(c + rows * row), 0,
                                 (gemm.m - rows) * row,
                                 cuda::device().compute());
  }
}
