// The hot functions cover the usual call only (plain_items.h); what they record must not differ from what the whole
// path records. A call with options takes the whole path, the same call without them the plain one where it can.
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "honeylink/testing.h"

namespace tel = honeylink::telemetry;

namespace {

using tel::testing::Capture;

constinit tel::Scope scope{"test.plain", "1.0"};
constinit tel::Tracer tracer{scope};
constinit tel::Logger logger{scope};

std::string text_of(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text += static_cast<char>('a' + i % 26);
  return text;
}

// Records one span and one log by each path; both pairs must be equal.
void expect_same(tel::Attributes attributes, const std::string& what) {
  const Capture capture;
  tracer.start_span("plain", attributes).end();
  tracer.start_span("plain", attributes, tel::SpanOptions{}).end();
  { const auto span = tracer.scoped_span("plain", attributes); }
  logger.warn("plain", attributes);
  logger.log(tel::LogLevel::warn, "plain", attributes, tel::LogOptions{});
  const auto spans = capture.spans();
  ASSERT_EQ(spans.size(), 3u) << what;
  for (const auto& span : spans) {
    EXPECT_EQ(span.attributes, spans[1].attributes) << what;
    EXPECT_EQ(span.name, spans[1].name) << what;
    EXPECT_EQ(span.kind, spans[1].kind) << what;
    EXPECT_GE(span.end_unix_ns, span.start_unix_ns) << what;
  }
  const auto logs = capture.logs();
  ASSERT_EQ(logs.size(), 2u) << what;
  EXPECT_EQ(logs[0].fields, logs[1].fields) << what;
  EXPECT_EQ(logs[0].level, logs[1].level) << what;
}

TEST(PlainPath, TextOfEverySize) {
  for (std::size_t size = 0; size <= 300; ++size) {
    const std::string text = text_of(size);
    expect_same({{"text", text}}, "text of " + std::to_string(size));
    expect_same({{"n", 7}, {"text", text}, {"after", "x"}}, "text of " + std::to_string(size) + " between others");
  }
}

TEST(PlainPath, NumbersOfEveryKind) {
  for (const std::int64_t n : {std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min(),
                               std::numeric_limits<std::int64_t>::max()})
    expect_same({{"n", n}}, std::to_string(n));
  expect_same({{"n", std::uint64_t{1} << 63}}, "an integer that travels as text");
  for (const double d : {0.0, -0.0, 1e-310, 1e308, -1.5}) expect_same({{"d", d}}, std::to_string(d));
  expect_same({{"yes", true}, {"no", false}, {"small", std::uint16_t{200}}}, "booleans");
}

TEST(PlainPath, WhatIsNotPlainAmongWhatIs) {
  const std::int64_t numbers[] = {1, 2, 3};
  expect_same({{"n", 1},
               {"id", tel::hashed_id("device", "aa:bb")},
               {"list", std::span<const std::int64_t>(numbers)},
               {"t", "text"}},
              "ids, arrays");
  expect_same({{"n", 1}, {tel::Key::runtime("bad\nkey"), 2}, {"t", "text"}}, "a refused key");
  expect_same({{"n", 1}, {tel::Key::runtime(text_of(200)), 2}, {"t", "text"}}, "a key that is cut");
}

TEST(PlainPath, MoreThanASlotHolds) {
  const std::string text = text_of(100);
  for (int filled = 0; filled < 6; ++filled) {
    const std::string_view t = text;
    const auto pick = [&](int i) { return i < filled ? t : std::string_view("s"); };
    expect_same(
        {{"a", pick(0)}, {"b", pick(1)}, {"c", pick(2)}, {"d", pick(3)}, {"e", pick(4)}, {"f", pick(5)}, {"n", 1}},
        std::to_string(filled) + " long values");
  }
}

// Attributes that are set one by one are those that were given at the start, whatever each of them is.
TEST(PlainPath, AttributesSetLater) {
  const std::string text = text_of(100);
  const std::int64_t numbers[] = {1, 2, 3};
  const tel::HashedId device = tel::hashed_id("device", "aa:bb");
  const Capture capture;
  const tel::Attributes attributes{{"n", -7},
                                   {"d", 0.5},
                                   {"yes", true},
                                   {"short", "abc"},
                                   {"long", text},
                                   {"id", device},
                                   {"list", std::span<const std::int64_t>(numbers)},
                                   {"more", text},
                                   {"again", text},
                                   {"beyond the first slot", text},
                                   {"last", 1}};
  tracer.start_span("given", attributes).end();
  {
    auto span = tracer.start_span("set");
    span.set_attributes(attributes);
  }
  const auto spans = capture.spans();
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(spans[0].attributes, spans[1].attributes);
  EXPECT_EQ(spans[1].attributes.size(), 11u);
}

TEST(PlainPath, ChildrenHaveTheSameParents) {
  const Capture capture;
  {
    const auto root = tracer.scoped_span("root");
    tracer.start_span("child").end();
    tracer.start_span("child", {}, tel::SpanOptions{}).end();
    logger.info("inside");
    logger.log(tel::LogLevel::info, "inside", {}, tel::LogOptions{});
  }
  const auto spans = capture.spans();
  ASSERT_EQ(spans.size(), 3u);
  for (int i : {0, 1}) {
    EXPECT_EQ(spans[static_cast<std::size_t>(i)].trace_id, spans[2].trace_id);
    EXPECT_EQ(spans[static_cast<std::size_t>(i)].parent_span_id, spans[2].span_id);
  }
  EXPECT_NE(spans[0].span_id, spans[1].span_id);
  for (const auto& log : capture.logs()) {
    EXPECT_EQ(log.trace_id, spans[2].trace_id);
    EXPECT_EQ(log.span_id, spans[2].span_id);
  }
}

}  // namespace
