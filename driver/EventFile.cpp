//===- EventFile.cpp - Files of events for TensorBoard --------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/EventFile.h"
#include "driver/event.pb.h"
#include "runtime/files/Checksum.h"

#include "llvm/Support/Endian.h"

using namespace tessera;
using namespace llvm;

static uint32_t maskedChecksum(StringRef bytes) {
  uint32_t sum =
      runtime::checksum(bytes.data(), static_cast<int64_t>(bytes.size()));
  return ((sum >> 15) | (sum << 17)) + 0xa282ead8u;
}

template <typename Int> static std::string littleEndian(Int value) {
  std::string bytes(sizeof value, '\0');
  support::endian::write<Int, endianness::little>(bytes.data(), value);
  return bytes;
}

static std::string record(const event::Event &event) {
  std::string message = event.SerializeAsString();
  std::string length = littleEndian<uint64_t>(message.size());
  return length + littleEndian(maskedChecksum(length)) + message +
         littleEndian(maskedChecksum(message));
}

std::string tessera::eventFileHeader(double wallTime) {
  event::Event event;
  event.set_wall_time(wallTime);
  event.set_file_version("brain.Event:2");
  return record(event);
}

std::string tessera::eventRecord(const LogLine &line, double wallTime) {
  event::Event event;
  event.set_wall_time(wallTime);
  event.set_step(line.step);
  for (const auto &[name, value] : line.values) {
    StringRef tag(name);
    bool isValidation = tag.consume_front("val_");
    event::Summary::Value *scalar = event.mutable_summary()->add_value();
    scalar->set_tag((isValidation ? "validation/" : "train/") + tag.str());
    scalar->set_simple_value(static_cast<float>(value));
  }
  return record(event);
}
