// Spans through testing::Capture: identity, nesting, what is said about them, limits, and ends in unusual places.
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "honeylink/testing.h"
#include "record/count.h"
#include "record/sampler.h"

namespace tel = honeylink::telemetry;

namespace {

using tel::ProcessCounter;
using tel::testing::Capture;
using tel::testing::SpanRecord;

constinit tel::Scope scope{"test.spans", "2.0"};
constinit tel::Tracer tracer{scope};

const SpanRecord& named(const std::vector<SpanRecord>& spans, std::string_view name) {
  for (const SpanRecord& span : spans)
    if (span.name == name) return span;
  static const SpanRecord none;
  ADD_FAILURE() << "no span " << name;
  return none;
}

TEST(Span, NestsAndEndsInOrder) {
  const Capture capture;
  tel::SpanContext outer_context, inner_context;
  {
    const auto outer = tracer.scoped_span("outer");
    outer_context = outer->context();
    {
      const auto inner = tracer.scoped_span("inner");
      inner_context = inner->context();
    }
    EXPECT_EQ(tel::Context::current().span().span_id(), outer_context.span_id());
  }
  EXPECT_FALSE(tel::Context::current().span().is_valid());
  const auto spans = capture.spans();
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(spans[0].name, "inner");
  EXPECT_EQ(spans[1].name, "outer");
  EXPECT_EQ(spans[0].scope, "test.spans");
  EXPECT_EQ(spans[0].parent_span_id, spans[1].span_id);
  EXPECT_EQ(spans[0].trace_id, spans[1].trace_id);
  EXPECT_FALSE(spans[1].parent_span_id.is_valid());
  EXPECT_EQ(spans[0].span_id, inner_context.span_id());
  EXPECT_EQ(spans[1].span_id, outer_context.span_id());
  EXPECT_EQ(spans[1].trace_id, outer_context.trace_id());
  EXPECT_LE(spans[1].start_unix_ns, spans[0].start_unix_ns);
  EXPECT_GE(spans[1].end_unix_ns, spans[0].end_unix_ns);
  EXPECT_EQ(capture.refused(), 0u);
}

TEST(Span, ParentsByOptionNewRootsAndRemoteParents) {
  const Capture capture;
  const auto remote = tel::SpanContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  const tel::Context from_outside(remote);
  {
    const auto current = tracer.scoped_span("current");
    const auto child =
        tracer.start_span("child of remote", {}, {.kind = tel::SpanKind::server, .parent = &from_outside});
    const auto root = tracer.start_span("root", {}, {.new_root = true});
  }
  const auto spans = capture.spans();
  const auto& child = named(spans, "child of remote");
  EXPECT_EQ(child.trace_id, remote.trace_id());
  EXPECT_EQ(child.parent_span_id, remote.span_id());
  EXPECT_EQ(child.kind, tel::SpanKind::server);
  EXPECT_NE(named(spans, "root").trace_id, named(spans, "current").trace_id);
  EXPECT_FALSE(named(spans, "root").parent_span_id.is_valid());
}

TEST(Span, AContextThatTravelledAsTextIsTheSameTrace) {
  const Capture capture;
  tel::SpanContext sent;
  {
    const auto span = tracer.scoped_span("sender");
    sent = span->context();
    const auto text = sent.traceparent();
    const tel::Context received(tel::SpanContext::parse({text.data(), text.size()}));
    const auto child = tracer.start_span("receiver", {}, {.parent = &received});
  }
  const auto spans = capture.spans();
  EXPECT_EQ(named(spans, "receiver").trace_id, sent.trace_id());
  EXPECT_EQ(named(spans, "receiver").parent_span_id, sent.span_id());
}

TEST(Span, EveryTypeOfAttribute) {
  const Capture capture;
  const bool bools[] = {true, false};
  const std::int64_t integers[] = {-1, 2};
  const double reals[] = {0.5, 1.25};
  const std::string_view texts[] = {"a", "", "ccc"};
  {
    const auto span = tracer.scoped_span("typed", {{"yes", true},
                                                   {"n", -7},
                                                   {"big", ~std::uint64_t{0}},
                                                   {"x", 2.5},
                                                   {"t", "text"},
                                                   {"empty", ""},
                                                   {"peer", tel::hashed_id("device", "AA:BB")},
                                                   {"bs", std::span<const bool>(bools)},
                                                   {"is", std::span<const std::int64_t>(integers)},
                                                   {"rs", std::span<const double>(reals)},
                                                   {"ts", std::span<const std::string_view>(texts)}});
    span->set_attribute("later", 12).set_attribute("n", 8);
  }
  const auto spans = capture.spans();
  ASSERT_EQ(spans.size(), 1u);
  const auto& a = spans[0].attributes;
  const auto at = [&](const char* key) { return a.count(key) ? a.find(key)->second : "absent"; };
  EXPECT_EQ(at("yes"), "true");
  EXPECT_EQ(at("n"), "8");
  EXPECT_EQ(at("big"), "18446744073709551615");
  EXPECT_EQ(at("x"), "2.5");
  EXPECT_EQ(at("t"), "text");
  EXPECT_EQ(at("empty"), "");
  EXPECT_EQ(at("peer"), "device:AA:BB");
  EXPECT_EQ(at("bs"), "[true,false]");
  EXPECT_EQ(at("is"), "[-1,2]");
  EXPECT_EQ(at("rs"), "[0.5,1.25]");
  EXPECT_EQ(at("ts"), "[a,,ccc]");
  EXPECT_EQ(at("later"), "12");
  EXPECT_EQ(capture.refused(), 0u);
}

TEST(Span, EventsLinksAndRename) {
  const Capture capture;
  const auto other = tel::SpanContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  {
    const auto span = tracer.scoped_span("before", {}, {.links = {{other, {{"why", "batch"}}}}});
    span->add_event("first", {{"n", 1}}).add_event("second").add_link(other).update_name("after");
  }
  const auto spans = capture.spans();
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].name, "after");
  EXPECT_EQ(spans[0].events, (std::vector<std::string>{"first", "second"}));
  ASSERT_EQ(spans[0].links.size(), 2u);
  EXPECT_EQ(spans[0].links[0].trace_id(), other.trace_id());
  EXPECT_EQ(spans[0].links[1].span_id(), other.span_id());
}

