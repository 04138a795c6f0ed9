// Text from anywhere: validity, cutting, and that neither a JSON line nor a terminal ever gets a control character
// (F33).
#include "base/text.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

namespace honeylink::telemetry {
namespace {

std::string json(std::string_view text) {
  std::string to;
  append_json_string(to, text);
  return to;
}
std::string encode(char32_t c) {
  std::string s;
  if (c < 0x80) s = {static_cast<char>(c)};
  else if (c < 0x800) s = {static_cast<char>(0xc0 | c >> 6), static_cast<char>(0x80 | (c & 63))};
  else if (c < 0x10000)
    s = {static_cast<char>(0xe0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 63)),
         static_cast<char>(0x80 | (c & 63))};
  else
    s = {static_cast<char>(0xf0 | c >> 18), static_cast<char>(0x80 | (c >> 12 & 63)),
         static_cast<char>(0x80 | (c >> 6 & 63)), static_cast<char>(0x80 | (c & 63))};
  return s;
}

TEST(Text, EveryScalarValueIsValidAndNothingElseIs) {
  for (char32_t c = 0; c < 0x110000; ++c)
    ASSERT_EQ(is_utf8(encode(c)), c < 0xd800 || c > 0xdfff) << std::hex << static_cast<std::uint32_t>(c);
  for (const char32_t beyond : {0x110000U, 0x13ffffU, 0x1fffffU}) EXPECT_FALSE(is_utf8(encode(beyond)));
}

TEST(Text, MalformedUtf8IsRefused) {
  for (const std::string_view bad :
       {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xe2\x82", "\xed\xa0\x80",
        "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf0\x9f\x98", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xfe", "\xff",
        "abcdefghij\xff", "\xc2 "}) {
    EXPECT_FALSE(is_utf8(bad));
    EXPECT_TRUE(is_utf8(replace_invalid_utf8(bad)));
  }
}

TEST(Text, InvalidPartsAreReplacedAsUnicodeRecommends) {
  // Table 3-8 of Unicode 15: one U+FFFD for every maximal subpart.
  EXPECT_EQ(replace_invalid_utf8("a\xf1\x80\x80\xe1\x80\xc2"
                                 "b\x80"
                                 "c\x80\xbf"
                                 "d"),
            "a\ufffd\ufffd\ufffd"
            "b\ufffd"
            "c\ufffd\ufffd"
            "d");
  std::string to = "x";
  EXPECT_EQ(append_valid_utf8(to, "\xff\xff"), 2U);
  EXPECT_EQ(append_valid_utf8(to, "ä€😀"), 0U);
  EXPECT_EQ(to, "x\ufffd\ufffdä€😀");
}

TEST(Text, ACutNeverSplitsACharacter) {
  const std::string text = "aä€😀b";  // 1 + 2 + 3 + 4 + 1
  const std::size_t want[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
  for (std::size_t max = 0; max < std::size(want); ++max) {
    EXPECT_EQ(utf8_cut(text, max), want[max]) << max;
    EXPECT_TRUE(is_utf8(text.substr(0, utf8_cut(text, max))));
  }
  EXPECT_EQ(utf8_cut(std::string(300, '\x80'), 256), 256U) << "what is no UTF-8 is cut where it must be";
  EXPECT_EQ(utf8_cut("", 0), 0U);
}

TEST(Text, JsonEscapesWhatMovesACursorOrTurnsTheDirection) {
  EXPECT_EQ(json("plain, with / and 'quotes'"), "\"plain, with / and 'quotes'\"");
  EXPECT_EQ(json("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(json("1\n2\r3\t4"), R"("1\n2\r3\t4")");
  EXPECT_EQ(json(std::string_view("\0\x1b\x7f", 3)), R"("\u0000\u001b\u007f")");
  EXPECT_EQ(json(encode(0x85) + encode(0x9b) + encode(0x2028) + encode(0x2029) + encode(0x202e) + encode(0x2066) +
                 encode(0x61c)),
            R"("\u0085\u009b\u2028\u2029\u202e\u2066\u061c")");
  EXPECT_EQ(json("ä€😀"), "\"ä€😀\"");
  EXPECT_EQ(json("a\xff"
                 "b"),
            "\"a\ufffd"
            "b\"");
}

TEST(Text, NoByteOfAnyKindGetsThroughAsAControl) {
  std::mt19937 random(33);
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    const std::size_t length = random() % 40;
    for (std::size_t i = 0; i < length; ++i) {
      if (random() % 2 == 0) text += static_cast<char>(random());
      else text += encode(static_cast<char32_t>(random() % 0x2100));
    }
    for (const std::string& safe : {json(text), terminal_safe(text)}) {
      ASSERT_TRUE(is_utf8(safe));
      for (std::size_t i = 0; i < safe.size(); ++i) {
        const auto byte = static_cast<std::uint8_t>(safe[i]);
        ASSERT_TRUE(byte >= 0x20 && byte != 0x7f);
        ASSERT_FALSE(byte == 0xc2 && static_cast<std::uint8_t>(safe[i + 1]) < 0xa0);
        ASSERT_FALSE(byte == 0xe2 && safe[i + 1] == '\x80' && static_cast<std::uint8_t>(safe[i + 2]) >= 0xa8 &&
                     static_cast<std::uint8_t>(safe[i + 2]) <= 0xae);
      }
    }
  }
}

// The fast path looks at eight bytes at once: every byte at every place of a word.
TEST(Text, EveryByteIsEscapedAtEveryPlaceOfAWord) {
  for (int c = 0; c < 0x80; ++c) {
    const std::string one(1, static_cast<char>(c)), alone = json(one).substr(1, json(one).size() - 2);
    for (std::size_t place = 0; place < 17; ++place) {
      const std::string before(place, 'x'), after(17 - place, 'y');
      ASSERT_EQ(json(before + one + after), "\"" + before + alone + after + "\"") << c;
      ASSERT_EQ(json(std::string(place, one[0])).size(), place * alone.size() + 2);
    }
  }
}

TEST(Text, ATerminalSeesControlsAsText) {
  EXPECT_EQ(terminal_safe("\x1b[31mred\n"), R"(\x1b[31mred\n)");
  EXPECT_EQ(terminal_safe(encode(0x9b) + "\x7f" + encode(0x202e)), R"(\x9b\x7f\u202e)");
}

TEST(Text, HexBothWays) {
  const std::uint8_t bytes[] = {0x00, 0x9f, 0xff};
  EXPECT_EQ(hex(bytes), "009fff");
  std::uint8_t back[3];
  EXPECT_TRUE(unhex("009FfF", back));
  EXPECT_EQ(std::memcmp(back, bytes, 3), 0);
  for (const char* bad : {"", "009ff", "009fff0", "009fgg", "009f f"}) EXPECT_FALSE(unhex(bad, back)) << bad;
}

}  // namespace
}  // namespace honeylink::telemetry
