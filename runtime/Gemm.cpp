//===- Gemm.cpp - GEMMs through oneDNN ------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/Context.h"
#include "runtime/Error.h"
#include "runtime/GemmPrimitive.h"
#include <dnnl.h>
#include <vector>

extern "C" int omp_get_max_threads(void);
extern "C" void omp_set_num_threads(int threads);

namespace tessera {

namespace {

/// A primitive with its memory objects, whose addresses are set at each call.
struct GemmPrimitive {
  dnnl_primitive_t primitive = nullptr;
  dnnl_memory_t a = nullptr, b = nullptr, bias = nullptr, c = nullptr,
                scratch = nullptr;
  dnnl_exec_arg_t arguments[5];
  int argumentCount = 0;
};

dnnl_engine_t engine = nullptr;
dnnl_stream_t stream = nullptr;
std::vector<GemmPrimitive> primitives;

/// A row-major matrix of \p rows x \p columns; stored transposed where asked.
dnnl_memory_desc_t matrix(int64_t rows, int64_t columns, int64_t leading,
                          bool transposed) {
  dnnl_dims_t dims = {rows, columns};
  dnnl_dims_t strides = {transposed ? 1 : leading, transposed ? leading : 1};
  dnnl_memory_desc_t description;
  dnnl_memory_desc_init_by_strides(&description, 2, dims, dnnl_f32, strides);
  return description;
}

struct Descriptions {
  dnnl_memory_desc_t a, b, bias, c;
};

/// Null where the library has no such primitive.
dnnl_primitive_desc_t describe(const Gemm &gemm, Descriptions &memory) {
  memory.a = matrix(gemm.m, gemm.k, gemm.lda, gemm.transposeA);
  memory.b = matrix(gemm.k, gemm.n, gemm.ldb, gemm.transposeB);
  memory.c = matrix(gemm.m, gemm.n, gemm.ldc, false);
  memory.bias = matrix(1, gemm.n, gemm.n, false);
  dnnl_matmul_desc_t operation;
  if (dnnl_matmul_desc_init(&operation, &memory.a, &memory.b,
                            gemm.bias ? &memory.bias : nullptr,
                            &memory.c) != dnnl_success)
    return nullptr;
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
  dnnl_primitive_attr_set_post_ops(attributes, postOps);
  dnnl_primitive_desc_t description = nullptr;
  if (dnnl_primitive_desc_create(&description, &operation, attributes, engine,
                                 nullptr) != dnnl_success)
    description = nullptr;
  dnnl_post_ops_destroy(postOps);
  dnnl_primitive_attr_destroy(attributes);
  return description;
}

bool openEngine() {
  if (engine)
    return true;
  // The library's cache takes matrices that differ only in the stride of a
  // dimension of 1 for equal, and then answers with another's scratch size.
  dnnl_set_primitive_cache_capacity(0);
  return dnnl_engine_create(&engine, dnnl_cpu, 0) == dnnl_success;
}

const dnnl_memory_desc_t *scratchOf(dnnl_primitive_desc_t description) {
  return dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);
}

void addArgument(GemmPrimitive &gemm, int kind, dnnl_memory_t &memory,
                 const dnnl_memory_desc_t &description) {
  if (dnnl_memory_create(&memory, &description, engine, DNNL_MEMORY_NONE) !=
      dnnl_success)
    fatal("oneDNN cannot make a memory object: is there enough memory?");
  gemm.arguments[gemm.argumentCount++] = {kind, memory};
}

GemmPrimitive prepare(const Gemm &gemm) {
  Descriptions memory;
  dnnl_primitive_desc_t description = describe(gemm, memory);
  if (!description)
    fatal("oneDNN cannot do GEMM %d (%lld x %lld x %lld)", gemm.id,
          static_cast<long long>(gemm.m), static_cast<long long>(gemm.n),
          static_cast<long long>(gemm.k));
  const dnnl_memory_desc_t *scratch = scratchOf(description);
  int64_t wanted = dnnl_memory_desc_get_size(scratch);
  if (wanted > gemm.scratch)
    fatal("oneDNN wants %lld bytes of scratch memory for GEMM %d, the plan "
          "has %lld: compile the specification on this machine, with as many "
          "threads as it runs with (--set target.threads=N)",
          static_cast<long long>(wanted), gemm.id,
          static_cast<long long>(gemm.scratch));
  GemmPrimitive result;
  if (dnnl_primitive_create(&result.primitive, description) != dnnl_success)
    fatal("oneDNN cannot make GEMM %d", gemm.id);
  addArgument(result, DNNL_ARG_SRC, result.a, memory.a);
  addArgument(result, DNNL_ARG_WEIGHTS, result.b, memory.b);
  addArgument(result, DNNL_ARG_DST, result.c, memory.c);
  if (gemm.bias)
    addArgument(result, DNNL_ARG_BIAS, result.bias, memory.bias);
  if (wanted > 0)
    addArgument(result, DNNL_ARG_SCRATCHPAD, result.scratch, *scratch);
  dnnl_primitive_desc_destroy(description);
  return result;
}

void setAddress(dnnl_memory_t memory, const char *address) {
  dnnl_memory_set_data_handle(memory, const_cast<char *>(address));
}

} // namespace

int64_t gemmScratchBytes(const Gemm &gemm, int threads) {
  if (!openEngine())
    return -1;
  int before = omp_get_max_threads();
  if (threads > 0)
    omp_set_num_threads(threads);
  Descriptions memory;
  dnnl_primitive_desc_t description = describe(gemm, memory);
  int64_t bytes = -1;
  if (description) {
    bytes = dnnl_memory_desc_get_size(scratchOf(description));
    dnnl_primitive_desc_destroy(description);
  }
  omp_set_num_threads(before);
  return bytes;
}

} // namespace tessera

void tessera_prepare_gemms(const tessera::Manifest *manifest, int) {
  using namespace tessera;
  if (!openEngine() ||
      dnnl_stream_create(&stream, engine, dnnl_stream_in_order) != dnnl_success)
    fatal("oneDNN cannot use this processor");
  primitives.reserve(manifest->gemms.size());
  for (const Gemm &gemm : manifest->gemms) {
    if (gemm.id != static_cast<int>(primitives.size()))
      fatal("the embedded manifest lists GEMM %d at place %zu", gemm.id,
            primitives.size());
    primitives.push_back(prepare(gemm));
  }
}

void tsr_gemm(tsr_context *, int32_t id, const char *a, const char *b,
              const char *bias, char *c, char *scratch) {
  using namespace tessera;
  GemmPrimitive &gemm = primitives[id];
  setAddress(gemm.a, a);
  setAddress(gemm.b, b);
  setAddress(gemm.c, c);
  if (gemm.bias)
    setAddress(gemm.bias, bias);
  if (gemm.scratch)
    setAddress(gemm.scratch, scratch);
  if (dnnl_primitive_execute(gemm.primitive, stream, gemm.argumentCount,
                             gemm.arguments) != dnnl_success)
    fatal("oneDNN failed in GEMM %d", id);
}
