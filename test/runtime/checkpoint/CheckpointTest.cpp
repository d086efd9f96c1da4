//===- CheckpointTest.cpp - What checkpoints are made of ------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/checkpoint/CheckpointIndex.h"
#include "runtime/files/Checksum.h"
#include "runtime/files/JsonCursor.h"
#include "runtime/program/Parts.h"
#include "runtime/training/LossWatch.h"
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

using namespace tessera::runtime;

namespace {

// RFC 3720, appendix B.4, and the usual check value.
TEST(Checksum, HasTheValuesOfTheStandard) {
  std::vector<unsigned char> bytes(32);
  EXPECT_EQ(checksum(bytes.data(), 32), 0x8a9136aau);
  std::fill(bytes.begin(), bytes.end(), 0xff);
  EXPECT_EQ(checksum(bytes.data(), 32), 0x62a8ab43u);
  std::iota(bytes.begin(), bytes.end(), 0);
  EXPECT_EQ(checksum(bytes.data(), 32), 0x46dd794eu);
  EXPECT_EQ(checksum("123456789", 9), 0xe3069283u);
  EXPECT_EQ(checksum("", 0), 0u);
}

TEST(Checksum, GoesOnWhereItStopped) {
  const char *text = "tiles of glass and stone";
  auto length = static_cast<int64_t>(strlen(text));
  for (int64_t cut = 0; cut <= length; ++cut)
    EXPECT_EQ(checksum(text + cut, length - cut, checksum(text, cut)),
              checksum(text, length));
}

TEST(Checksum, OfBlocksHoweverTheyAreWritten) {
  std::string text;
  for (int i = 0; i < 1000; ++i)
    text += static_cast<char>(i * i % 251);
  for (int64_t piece : {1, 7, 64, 100, 1000}) {
    std::vector<uint32_t> blocks(BlockChecksums::count(1000, 64));
    ASSERT_EQ(blocks.size(), 16u);
    BlockChecksums sums(blocks, 64);
    for (int64_t at = 0; at < 1000; at += piece)
      sums.add(text.data() + at, std::min<int64_t>(piece, 1000 - at));
    for (size_t i = 0; i < blocks.size(); ++i)
      EXPECT_EQ(blocks[i],
                checksum(text.data() + 64 * i, i == 15 ? 1000 - 960 : 64));
  }
}

// Each element of a group is written by one rank that holds it, whatever is
// sharded over how many.
TEST(Parts, EachElementIsWrittenOnce) {
  for (int world : {1, 2, 3, 4, 8})
    for (int shards : {1, 2, 4, 8}) {
      if (world % shards != 0)
        continue;
      Group group;
      group.padded = 16 * world * 5;
      State state;
      state.sharded = shards > 1;
      state.elements = group.padded / shards;
      std::vector<int> written(group.padded);
      for (int rank = 0; rank < world; ++rank) {
        Range held = heldRange(state, group, rank);
        EXPECT_EQ(held.size(), state.elements);
        Range range = writtenRange(state, group, rank, world);
        EXPECT_LE(held.begin, range.begin);
        EXPECT_LE(range.end, held.end);
        for (int64_t i = range.begin; i < range.end; ++i)
          ++written[i];
      }
      EXPECT_EQ(std::count(written.begin(), written.end(), 1), group.padded)
          << world << " ranks, " << shards << " shards";
    }
}

TEST(Parts, OfAParameterThatIsCut) {
  Parameter parameter;
  parameter.shape = {10, 10};
  parameter.offset = 48;
  State state;
  state.offset = 4096;
  state.elements = 64;
  Part part = partOf(parameter, state, {64, 128}, 64);
  EXPECT_EQ(part.range.begin, 16);
  EXPECT_EQ(part.range.end, 80);
  EXPECT_EQ(part.place, 4096);
  part = partOf(parameter, state, {0, 64}, 0);
  EXPECT_EQ(part.range.begin, 0);
  EXPECT_EQ(part.range.end, 16);
  EXPECT_EQ(part.place, 4096 + 4 * 48);
  EXPECT_TRUE(partOf(parameter, state, {192, 256}, 192).range.empty());
}

class IndexTest : public testing::Test {
protected:
  void SetUp() override {
    char pattern[] = "/tmp/tessera-index-XXXXXX";
    index.folder = folder = mkdtemp(pattern);
    index.model = "fake";
    index.world = 2;
    index.parameters = {{"w", {4, 6}}, {"b", {6}}};
    for (int rank : {0, 1}) {
      SavedFile file;
      file.name = "rank-0000" + std::to_string(rank);
      file.bytes = 100 + 4 * 45;
      int64_t offset = 100;
      for (const char *state : {"weight", "exp_avg", "exp_avg_sq"})
        for (int parameter : {0, 1}) {
          int64_t half = parameter == 0 ? 12 : 3;
          file.pieces.push_back({state,
                                 parameter,
                                 {rank * half, (rank + 1) * half},
                                 "F32",
                                 offset});
          offset += 4 * half;
        }
      file.checksums = {0x12345678u + rank};
      index.files.push_back(file);
    }
    index.progress.step = 12;
    index.progress.samples = 96;
    index.progress.seed = 1ull << 53;
    index.progress.losses = {7, 1.0 / 3, 2e-9};
  }
  void TearDown() override {
    unlink(path().c_str());
    rmdir(folder.c_str());
  }