TEST(Span, StatusRules) {
  const Capture capture;
  tracer.start_span("unset").end();
  {
    const auto s = tracer.start_span("error");
    s.set_error("first").set_error("second");
  }
  {
    const auto s = tracer.start_span("ok is final");
    s.set_status(tel::SpanStatus::ok).set_error("too late");
  }
  {
    const auto s = tracer.start_span("ok wins over error");
    s.set_error("x").set_status(tel::SpanStatus::ok);
  }
  {
    const auto s = tracer.start_span("unset changes nothing");
    s.set_error("kept").set_status(tel::SpanStatus::unset);
  }
  const auto spans = capture.spans();
  EXPECT_EQ(named(spans, "unset").status, tel::SpanStatus::unset);
  EXPECT_EQ(named(spans, "error").status, tel::SpanStatus::error);
  EXPECT_EQ(named(spans, "error").status_description, "second");
  EXPECT_EQ(named(spans, "ok is final").status, tel::SpanStatus::ok);
  EXPECT_EQ(named(spans, "ok is final").status_description, "");
  EXPECT_EQ(named(spans, "ok wins over error").status, tel::SpanStatus::ok);
  EXPECT_EQ(named(spans, "unset changes nothing").status, tel::SpanStatus::error);
  EXPECT_EQ(named(spans, "unset changes nothing").status_description, "kept");
}

