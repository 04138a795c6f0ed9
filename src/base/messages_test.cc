#include "base/messages.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <set>

#include "base/text.h"

namespace honeylink::telemetry {
namespace {

std::set<char> places_of(std::string_view text) {
  std::set<char> places;
  for (std::size_t i = 0; i + 2 < text.size(); ++i)
    if (text[i] == '{' && text[i + 2] == '}') places.insert(text[i + 1]);
  return places;
}

/// What a row lacks, or nothing.
std::string lacking(const Message& message) {
  for (std::size_t i = 0; i < kLanguages; ++i) {
    const std::string in = std::string(message.key) + " in " + std::string(kLanguageNames[i]);
    if (message.text[i].empty()) return in + " is missing";
    if (!is_utf8(message.text[i])) return in + " is no UTF-8";
    if (places_of(message.text[i]) != places_of(message.text[0])) return in + " has other places than English";
  }
  return {};
}

TEST(Messages, AreThereInEveryLanguageWithTheSamePlaces) {
  std::set<std::string_view> keys;
  for (const auto& area : kAreas) {
    for (const Message& message : area) {
      EXPECT_EQ(lacking(message), "");
      EXPECT_TRUE(keys.insert(message.key).second) << message.key << " is there twice";
      EXPECT_NE(message.key.find('.'), std::string_view::npos) << message.key << " names no area";
    }
  }
  EXPECT_FALSE(keys.empty());
}

TEST(Messages, ThatLackALanguageOrAPlaceAreFound) {
  EXPECT_NE(lacking({"a.b", {"until {0}", "{0} まで", "", "直到 {0}"}}), "");
  EXPECT_NE(lacking({"a.b", {"until {0}", "まで", "hasta {0}", "直到 {0}"}}), "");
  EXPECT_NE(lacking({"a.b", {"until {0}", "{0} \xe3まで", "hasta {0}", "直到 {0}"}}), "");
  EXPECT_EQ(lacking({"a.b", {"until {0}", "{0} まで", "hasta {0}", "直到 {0}"}}), "");
}

TEST(Messages, TakeTheirValuesWhereTheLanguageHasThem) {
  EXPECT_EQ(fill("consent.until", Language::en, {"May", "3"}).find("May") != std::string::npos, true);
  EXPECT_NE(fill("consent.until", Language::ja, {"5月", "3"}).find("5月"), std::string::npos);
  EXPECT_EQ(fill("consent.until", Language::en, {}).find('{'), std::string::npos) << "a value too few is an empty one";
}

TEST(Messages, SpeakTheLocalesLanguageElseEnglish) {
  EXPECT_EQ(language_of("ja_JP.UTF-8"), Language::ja);
  EXPECT_EQ(language_of("es"), Language::es);
  EXPECT_EQ(language_of("es_419"), Language::es);
  EXPECT_EQ(language_of("zh-Hans-CN"), Language::zh);
  for (const char* other : {"", "C", "POSIX", "C.UTF-8", "de_DE.UTF-8", "esperanto", "jam"})
    EXPECT_EQ(language_of(other), Language::en) << other;
}

TEST(Messages, LcAllWinsOverLcMessagesWinsOverLang) {
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) ::unsetenv(name);
  EXPECT_EQ(language_of_environment(), Language::en);
  ::setenv("LANG", "ja_JP.UTF-8", 1);
  EXPECT_EQ(language_of_environment(), Language::ja);
  ::setenv("LC_MESSAGES", "es_ES.UTF-8", 1);
  EXPECT_EQ(language_of_environment(), Language::es);
  ::setenv("LC_ALL", "C", 1);
  EXPECT_EQ(language_of_environment(), Language::en);
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) ::unsetenv(name);
}

}  // namespace
}  // namespace honeylink::telemetry
