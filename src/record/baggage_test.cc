// Baggage as a value and as a header: limits, percent-encoding, metadata, what is refused and counted.
#include "record/baggage.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "honeylink/propagation.h"
#include "record/count.h"

namespace honeylink::telemetry {
namespace {

std::uint64_t refused() { return internal::counted(ProcessCounter::baggage_refused); }
std::uint64_t invalid_utf8() { return internal::counted(ProcessCounter::invalid_utf8); }

std::string header_of(const Baggage& baggage) {
  std::string header;
  inject(
      [&header](std::string_view name, std::string_view value) {
        if (name == "baggage") header = value;
      },
      Context(SpanContext(), baggage));
  return header;
}

Baggage parse(std::string_view header) { return internal::join_baggage(Baggage(), header); }

std::map<std::string, std::pair<std::string, std::string>> pairs_of(const Baggage& baggage) {
  std::map<std::string, std::pair<std::string, std::string>> pairs;
  baggage.for_each([&pairs](std::string_view name, std::string_view value, std::string_view metadata) {
    pairs.emplace(name, std::pair(std::string(value), std::string(metadata)));
  });
  return pairs;
}

std::string numbered(int count) {
  std::string header;
  for (int i = 0; i < count; ++i) header += (i == 0 ? "k" : ",k") + std::to_string(i) + "=v";
  return header;
}

TEST(Baggage, IsEmptyWithoutPairs) {
  EXPECT_EQ(Baggage().size(), 0U);
  EXPECT_EQ(Baggage().get("k"), "");
  EXPECT_EQ(Baggage().erase("k").size(), 0U);
  EXPECT_EQ(header_of(Baggage()), "");
  EXPECT_EQ(parse(" ,\t,").size(), 0U);
}

TEST(Baggage, ReadsMembersValuesAndMetadata) {
  const Baggage baggage = parse("key1=value1;p1;p2 = x , key2 = value%202 ,key3=;only");
  EXPECT_EQ(baggage.size(), 3U);
  EXPECT_EQ(baggage.get("key1"), "value1");
  EXPECT_EQ(baggage.get("key2"), "value 2");
  EXPECT_EQ(baggage.get("key3"), "");
  EXPECT_EQ(pairs_of(baggage)["key1"].second, "p1;p2 = x");
  EXPECT_EQ(pairs_of(baggage)["key3"].second, "only");
  EXPECT_EQ(header_of(baggage), "key1=value1;p1;p2 = x,key2=value%202,key3=;only");
}

TEST(Baggage, SendsOnTheVeryCharactersThatItReceived) {
  for (const std::string header :
       {"a=%41%c3%a9", "a=50%", "a=%zz", "a=x=y==", "a=%FF%fe", "a=/:?@!$&'()*+-._~<>[]{}|`^#"}) {
    EXPECT_EQ(header_of(parse(header)), header);
    EXPECT_EQ(header_of(parse(header).set("b", "1")), header + ",b=1");
  }
}

TEST(Baggage, EncodesWhatAHeaderCannotCarry) {
  const Baggage baggage = Baggage().set("k", "a b,c;d\\e\"f%g=h\n\xc3\xa9\xf0\x9f\x90\x9d");
  EXPECT_EQ(header_of(baggage), "k=a%20b%2Cc%3Bd%5Ce%22f%25g=h%0A%C3%A9%F0%9F%90%9D");
  EXPECT_EQ(baggage.get("k"), "a b,c;d\\e\"f%g=h\n\xc3\xa9\xf0\x9f\x90\x9d");
}

TEST(Baggage, ReplacesWhatIsNotUtf8AndCounts) {
  const std::string replacement = "\xef\xbf\xbd";
  std::uint64_t before = invalid_utf8();
  EXPECT_EQ(parse("k=a%FFb").get("k"), "a" + replacement + "b");
  EXPECT_EQ(invalid_utf8(), before + 1);
  EXPECT_EQ(parse("k=%E2%82").get("k"), replacement + replacement);  // cut short
  EXPECT_EQ(parse("k=%C3A").get("k"), replacement + "A");
  EXPECT_EQ(parse("k=%ED%A0%80").get("k"), replacement + replacement + replacement);  // surrogate
  EXPECT_EQ(parse("k=%C0%AF").get("k"), replacement + replacement);                   // overlong
  EXPECT_EQ(parse("k=%F4%90%80%80").get("k").size(), 12U);                            // above U+10FFFF
  before = invalid_utf8();
  const Baggage set = Baggage().set("k", "a\xff");
  EXPECT_EQ(set.get("k"), "a" + replacement);
  EXPECT_EQ(header_of(set), "k=a%EF%BF%BD");
  EXPECT_EQ(set.set("other", "1").get("k"), "a" + replacement);
  EXPECT_EQ(invalid_utf8(), before + 1) << "once, however often the list changes";
}

TEST(Baggage, ChangesMakeNewValues) {
  const Baggage one = Baggage().set("a", "1", "m=1");
  const Baggage two = one.set("b", "2").set("a", "3");
  EXPECT_EQ(one.get("a"), "1");
  EXPECT_EQ(one.size(), 1U);
  EXPECT_EQ(pairs_of(two), (decltype(pairs_of(two)){{"a", {"3", ""}}, {"b", {"2", ""}}}));
  EXPECT_EQ(two.erase("a").get("a"), "");
  EXPECT_EQ(two.erase("a").get("b"), "2");
  EXPECT_EQ(two.erase("nothing").size(), 2U);
  EXPECT_EQ(one.erase("a").size(), 0U);
}

TEST(Baggage, AValueMayComeFromTheListItself) {
  const Baggage baggage = parse("a=x%20y;m,b=2");
  const Baggage next = baggage.set("b", baggage.get("a"), pairs_of(baggage)["a"].second);
  EXPECT_EQ(header_of(next), "a=x%20y;m,b=x%20y;m");
}

TEST(Baggage, RefusesIllegalNamesAndMetadataAndCounts) {
  const Baggage baggage = Baggage().set("a", "1");
  for (const char* name : {"", " ", "a b", "a,b", "a=b", "a;b", "\xc3\xa9", "a\"", "(a)"}) {
    const std::uint64_t before = refused();
    EXPECT_EQ(header_of(baggage.set(name, "v")), "a=1") << name;
    EXPECT_EQ(refused(), before + 1) << name;
  }
  for (const char* metadata : {"a,b", "=x", "a b", "k=a b", ";;", "k=\"x\"", "k=\n"}) {
    const std::uint64_t before = refused();
    EXPECT_EQ(header_of(baggage.set("k", "v", metadata)), "a=1") << metadata;
    EXPECT_EQ(refused(), before + 1) << metadata;
  }
}

TEST(Baggage, AMalformedMemberIsLeftOutAndTheOthersStay) {
  const std::uint64_t before = refused();
  EXPECT_EQ(header_of(parse("a=1,novalue,b c=2,=3,d=x y,e=\"q\",f=1;b d,g=7")), "a=1,g=7");
  EXPECT_EQ(refused(), before + 6);
}

TEST(Baggage, TheLastOfTwoEqualNamesWins) { EXPECT_EQ(header_of(parse("a=1,b=2,a=3")), "a=3,b=2"); }

TEST(Baggage, Keeps64MembersAndRefusesThe65th) {
  const Baggage full = parse(numbered(64));
  EXPECT_EQ(full.size(), 64U);
  const std::uint64_t before = refused();
  EXPECT_EQ(full.set("new", "v").size(), 64U);
  EXPECT_EQ(full.set("new", "v").get("new"), "");
  EXPECT_EQ(full.set("k63", "changed").get("k63"), "changed") << "a change is no new member";
  EXPECT_EQ(parse(numbered(66)).size(), 64U);
  EXPECT_EQ(refused(), before + 4);
}

TEST(Baggage, Keeps8192BytesAndRefusesOneMore) {
  const std::string fits = "k=" + std::string(kBaggageBytesMax - 2, 'v');
  EXPECT_EQ(header_of(parse(fits)), fits);
  const std::uint64_t before = refused();
  EXPECT_EQ(parse(fits + "v").size(), 0U);
  EXPECT_EQ(parse(fits).set("a", "").size(), 1U);
  EXPECT_EQ(Baggage().set("k", std::string(kBaggageBytesMax - 1, 'v')).size(), 0U);
  EXPECT_EQ(Baggage().set("k", std::string(kBaggageBytesMax / 2, ' ')).size(), 0U)
      << "encoded it is three times as long";
  EXPECT_EQ(Baggage().set("k", std::string(std::size_t{1} << 20, 'v')).size(), 0U);
  EXPECT_EQ(refused(), before + 5);
  EXPECT_EQ(Baggage().set("k", std::string(kBaggageBytesMax - 2, 'v')).size(), 1U);
  const std::string two = "a=" + std::string(4093, 'v') + ",b=" + std::string(4094, 'w');
  ASSERT_EQ(two.size(), kBaggageBytesMax);
  EXPECT_EQ(header_of(parse(two)), two);
  EXPECT_EQ(parse(two + "w").size(), 1U) << "the comma counts";
}

TEST(Baggage, ForEachGivesEveryPairOnce) {
  EXPECT_EQ(pairs_of(parse("a=1;m,b=%20")), (decltype(pairs_of({})){{"a", {"1", "m"}}, {"b", {" ", ""}}}));
}

TEST(Baggage, BehavesLikeAMapUnderRandomChanges) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::map<std::string, std::pair<std::string, std::string>> model;
  Baggage baggage;
  for (int step = 0; step < 3000; ++step) {
    const std::string name = "n" + std::to_string(random() % 30);
    if (random() % 3 != 0) {
      std::string value;
      for (std::size_t i = random() % 20; i > 0; --i) value += static_cast<char>(random() % 0x80);
      const std::string metadata = random() % 2 == 0 ? "" : "p=" + std::to_string(random() % 100) + ";q";
      model[name] = {value, metadata};
      baggage = baggage.set(name, value, metadata);
    } else {
      model.erase(name);
      baggage = baggage.erase(name);
    }
    ASSERT_EQ(pairs_of(baggage), model);
    ASSERT_EQ(pairs_of(parse(header_of(baggage))), model);
    ASSERT_EQ(header_of(parse(header_of(baggage))), header_of(baggage));
  }
}

TEST(Baggage, RandomBytesNeverMakeAnInvalidHeader) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  constexpr std::string_view kLikely = "ab01==,,;; \t%%C3A9f\"\\\x7f\xff";
  for (int round = 0; round < 20000; ++round) {
    std::string text(std::uniform_int_distribution<std::size_t>(0, 80)(random), ' ');
    for (char& c : text) {
      c = random() % 8 == 0 ? static_cast<char>(random() & 0xff) : kLikely[random() % kLikely.size()];
    }
    const Baggage baggage = parse(text);
    const std::string header = header_of(baggage);
    ASSERT_LE(header.size(), text.size());
    ASSERT_EQ(header_of(parse(header)), header) << testing::PrintToString(text);
    ASSERT_EQ(pairs_of(parse(header)), pairs_of(baggage)) << testing::PrintToString(text);
  }
}

}  // namespace
}  // namespace honeylink::telemetry