TEST(Span, ExceptionsMarkAndAreRecorded) {
  const Capture capture;
  EXPECT_THROW(
      {
        const auto span = tracer.scoped_span("left");
        throw std::runtime_error("x");
      },
      std::runtime_error);
  EXPECT_THROW(tracer.in_span("in_span", {}, [](const tel::Span&) -> int { throw std::out_of_range("no 7"); }),
               std::out_of_range);
  EXPECT_EQ(tracer.in_span("fine", {}, [](const tel::Span&) { return 5; }), 5);
  const auto spans = capture.spans();
  EXPECT_EQ(named(spans, "left").status, tel::SpanStatus::error);
  EXPECT_EQ(named(spans, "in_span").events, std::vector<std::string>{"exception"});
  EXPECT_EQ(named(spans, "in_span").status, tel::SpanStatus::error);
  EXPECT_EQ(named(spans, "fine").status, tel::SpanStatus::unset);
  EXPECT_FALSE(tel::Context::current().span().is_valid());
}

TEST(Span, AttributesOverThirtyTwoAreLeftOutAndCounted) {
  const Capture capture;
  {
    const auto span = tracer.start_span("many");
    for (int i = 0; i < 40; ++i) span.set_attribute(tel::Key::runtime("k" + std::to_string(i)), i);
  }
  const auto spans = capture.spans();
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].attributes.size(), 32u);
  EXPECT_EQ(spans[0].attributes.count("k31"), 1u);
  EXPECT_EQ(capture.refused(), 8u);
}

TEST(Span, LongValuesAreCutAtACharacterBoundaryAndCounted) {
  const Capture capture;
  std::string text = "x";
  while (text.size() < 10'000) text += "\xc3\xa4";
  { const auto span = tracer.scoped_span("cut", {{"v", text}}); }
  const auto spans = capture.spans();
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].attributes.find("v")->second, text.substr(0, 255));
  EXPECT_EQ(capture.refused(), 1u);
}

TEST(Span, EightKilobytesIsTheEndAndWhatIsOverIsCounted) {
  const Capture capture;
  const std::string text(250, 'e');
  {
    const auto span = tracer.scoped_span("large", {{"first", text}});
    for (int i = 0; i < 100; ++i) span->add_event("event", {{"v", text}});
    span->set_attribute("last", "still small");
  }
  const auto spans = capture.spans();
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_GT(spans[0].events.size(), 15u);
  EXPECT_LT(spans[0].events.size(), 100u);
  EXPECT_EQ(spans[0].attributes.find("first")->second, text);
  EXPECT_GT(capture.refused(), 0u);
}

TEST(Span, ManyLongAttributesAtTheStartKeepThoseThatFit) {
  const Capture capture;
  const std::string t(256, 'v');
  {
    const auto span = tracer.scoped_span("wide", {{"a", t},
                                                  {"b", t},
                                                  {"c", t},
                                                  {"d", t},
                                                  {"e", t},
                                                  {"f", t},
                                                  {"g", t},
                                                  {"h", t},
                                                  {"i", t},
                                                  {"j", t},
                                                  {"k", t},
                                                  {"l", t},
                                                  {"m", t},
                                                  {"n", t},
                                                  {"o", t},
                                                  {"p", t}});
  }
  const auto spans = capture.spans();
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].attributes.size() + capture.refused(), 16u);
  EXPECT_GE(spans[0].attributes.size(), 15u);
  for (const auto& [key, value] : spans[0].attributes) EXPECT_EQ(value, t) << key;
}

TEST(Span, MoveEndTwiceAndWrap) {
  const Capture capture;
  tel::Span a = tracer.start_span("moved");
  const auto id = a.context().span_id();
  tel::Span b = std::move(a);
  EXPECT_FALSE(a.is_recording());  // NOLINT(bugprone-use-after-move)
  EXPECT_FALSE(a.context().is_valid());
  EXPECT_EQ(b.context().span_id(), id);
  b.end();
  b.end();
  b.set_attribute("late", 1);
  EXPECT_FALSE(b.is_recording());
  EXPECT_EQ(b.context().span_id(), id);
  tel::Span c = tracer.start_span("assigned over");
  c = tracer.start_span("assigned");
  c.end();
  const auto remote = tel::SpanContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  {
    tel::Span wrapped = tel::Span::wrap(remote);
    EXPECT_EQ(wrapped.context().trace_id(), remote.trace_id());
    wrapped.end();
  }
  const auto spans = capture.spans();
  ASSERT_EQ(spans.size(), 3u);
  EXPECT_EQ(spans[0].name, "moved");
  EXPECT_EQ(spans[0].attributes.size(), 0u);
  EXPECT_EQ(spans[1].name, "assigned over");
  EXPECT_EQ(spans[2].name, "assigned");
}

