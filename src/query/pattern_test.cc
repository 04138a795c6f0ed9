#include "query/pattern.h"

#include <gtest/gtest.h>

#include <random>
#include <regex>

namespace honeylink::telemetry::query {
namespace {

bool match(std::string_view pattern, std::string_view text) {
  std::string why;
  auto compiled = Pattern::compile(pattern, why);
  EXPECT_TRUE(compiled) << pattern << ": " << why;
  return compiled && compiled->matches(text);
}

TEST(Pattern, WhatPeopleWrite) {
  EXPECT_TRUE(match("packet.lost", "x packet.lost y"));
  EXPECT_TRUE(match("error|warn", "a warning"));
  EXPECT_TRUE(match("^\\{\"time", "{\"timestamp\""));
  EXPECT_FALSE(match("^time", "{\"timestamp\""));
  EXPECT_TRUE(match("retr(y|ies): [3-9]$", "retries: 4"));
  EXPECT_FALSE(match("retr(y|ies): [3-9]$", "retries: 42"));
  EXPECT_TRUE(match("a{2,3}b", "caaab"));
  EXPECT_FALSE(match("^a{2,3}b", "ab"));
  EXPECT_TRUE(match("(?i)ERROR", "an error"));
  EXPECT_TRUE(match("[^a-z]\\d\\w\\s", "A1_ "));
  EXPECT_TRUE(match("", "anything"));
  EXPECT_TRUE(match("a{x", "a{x"));
  EXPECT_TRUE(match("日本+", "x日本本"));
}

TEST(Pattern, ThePatternsThatHangOthersAreLinear) {
  const std::string text(20'000, 'a');
  EXPECT_FALSE(match("(a*)*b", text));
  EXPECT_FALSE(match("(a|a)*(a|aa)+$b", text));
  EXPECT_FALSE(match("a{0,60}a{60}c", text));
}

TEST(Pattern, MistakesAreNamed) {
  std::string why;
  for (const char* wrong :
       {"(", ")", "a)", "[a", "*", "+a", "[z-a]", "a\\", "a{5,2}", "a{999}", "(((a{200}){200}){200})", "a{0}"}) {
    EXPECT_FALSE(Pattern::compile(wrong, why)) << wrong;
    EXPECT_FALSE(why.empty());
  }
  EXPECT_FALSE(Pattern::compile(std::string(513, 'a'), why));
  EXPECT_FALSE(Pattern::compile(std::string(400, '('), why));
}

TEST(Pattern, AgreesWithAnotherImplementation) {
  std::mt19937 random(17);
  constexpr std::string_view kPieces[] = {"a",  "b",     "c", "(a|b)",  "[ab]", "[^a]", "a*",    "b+",
                                          "c?", "(ab)*", ".", "a{1,2}", "^",    "$",    "(b|c)+"};
  for (int i = 0; i < 3'000; ++i) {
    std::string pattern, text;
    for (std::size_t j = 0; j < 1 + random() % 4; ++j) pattern += kPieces[random() % std::size(kPieces)];
    for (std::size_t j = 0; j < random() % 8; ++j) text += static_cast<char>('a' + random() % 3);
    ASSERT_EQ(match(pattern, text), std::regex_search(text, std::regex(pattern))) << pattern << " in " << text;
  }
}

}  // namespace
}  // namespace honeylink::telemetry::query
