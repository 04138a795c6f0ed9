// The two quick answers of clean_text.h against the slow ones: what they call clean, nothing else may object to.
#include "scrub/clean_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/text.h"
#include "scrub/hostile.h"

namespace honeylink::telemetry::scrub {
namespace {

bool is_clean(std::string_view text) { return is_utf8(text) && find_hostile(text) == Finding::none; }

TEST(PlainlyClean, EveryByteAtEveryPlaceOfEveryLength) {
  std::size_t said_yes = 0;
  for (std::size_t size = 0; size <= 48; ++size) {
    for (std::size_t at = 0; at < std::max<std::size_t>(size, 1); ++at) {
      for (unsigned byte = 0; byte < (size == 0 ? 1 : 256); ++byte) {
        std::string text(size, 'x');
        if (size != 0) text[at] = static_cast<char>(byte);
        if (!is_plainly_clean(text)) continue;
        ++said_yes;
        ASSERT_TRUE(is_clean(text)) << size << " bytes, byte " << byte << " at " << at;
        ASSERT_TRUE(size < 40 && byte < 0x80) << size << " bytes, byte " << byte << " at " << at;
        ASSERT_TRUE(size == 0 || byte < '-' || byte > ':') << "byte " << byte << " at " << at;
      }
    }
  }
  EXPECT_GT(said_yes, 39U * 40 / 2 * 100) << "it is there to say yes to ordinary words";
}

TEST(PlainlyClean, WhatTheMatchersFindIsNeverPlainlyClean) {
  for (const std::string_view text :
       {"anna@example.org", "anna%40example.org", "4111111111111111", "4111 1111 1111 1111", "192.168.17.20",
        "aa:bb:cc:dd:ee:ff", "aa-bb-cc-dd-ee-ff", "AKIAIOSFODNN7EXAMPLE", "password=hunter2", "token=abc123",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "\xff\xfe", "caf\xc3"}) {
    ASSERT_FALSE(is_clean(text)) << text;
    EXPECT_FALSE(is_plainly_clean(text)) << text;
  }
}

TEST(CleanTexts, KnowsWhatItWasToldAndNothingThatDiffersInOneByte) {
  CleanTexts known;
  for (std::size_t size = 0; size <= 80; ++size) {
    const std::string text(size, 'q');
    EXPECT_FALSE(known.contains(text)) << size;
    known.add(text);
    EXPECT_EQ(known.contains(text), size >= 4 && size <= 63) << size;
    for (std::size_t at = 0; at < size; ++at) {
      std::string other = text;
      other[at] = 'r';
      ASSERT_FALSE(known.contains(other)) << size << " bytes, another at " << at;
    }
  }
}

TEST(CleanTexts, ANewerTextTakesTheOldersPlaceAndNeitherIsMistaken) {
  CleanTexts known;
  for (int i = 0; i < 5'000; ++i) known.add("/orders/" + std::to_string(i));
  std::size_t kept = 0;
  for (int i = 0; i < 5'000; ++i) kept += known.contains("/orders/" + std::to_string(i)) ? 1 : 0;
  EXPECT_GT(kept, 0U);
  EXPECT_LE(kept, 256U);
  EXPECT_FALSE(known.contains("/orders/5000"));
}

}  // namespace
}  // namespace honeylink::telemetry::scrub