TEST(Span, ExplicitTimesAreKept) {
  const Capture capture;
  using Clock = std::chrono::system_clock;
  const Clock::time_point start{std::chrono::seconds(1'700'000'000)}, end = start + std::chrono::milliseconds(1500);
  tracer.start_span("given", {}, {.start = start}).end(end);
  tracer.start_span("backwards", {}, {.start = end}).end(start);
  const auto before = Clock::now();
  tracer.start_span("only the end").end(before + std::chrono::hours(1));
  const auto after = Clock::now();
  const auto spans = capture.spans();
  EXPECT_EQ(named(spans, "given").start_unix_ns, 1'700'000'000'000'000'000);
  EXPECT_EQ(named(spans, "given").end_unix_ns, 1'700'000'001'500'000'000);
  EXPECT_EQ(named(spans, "backwards").end_unix_ns, named(spans, "backwards").start_unix_ns);
  const auto& only_end = named(spans, "only the end");
  const std::int64_t around = std::chrono::nanoseconds(before.time_since_epoch()).count();
  EXPECT_EQ(only_end.end_unix_ns, around + 3'600'000'000'000);
  constexpr std::int64_t kOfClocks = 10'000'000;  // ticks become wall time by two readings of both
  EXPECT_GE(only_end.start_unix_ns, around - kOfClocks);
  EXPECT_LE(only_end.start_unix_ns, around + std::chrono::nanoseconds(after - before).count() + kOfClocks);
}

TEST(Span, WithoutASlotItIsStillRecorded) {
  const Capture capture;
  const std::uint64_t before = tel::internal::counted(ProcessCounter::span_without_slot);
  std::vector<tel::Span> open;
  for (int i = 0; i < 3'000; ++i) open.push_back(tracer.start_span("open", {{"i", i}}));
  const std::uint64_t without = tel::internal::counted(ProcessCounter::span_without_slot) - before;
  EXPECT_GT(without, 0u);
  open.clear();
  const auto spans = capture.spans();
  EXPECT_EQ(spans.size(), 3'000u);
  std::size_t bare = 0;
  for (const auto& span : spans) bare += span.attributes.empty();
  EXPECT_EQ(bare, without);
  // The slots came back: the next span has one.
  tracer.start_span("after", {{"i", 1}}).end();
  EXPECT_EQ(capture.spans().back().attributes.size(), 1u);
}

TEST(Span, WithoutASlotItKeepsItsGivenStart) {
  const Capture capture;
  std::vector<tel::Span> open;
  for (int i = 0; i < 1'100; ++i) open.push_back(tracer.start_span("open"));
  const std::chrono::system_clock::time_point start{std::chrono::seconds(1'700'000'000)};
  tracer.start_span("given", {}, {.start = start}).end();
  EXPECT_EQ(named(capture.spans(), "given").start_unix_ns, 1'700'000'000'000'000'000);
}

TEST(Span, NamesAreCutRefusedAndCounted) {
  const Capture capture;
  tel::start_span(tel::SpanName::runtime(std::string(200, 'n'))).end();
  EXPECT_EQ(capture.refused(), 1u);
  for (int i = 0; i < 3; ++i) tel::start_span(tel::SpanName::runtime("bad\nname")).end();
  EXPECT_EQ(capture.refused(), 4u);
  const auto spans = capture.spans();
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].name, std::string(128, 'n'));
}

}  // namespace
