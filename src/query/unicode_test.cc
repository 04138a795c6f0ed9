#include "query/unicode.h"

#include <gtest/gtest.h>

#include <random>

namespace honeylink::telemetry::query {
namespace {

TEST(Unicode, AnyBytesAreWalkedToTheirEnd) {
  std::mt19937 random(11);
  for (int i = 0; i < 5'000; ++i) {
    std::string bytes(random() % 24, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    std::string again;
    for (std::string_view rest = bytes; !rest.empty();) {
      const CodePoint point = next_code_point(rest);
      ASSERT_GT(point.bytes, 0);
      append_utf8(again, point.value);
      rest.remove_prefix(point.bytes);
    }
    ASSERT_TRUE(is_utf8(again));
    if (is_utf8(bytes)) { ASSERT_EQ(again, bytes); }
  }
}

TEST(Unicode, WideAndCombiningCharactersAreMeasured) {
  EXPECT_EQ(columns_of("abc"), 3U);
  EXPECT_EQ(columns_of("日本"), 4U);
  EXPECT_EQ(columns_of("e\xcc\x81"), 1U);
  EXPECT_EQ(columns_of("█▁"), 2U);
}

TEST(Unicode, CuttingNeverExceedsTheColumns) {
  EXPECT_EQ(cut_to_columns("session", 7), "session");
  EXPECT_EQ(cut_to_columns("session", 5), "sess…");
  EXPECT_EQ(cut_to_columns("日本語", 4), "日…");
  EXPECT_EQ(cut_to_columns("session", 5, true), "sess~");
  EXPECT_EQ(cut_to_columns("session", 0), "");
}

}  // namespace
}  // namespace honeylink::telemetry::query
