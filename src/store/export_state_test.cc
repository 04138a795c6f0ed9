// The file of a destination and signal: written and read alike, and garbage is none.
#include "store/export_state.h"

#include <gtest/gtest.h>

#include <random>

namespace honeylink::telemetry::store {
namespace {

ExportState some_state() {
  ExportState state;
  state.acknowledged = "17 20-25 31-40";
  std::uint64_t n = 3;
  for (const auto& [name, member] : kExportTotals) state.totals.*member = n *= 7;
  state.backlog = 5, state.answered_unix_ns = 1'700'000'000'000'000'001, state.failing_since_unix_ns = 1;
  state.said = "UNAVAILABLE: soon\nagain";
  return state;
}

TEST(StateOfExport, IsReadAsItWasWritten) {
  const ExportState state = some_state();
  ExportState read;
  ASSERT_TRUE(read_export_state(write_export_state(state), read));
  EXPECT_EQ(read.acknowledged, state.acknowledged);
  for (const auto& [name, member] : kExportTotals) EXPECT_EQ(read.totals.*member, state.totals.*member) << name;
  EXPECT_EQ(read.backlog, state.backlog);
  EXPECT_EQ(read.answered_unix_ns, state.answered_unix_ns);
  EXPECT_EQ(read.failing_since_unix_ns, state.failing_since_unix_ns);
  EXPECT_EQ(read.said, "UNAVAILABLE: soon again") << "one line, whatever a peer said";
}

TEST(StateOfExport, OfPositionsAloneAndWithLinesOfALaterVersionIsRead) {
  ExportState read;
  ASSERT_TRUE(read_export_state("honeytel-export 1\n17\n", read));
  EXPECT_EQ(read.acknowledged, "17");
  ASSERT_TRUE(read_export_state("honeytel-export 1\n17\nsent 4\nnew thing\nodd\nrefused x\n", read));
  EXPECT_EQ(read.totals.sent, 4U);
  EXPECT_EQ(read.totals.refused, 0U);
}

TEST(StateOfExport, WhatIsNoneIsRefusedAndChangesNothing) {
  ExportState read = some_state();
  for (const char* text : {"", "honeytel-export 1\n", "honeytel-export 2\n17\n", "honeytel-export 1\n17", "17\n"})
    EXPECT_FALSE(read_export_state(text, read)) << text;
  EXPECT_EQ(read.acknowledged, "17 20-25 31-40");
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::string whole = write_export_state(some_state());
  for (int i = 0; i < 10'000; ++i) {
    std::string text = whole;
    for (int n = 0; n < 4; ++n) text[random() % text.size()] = static_cast<char>(random());
    text.resize(random() % (text.size() + 1));
    static_cast<void>(read_export_state(text, read));
  }
}

}  // namespace
}  // namespace honeylink::telemetry::store
