//===- EventFile.h - Files of events for TensorBoard ------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A file of events is a TFRecord file of serialized messages (event.proto). A
// record is
//     u64  length of the message
//     u32  masked CRC-32C of these 8 bytes
//     ...  the message
//     u32  masked CRC-32C of the message
// all in little-endian order, a checksum c being masked as
// ((c >> 15) | (c << 17)) + 0xa282ead8 (TensorFlow's python_io).
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DRIVER_EVENTFILE_H
#define TESSERA_DRIVER_EVENTFILE_H

#include "report/RunLog.h"

#include <string>

namespace tessera {

/// The name of the file in a run's folder, by which TensorBoard knows it.
inline constexpr char eventFileName[] = "events.out.tfevents.0.tessera";

/// The record that a file begins with, written at \p wallTime, in seconds since
/// 1970.
std::string eventFileHeader(double wallTime);

/// The record of a log's line: a scalar for each number, val_NAME as
/// validation/NAME and others as train/NAME.
std::string eventRecord(const LogLine &line, double wallTime);

} // namespace tessera

#endif // TESSERA_DRIVER_EVENTFILE_H