  std::string path() const { return folder + "/" + CheckpointIndex::fileName; }
  void write(const std::string &text) const {
    std::ofstream(path(), std::ios::binary) << text;
  }
  std::string sealed(const CheckpointIndex &from) const {
    IndexText text = from.text();
    size_t place = 0;
    for (const SavedFile &file : from.files)
      for (uint32_t sum : file.checksums)
        text.put(place++, sum);
    text.seal();
    return text.text;
  }
  /// \p text with the checksum that it has now.
  static std::string resealed(const std::string &text) {
    IndexText other = {
        text,
        {text.size() - IndexText::noChecksum.size() - IndexText::end.size()}};
    other.seal();
    return other.text;
  }
  /// The reason for which the file is refused; "" where it is not.
  std::string refusal() const {
    std::string error;
    return CheckpointIndex::read(folder, error) ? "" : error;
  }

  CheckpointIndex index;
  std::string folder;
};

TEST_F(IndexTest, ReadsWhatItWrites) {
  write(sealed(index));
  std::string error;
  auto read = CheckpointIndex::read(folder, error);
  ASSERT_TRUE(read) << error;
  EXPECT_EQ(sealed(*read), sealed(index));
  EXPECT_EQ(read->progress.seed, 1ull << 53);
  EXPECT_EQ(read->progress.losses.mean, 1.0 / 3);
  EXPECT_EQ(read->files[1].checksums[0], 0x12345679u);
  EXPECT_EQ(read->blockCount(), 2);
}

TEST_F(IndexTest, RefusesFlippedBitsAndCuts) {
  std::string whole = sealed(index);
  for (size_t bit = 0; bit < 8 * whole.size(); bit += 5) {
    std::string text = whole;
    text[bit / 8] ^= static_cast<char>(1 << bit % 8);
    write(text);
    ASSERT_NE(refusal().find("' is damaged: "), std::string::npos) << bit;
  }
  for (size_t length = 0; length < whole.size(); length += 17) {
    write(whole.substr(0, length));
    ASSERT_NE(refusal(), "") << length;
  }
}

TEST_F(IndexTest, RefusesWhatDoesNotAddUp) {
  auto refuses = [&](const std::string &message, auto change) {
    CheckpointIndex other = index;
    change(other);
    write(sealed(other));
    EXPECT_NE(refusal().find(message), std::string::npos)
        << message << ": " << refusal();
  };
  refuses("it does not say where all of exp_avg of 'w' is",
          [](CheckpointIndex &i) {
            std::swap(i.files[1].pieces[2].range, i.files[1].pieces[0].range);
            i.files[1].pieces[2].range = {0, 12};
          });
  refuses("it does not say where all of weight of 'b' is",
          [](CheckpointIndex &i) { i.files[1].pieces[1].range = {2, 5}; });
  refuses("files[1].bytes is 280: the end of the file's last piece, 284 is",
          [](CheckpointIndex &i) { i.files[1].pieces[5].range = {2, 6}; });
  refuses("the pieces of 'rank-00001' do not follow one another: one begins at "
          "byte 272, not 268",
          [](CheckpointIndex &i) { i.files[1].pieces[5].offset += 4; });
  refuses("files[0].bytes is 280: the end of the file's last piece, 276 is",
          [](CheckpointIndex &i) {
            for (SavedPiece &piece : i.files[0].pieces)
              piece.offset -= 4;
          });
  refuses("a piece of 'rank-00000' begins in the file's header",
          [](CheckpointIndex &i) {
            i.files[0].bytes -= 92;
            for (SavedPiece &piece : i.files[0].pieces)
              piece.offset -= 92;
          });
  refuses("files[0].pieces[0][4] is \"I32\": F32, BF16 or F16 is wanted",
          [](CheckpointIndex &i) { i.files[0].pieces[0].dtype = "I32"; });
  refuses("files[0].pieces[0][1] is 2: an integer of 0 to 1 is wanted",
          [](CheckpointIndex &i) { i.files[0].pieces[0].parameter = 2; });
  refuses("files[0].name is \"../b\": the name of another file of the folder",
          [](CheckpointIndex &i) { i.files[0].name = "../b"; });
  refuses("files[1].name is \"rank-00000\": the name of another file",
          [](CheckpointIndex &i) { i.files[1].name = "rank-00000"; });
  refuses("files[0].name is \"checkpoint.json\"",
          [](CheckpointIndex &i) { i.files[0].name = "checkpoint.json"; });
  refuses("parameters[1].name is \"w\": another name",
          [](CheckpointIndex &i) { i.parameters[1].name = "w"; });
  refuses("parameters[0].shape[1] is 4194304: an integer of 1 to 65536",
          [](CheckpointIndex &i) {
            i.parameters[0].shape = {int64_t(1) << 32, 1 << 22};
          });
  refuses("progress.skipped is 13: an integer of 0 to 12 is wanted",
          [](CheckpointIndex &i) { i.progress.skipped = 13; });
  refuses("progress.order is \"random\": 'sequential' or 'shuffled' is wanted",
          [](CheckpointIndex &i) { i.progress.order = "random"; });
  std::string text = sealed(index);
  text.replace(text.find(":2,"), 3, ":3,");
  write(resealed(text));
  EXPECT_NE(refusal().find("tessera_checkpoint is 3: an integer of 2 to 2"),
            std::string::npos)
      << refusal();
}

TEST_F(IndexTest, RefusesAFileWithoutItsChecksums) {
  const std::string whole = sealed(index);
  auto refuses = [&](const std::string &from, const std::string &to,
                     const std::string &message) {
    std::string text = whole;
    ASSERT_NE(text.find(from), std::string::npos);
    write(resealed(text.replace(text.find(from), from.size(), to)));
    EXPECT_NE(refusal().find(message), std::string::npos) << refusal();
  };
  refuses(",\n[\"12345679\"]]", "]",
          "checksums is an array: an array of 2 elements is wanted");
  refuses("[\"12345678\"]", "[]",
          "checksums[0] is an array: an array of 1 elements is wanted");
  refuses("\"12345678\"", "\"12345678\", \"12345678\"",
          "checksums[0] is an array: an array of 1 elements is wanted");
  for (const char *word : {"\"1234567\"", "\"1234567g\"", "\"123456789\"",
                           "\"-2345678\"", "\"\"", "\" 2345678\""})
    refuses("\"12345678\"", word, "checksums[0][0] is " + std::string(word));
  // More than 16 million blocks are none of ours.
  refuses("\"block_bytes\":4194304", "\"block_bytes\":0",
          "block_bytes is 0: an integer of 1 to");
}

// To a parser of JSON a NUL is the end.
TEST_F(IndexTest, RefusesWhatStandsBehindANul) {
  std::string text = sealed(index);
  text.insert(text.rfind('}') + 1, 1, '\0');
  EXPECT_THROW(JsonCursor::parse(text, 8), JsonCursor::Refusal);
  EXPECT_NO_THROW(JsonCursor::parse(sealed(index), 8));
}

// A parser would keep one of the two, and which one is its own affair.
TEST_F(IndexTest, RefusesAKeyThatIsThereTwice) {
  const std::string whole = sealed(index);
  for (auto [from, key] : {std::pair("\"model\":", "model"),
                           {"\"step\":", "step"},
                           {"\"bytes\":", "bytes"},
                           {"\"losses\":", "losses"}}) {
    std::string text = whole, member = std::string("\"") + key + "\":[1],";
    ASSERT_NE(text.find(from), std::string::npos) << from;
    write(resealed(text.insert(text.find(from), member)));
    EXPECT_NE(
        refusal().find("it has '" + std::string(key) + "' twice in one object"),
        std::string::npos)
        << refusal();
  }
  // Also where it stands in none of the objects that are read.
  std::string text = whole;
  write(resealed(text.insert(1, "\"x\":{\"y\":{\"z\":1,\"z\":1}},")));
  EXPECT_NE(refusal().find("it has 'z' twice"), std::string::npos) << refusal();
  // The same key in objects within one another is no such thing.
  text = whole;
  write(resealed(text.insert(1, "\"x\":{\"x\":{\"x\":1},\"model\":2},")));
  EXPECT_EQ(refusal(), "");
}

TEST_F(IndexTest, RefusesWhatIsNestedOrLong) {
  std::string text = sealed(index);
  std::string deep(100000, '[');
  write(resealed(
      text.insert(1, "\"x\":" + deep + std::string(100000, ']') + ",")));
  EXPECT_NE(refusal().find("it nests values more than 8 deep"),
            std::string::npos)
      << refusal();
  write("");
  ASSERT_EQ(truncate(path().c_str(), (int64_t(1) << 28) + 1), 0);
  EXPECT_NE(refusal().find("has 268435457 bytes, more than 268435456"),
            std::string::npos)
      << refusal();
  unlink(path().c_str());
  ASSERT_EQ(mkfifo(path().c_str(), 0600), 0);
  EXPECT_NE(refusal().find("is not a file but a FIFO"), std::string::npos)
      << refusal();
}

// Each value of a whole index is replaced by what no run writes there.
TEST_F(IndexTest, RefusesEveryValueThatIsOutOfBounds) {
  index.fingerprint = {{"transformer.heads", "4"}};
  index.data = DataFingerprint{1000, 7};
  using Json = nlohmann::ordered_json;
  const Json whole = Json::parse(sealed(index));
  // The seal is checked before any value.
  auto writeJson = [&](Json json) {
    json.erase("checksum");
    std::string text = json.dump();
    text.pop_back();
    write(resealed(text.append(IndexText::sealBegin)
                       .append(IndexText::noChecksum)
                       .append(IndexText::end)));
  };
  writeJson(whole);
  ASSERT_EQ(refusal(), "");
  // What is there by right.
  auto isFine = [](const std::string &place, const Json &value) {
    if (place.starts_with("/checksum") && place.find("/checksums") != 0)
      return true;
    if (place == "/progress/losses/mean")
      return value.is_number();
    if (place == "/progress/losses/variance")
      return value.is_number() && value.get<double>() >= 0;
    if (place == "/progress/seed")
      return value.is_number_unsigned();
    if (place == "/progress/loss_scale/scale")
      return value.is_number() && value.get<double>() > 0;
    // Names are free.
    return value.is_string() &&
           (place == "/model" || place.starts_with("/fingerprint/") ||
            place.ends_with("/name"));
  };
  int refused = 0;
  auto tryAll = [&](const Json::json_pointer &at) {
    for (const Json &value : {Json(-1), Json(1e30), Json(uint64_t(1) << 63),
                              Json("nothing"), Json(nullptr), Json(true),
                              Json(0.5), Json::array(), Json::object()}) {
      bool alike = whole.at(at).is_array() && value.is_array() &&
                   at.to_string() == "/parameters/0/shape";
      if (isFine(at.to_string(), value) || alike)
        continue;
      Json other = whole;
      other[at] = value;
      writeJson(other);
      EXPECT_NE(refusal().find("' is damaged: "), std::string::npos)
          << at.to_string() << " = " << value << " is taken";
      ++refused;
    }
    Json other = whole;
    Json &parent = other[at.parent_pointer()];
    // Without them a checkpoint is of a run that did not write them yet.
    bool optional = at.parent_pointer().empty() &&
                    (at.back() == "fingerprint" || at.back() == "data");
    if (optional || at.to_string() == "/checksum" ||
        at.parent_pointer().to_string() == "/fingerprint" ||
        at.parent_pointer().to_string() == "/parameters/0/shape")
      return;
    if (parent.is_array())
      parent.erase(std::stoul(at.back()));
    else
      parent.erase(at.back());
    writeJson(other);
    EXPECT_NE(refusal().find("' is damaged: "), std::string::npos)
        << at.to_string() << " may be missing";
  };
  std::function<void(const Json &, const Json::json_pointer &)> visit =
      [&](const Json &value, const Json::json_pointer &at) {
        if (!at.empty())
          tryAll(at);
        if (value.is_array())
          for (size_t i = 0; i < value.size(); ++i)
            visit(value[i], at / i);
        else if (value.is_object())
          for (const auto &[key, member] : value.items())
            visit(member, at / key);
      };
  visit(whole, Json::json_pointer());
  EXPECT_GT(refused, 900);
}

TEST_F(IndexTest, IsOfTheStepOfItsFolder) {
  std::string text = sealed(index), outer = folder;
  for (auto [name, taken] : {std::pair("step-000000000012", true),
                             {"step-000000000013", false},
                             {"best", true}}) {
    folder = outer + "/" + name;
    ASSERT_EQ(mkdir(folder.c_str(), 0700), 0);
    write(text);
    EXPECT_EQ(refusal().empty(), taken) << refusal();
    unlink(path().c_str());
    rmdir(folder.c_str());
  }
  folder = outer;
}

TEST(LossWatch, FindsSpikesAlone) {
  LossStatistics losses;
  int spikes = 0;
  // A noisy curve that falls, as losses do.
  auto loss = [](int step) {
    return 2 + 4 * std::exp(-step / 80.0) + 0.1 * std::sin(1.7 * step);
  };
  for (int step = 0; step < 1000; ++step)
    spikes += losses.observe(loss(step));
  EXPECT_EQ(spikes, 0);
  EXPECT_NEAR(losses.mean, 2, 0.02);
  EXPECT_NEAR(std::sqrt(losses.variance), 0.1 / std::sqrt(2.0), 0.02);
  EXPECT_TRUE(losses.observe(4));
  EXPECT_TRUE(losses.observe(4)) << "one spike hides no other";
  EXPECT_FALSE(losses.observe(2.1));
  // A new level is one for a while only.
  for (int step = 0; step < 60; ++step)
    losses.observe(5);
  EXPECT_FALSE(losses.observe(5));
}

TEST(LossWatch, WaitsForEnoughLosses) {
  LossStatistics losses;
  for (int step = 0; step < 20; ++step)
    EXPECT_FALSE(losses.observe(step % 2 ? 100 : 1));
  LossStatistics constant;
  for (int step = 0; step < 30; ++step)
    EXPECT_FALSE(constant.observe(3));
  EXPECT_FALSE(constant.observe(3.14)) << "rounding is no spike";
  EXPECT_TRUE(constant.observe(3.5));
}

} // namespace
