#include "query/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

namespace honeylink::telemetry::query {
namespace {

TEST(Json, AnyBytesBecomeAStringThatAnotherParserReads) {
  std::mt19937 random(3);
  for (int i = 0; i < 5'000; ++i) {
    std::string bytes(random() % 32, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    const std::string json = json_string(bytes);
    ASSERT_TRUE(nlohmann::json::accept(json)) << json;
    for (const char c : json) ASSERT_GE(static_cast<unsigned char>(c), 0x20);
  }
}

TEST(Json, TextsSurviveTheRoundTrip) {
  for (const std::string text : {"", "a\"b\\c\n\t", "Grüße 日本 🙂", "\x1b[0m", "\xe2\x80\xa8"}) {
    EXPECT_EQ(json_text_of(json_string(text)), text);
    EXPECT_EQ(nlohmann::json::parse(json_string(text)).get<std::string>(), text);
  }
}

TEST(Json, NumbersAreExactAndNeverNaN) {
  EXPECT_EQ(json_number(0.1), "0.1");
  EXPECT_EQ(json_number(650.5), "650.5");
  EXPECT_EQ(json_number(0.0 / 0.0 * 0), "null");
  EXPECT_EQ(json_number(1e308 * 10), "null");
}

TEST(Json, TheWriterPutsCommasWhereTheyBelong) {
  JsonWriter json;
  json.begin_object()
      .key("schema")
      .integer(1)
      .key("a")
      .begin_array()
      .begin_object()
      .end_object()
      .text("x")
      .null()
      .end_array()
      .key("b")
      .boolean(true)
      .end_object();
  EXPECT_EQ(json.str(), R"({"schema":1,"a":[{},"x",null],"b":true})");
}

TEST(Json, AnObjectIsSplitIntoItsMembers) {
  std::vector<JsonMember> members;
  ASSERT_TRUE(read_json_object(R"( {"a":1, "b" : {"x":[1,2,"}"]}, "c\n":"\u00e9\ud83d\ude42"} )", members));
  ASSERT_EQ(members.size(), 3U);
  EXPECT_EQ(members[1].second, R"({"x":[1,2,"}"]})");
  EXPECT_EQ(members[2].first, "c\n");
  EXPECT_EQ(json_text_of(members[2].second), "é🙂");
}

TEST(Json, WhatIsNotOneWholeObjectIsRefused) {
  std::vector<JsonMember> members;
  for (const std::string text : {"", "{", "[]", "{}x", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":tru}",
                                 "{\"a\":nan}", "{\"a\":inf}", "{\"a\":\"\n\"}", "{\"a\":\"\\"}) {
    EXPECT_FALSE(read_json_object(text, members)) << text;
  }
  EXPECT_FALSE(read_json_object("{\"a\":" + std::string(100'000, '[') + "}", members));
}

TEST(Json, RandomBytesNeverCrashTheReader) {
  std::mt19937 random(5);
  constexpr std::string_view kAlphabet = "{}[]\",:\\u0a1e-. tfn";
  std::vector<JsonMember> members;
  int sound = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::string text = "{";
    const std::size_t length = random() % 24;
    for (std::size_t j = 0; j < length; ++j) text += kAlphabet[random() % kAlphabet.size()];
    if (!read_json_object(text, members)) continue;
    ++sound;
    ASSERT_TRUE(nlohmann::json::accept(text)) << text;
  }
  EXPECT_GT(sound, 0);
}

}  // namespace
}  // namespace honeylink::telemetry::query
