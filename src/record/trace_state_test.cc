// TraceState as a value: what it takes, what it refuses and counts, what it cuts. Headers as they arrive:
// propagation_test.cc.
#include "record/trace_state.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "record/count.h"

namespace honeylink::telemetry {
namespace {

std::uint64_t refused() { return internal::counted(ProcessCounter::trace_state_refused); }

std::string numbered(int count) {
  std::string header;
  for (int i = 0; i < count; ++i) header += (i == 0 ? "k" : ",k") + std::to_string(i) + "=v";
  return header;
}

TEST(TraceState, IsEmptyWithoutHeader) {
  EXPECT_EQ(TraceState().header(), "");
  EXPECT_EQ(TraceState().get("k"), "");
  EXPECT_EQ(TraceState::parse(" ,\t, ").header(), "");
  EXPECT_EQ(TraceState().erase("k").header(), "");
}

TEST(TraceState, GivesTheValueOfAKeyAndNotOfItsPrefix) {
  const TraceState state = TraceState::parse("foo=1,foobar=2,vendor@tenant=a b");
  EXPECT_EQ(state.get("foo"), "1");
  EXPECT_EQ(state.get("foobar"), "2");
  EXPECT_EQ(state.get("vendor@tenant"), "a b");
  EXPECT_EQ(state.get("fo"), "");
  EXPECT_EQ(state.get(""), "");
  EXPECT_EQ(state.get("foo=1"), "");
}

TEST(TraceState, PutsAChangedMemberInFrontAndLeavesTheOldListAlone) {
  const TraceState before = TraceState::parse("a=1,b=2,c=3");
  const TraceState after = before.set("b", "new");
  EXPECT_EQ(after.header(), "b=new,a=1,c=3");
  EXPECT_EQ(before.header(), "a=1,b=2,c=3");
  EXPECT_EQ(after.set("d", " leading space is a value").header(), "d= leading space is a value,b=new,a=1,c=3");
}

TEST(TraceState, ErasesOneMember) {
  const TraceState state = TraceState::parse("a=1,b=2,c=3");
  EXPECT_EQ(state.erase("b").header(), "a=1,c=3");
  EXPECT_EQ(state.erase("x").header(), "a=1,b=2,c=3");
  EXPECT_EQ(TraceState::parse("a=1").erase("a").header(), "");
}

TEST(TraceState, AValueMayComeFromTheListItself) {
  TraceState state = TraceState::parse("a=1,b=2");
  state = state.set(state.header().substr(0, 1), state.get("b"));
  EXPECT_EQ(state.header(), "a=2,b=2");
}

TEST(TraceState, RefusesAnIllegalKeyOrValueAndCounts) {
  const TraceState state = TraceState::parse("a=1");
  const std::vector<std::pair<std::string, std::string>> illegal{
      {"", "v"},
      {"A", "v"},
      {"a b", "v"},
      {"@a", "v"},
      {"-a", "v"},
      {"a=b", "v"},
      {"a,b", "v"},
      {"k", ""},
      {"k", "v,w"},
      {"k", "v=w"},
      {"k", "v "},
      {"k", " "},
      {"k", "v\n"},
      {"k", "\t"},
      {"k", "\x7f"},
      {"k", "\xc3\xa9"},
      {std::string(257, 'k'), "v"},
      {"k", std::string(257, 'v')},
      {std::string(256, 'k'), std::string(256, 'v')}};  // 513 bytes: valid for W3C, but no participant need pass it on
  for (const auto& [key, value] : illegal) {
    const std::uint64_t before = refused();
    EXPECT_EQ(state.set(key, value).header(), "a=1") << key << '=' << value;
    EXPECT_EQ(refused(), before + 1) << key << '=' << value;
  }
}

TEST(TraceState, A33rdMemberReplacesTheOldest) {
  const TraceState full = TraceState::parse(numbered(32));
  ASSERT_EQ(full.get("k31"), "v");
  const TraceState next = full.set("new", "1");
  EXPECT_EQ(next.get("new"), "1");
  EXPECT_EQ(next.get("k30"), "v");
  EXPECT_EQ(next.get("k31"), "");
  EXPECT_EQ(full.set("k31", "moved").get("k30"), "v");
}

TEST(TraceState, A33rdMemberThatArrivesEmptiesTheList) {
  const std::uint64_t before = refused();
  EXPECT_EQ(TraceState::parse(numbered(33)).header(), "");
  EXPECT_EQ(refused(), before + 1);
}

TEST(TraceState, PassesOn512CharactersT11) {
  const std::string exact = "a=" + std::string(254, 'x') + ",b=" + std::string(253, 'y');
  ASSERT_EQ(exact.size(), 512U);
  EXPECT_EQ(TraceState::parse(exact).header(), exact);
}

TEST(TraceState, CutsLargeMembersFirstThenFromTheEnd) {
  const std::string small(100, 's'), large(150, 'l');
  const std::string header = "a=" + small + ",big=" + large + ",b=" + small + ",c=" + small + ",d=" + small;
  EXPECT_EQ(TraceState::parse(header).header(), "a=" + small + ",b=" + small + ",c=" + small + ",d=" + small);
  const std::string only_small = "a=" + small + ",b=" + small + ",c=" + small + ",d=" + small + ",e=" + small;
  EXPECT_EQ(TraceState::parse(only_small).header(), "a=" + small + ",b=" + small + ",c=" + small + ",d=" + small);
}

TEST(TraceState, NeverCutsTheMemberThatWasJustSet) {
  const std::string large(200, 'l');
  const TraceState state = TraceState::parse("a=" + large + ",b=" + large).set("new", large);
  EXPECT_EQ(state.get("new"), large);
  EXPECT_EQ(state.get("a"), large);
  EXPECT_EQ(state.get("b"), "");
  const std::string medium(120, 'm');
  const TraceState others = TraceState::parse("a=" + medium + ",b=" + medium + ",c=" + medium + ",d=" + medium);
  EXPECT_EQ(others.set("new", large).header(), "new=" + large + ",a=" + medium + ",b=" + medium);
}

TEST(TraceState, CopiesShareOneText) {
  const TraceState state = TraceState::parse("a=1");
  const TraceState copy = state;
  EXPECT_EQ(static_cast<const void*>(copy.header().data()), state.header().data());
}

TEST(TraceState, BehavesLikeAListOfPairsUnderRandomChanges) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto number = [&random](unsigned below) {
    return std::uniform_int_distribution<unsigned>(0, below - 1)(random);
  };
  std::vector<std::pair<std::string, std::string>> model;
  TraceState state;
  for (int step = 0; step < 3000; ++step) {
    const std::string key = "k" + std::to_string(number(40)), value = "v" + std::to_string(number(9));
    std::erase_if(model, [&](const auto& pair) { return pair.first == key; });
    if (number(3) != 0) {
      model.insert(model.begin(), {key, value});
      if (model.size() > 32) model.pop_back();
      state = state.set(key, value);
    } else {
      state = state.erase(key);
    }
    std::string header;
    for (const auto& [k, v] : model) header += (header.empty() ? "" : ",") + k + "=" + v;
    ASSERT_EQ(state.header(), header);
    ASSERT_EQ(TraceState::parse(state.header()).header(), header);
  }
}

TEST(TraceState, RandomBytesNeverMakeAnInvalidList) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  constexpr std::string_view kLikely = "ab01=,@ \t_-*/A.;%\x7f\xff";
  for (int round = 0; round < 20000; ++round) {
    std::string text(std::uniform_int_distribution<std::size_t>(0, 60)(random), ' ');
    for (char& c : text) {
      c = random() % 8 == 0 ? static_cast<char>(random() & 0xff) : kLikely[random() % kLikely.size()];
    }
    const TraceState state = TraceState::parse(text);
    ASSERT_LE(state.header().size(), kTraceStateBytesMax);
    ASSERT_EQ(TraceState::parse(state.header()).header(), state.header()) << testing::PrintToString(text);
  }
}

}  // namespace
}  // namespace honeylink::telemetry
