//===- abi.h - What emitted code and the runtime know of each other -*- C
//-*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An executable is one emitted object file linked with the runtime library.
// The object defines `tessera_manifest` and `tessera_entries`; the runtime
// defines `main` and the `tessera_` functions. All addresses lie in one arena,
// whose layout the manifest describes (docs/manifest.md); on a device they are
// the device's, which the host cannot read. Counts and sizes have 64 bits; the
// 32-bit numbers are places in tables, ranks and a launch's operands.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_ABI_H
#define TESSERA_RUNTIME_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The state of one rank; opaque to emitted code.
typedef struct tessera_context tessera_context;

/// A section of a program: a function that runs it once on an arena.
typedef struct tessera_entry {
  const char *name; ///< "train.begin", "train.micro", "train.reduce", ...
  void (*run)(tessera_context *context, char *arena);
} tessera_entry;

/// The file tokenizer.json of an executable that has one, and its length in
/// bytes; else both are missing.
extern const char tessera_tokenizer[] __attribute__((weak));
extern const int64_t tessera_tokenizer_bytes __attribute__((weak));

/// The file tokenizer_config.json that was beside it, which ends in NUL, and
/// the token that ends a document, where that file says it; else missing.
extern const char tessera_tokenizer_config[] __attribute__((weak));
extern const char tessera_text_end[] __attribute__((weak));

/// The manifest, JSON text that ends in NUL.
extern const char tessera_manifest[];
/// All entries; the last one has a null name.
extern const tessera_entry tessera_entries[];
/// The device's machine code, a fatbin or PTX text; only for a target other
/// than the CPU.
extern const char tessera_device_image[];
/// Another model of the executable, with a manifest, entries and machine code
/// of its own.
typedef struct tessera_model {
  const char *name;
  const char *manifest;
  const tessera_entry *entries;
  const char *device_image; ///< null where the target is the CPU
} tessera_model;

/// The models beside the one of `tessera_manifest`; the last one has a null
/// name. Only in an executable that has several.
extern const tessera_model tessera_models[] __attribute__((weak));
/// What the steps of the program `train` are, JSON text that ends in NUL
/// (docs/manifest.md). Not in an object that another compiler made.
extern const char tessera_steps[] __attribute__((weak));
/// The features that the object's code may use beyond those of each x86-64,
/// LLVM's names with commas between them; ends in NUL. Not in an object that
/// another compiler made.
extern const char tessera_cpu_features[] __attribute__((weak));

/// A kernel computes the iterations [begin, end) of its parallel loop.
/// \p args are the addresses of its operands, then of its results; \p scratch
/// belongs to the calling thread alone.
typedef void (*tessera_kernel)(char *const *args, int64_t begin, int64_t end,
                               char *scratch);

/// Runs all \p count iterations of \p kernel on the rank's threads and
/// returns when all are done. Thread t gets `scratch + t * scratch_stride`.
/// How iterations are dealt to threads never changes a result.
void tessera_launch(tessera_context *context, tessera_kernel kernel,
                    char *const *args, int64_t count, char *scratch,
                    int64_t scratch_stride);

/// Runs kernel \p id of the manifest's table `kernels` on the rank's device, in
/// order after what was issued before. \p args are the addresses of its
/// operands, then of its results, \p count of them; the kernel's parameters are
/// these and then \p scratch, one pointer each.
void tessera_device_launch(tessera_context *context, int32_t id,
                           char *const *args, int32_t count, char *scratch);

/// Runs GEMM \p id of the manifest's table: c = epilogue(a . b + bias + c0).
/// \p bias may be null where the description has none; \p c holds c0 on entry
/// where the description accumulates. \p aux, null with other epilogues, is
/// what "gelu_saved" writes and "gelu_grad" reads: the GELU's operand.
void tessera_gemm(tessera_context *context, int32_t id, const char *a,
                  const char *b, const char *bias, char *aux, char *c,
                  char *scratch);

/// The same for a GEMM whose description counts its rows or its inner size: of
/// the `room` equal parts of that size there are as many as \p count holds,
/// which lies where the matrices do. Of `c` only these rows are wanted, the
/// others may become anything; of `a` and `b` only what these take is read, and
/// an inner size of 0 gives 0. On a device more may be computed, and rows that
/// are not become 0, unless they are added to: what is beyond adds 0.
void tessera_gemm_counted(tessera_context *context, int32_t id,
                          const int32_t *count, const char *a, const char *b,
                          const char *bias, char *aux, char *c, char *scratch);

/// tessera_gemm on the calling thread alone, within a kernel that
/// tessera_launch runs: for GEMMs that the table calls local.
void tessera_local_gemm(int32_t id, const char *a, const char *b,
                        const char *bias, char *c, char *scratch);

/// Collective \p id of the running program's table: `start` says that this
/// rank's source is ready; `wait` returns once the destination is complete;
/// `fence` returns once no peer reads this rank's source any more.
void tessera_collective_start(tessera_context *context, int32_t id);
void tessera_collective_wait(tessera_context *context, int32_t id);
void tessera_collective_fence(tessera_context *context, int32_t id);

/// This rank's number, from 0: a rank's part of an unsharded buffer of E
/// elements over N ranks begins at element rank * E / N.
int32_t tessera_rank(tessera_context *context);

/// Fills \p bytes at \p address with zero, on the rank's threads.
void tessera_zero(tessera_context *context, char *address, int64_t bytes);

/// Copies \p bytes from \p source to \p destination, which do not overlap, on
/// the rank's threads.
void tessera_copy(tessera_context *context, char *destination,
                  const char *source, int64_t bytes);

/// Begins to read \p bytes of the rank's file, which is mapped at \p address.
void tessera_fetch(tessera_context *context, char *address, int64_t bytes);

/// Begins to write them back and lets go of their memory.
void tessera_evict(tessera_context *context, char *address, int64_t bytes);

#ifdef __cplusplus
}
#endif

#endif // TESSERA_RUNTIME_ABI_H
