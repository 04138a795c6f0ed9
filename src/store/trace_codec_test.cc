// The blob of spans: what was added comes back, whatever it was; what is broken is refused.
#include "store/trace_codec.h"

#include <cmath>
#include <random>

#include "store/test_support.h"
#include "store/trace_format.h"

namespace honeylink::telemetry::store {
namespace {

std::uint32_t as_it_is(void*, std::uint32_t text) { return text + 1000; }

struct Texts {
  std::vector<std::uint32_t> table;
  TextIds ids{&table, &as_it_is, nullptr};
};

TEST(TraceCodec, EverySpanComesBackAsItWas) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const Source source = make_source(1, {"_other", "a"});
  Texts texts;
  TraceBlobWriter writer;
  std::vector<SpanEvent> model;
  for (int i = 0; i < 2000; ++i) {
    SpanEvent e = make_span(source, 0);
    e.at.ordinal = random() >> (random() % 64), e.span = e.at.ordinal + 1;
    e.trace = {random() % 2 == 0, random(), random() >> (random() % 64)};
    if (!e.trace.foreign) e.trace.hi = 0;
    e.parent = {random() % 2 == 0, random() % 2 == 0, random()};
    if (!e.parent.present) e.parent = {};
    e.name = static_cast<std::uint32_t>(random() % 70000);
    e.kind = static_cast<std::uint8_t>(random() % 6), e.status = static_cast<std::uint8_t>(random() % 3),
    e.kept = static_cast<Kept>(random() % 4);
    e.unfinished = random() % 2, e.keep_trace = random() % 2, e.slow = random() % 2, e.no_slot = random() % 2;
    e.start_unix_ns = static_cast<std::int64_t>(random()), e.duration_ns = static_cast<std::int64_t>(random() >> 1);
    e.dropped_attributes = random() % 3 == 0 ? static_cast<std::uint16_t>(random()) : 0;
    writer.add(e, static_cast<std::uint32_t>(i), 3, texts.ids);
    model.push_back(e);
  }
  TraceBlob blob(writer.finish());
  ASSERT_TRUE(blob.sound());
  ASSERT_EQ(blob.count(), model.size());
  StoredSpan s;
  for (std::uint32_t i = 0; i < model.size(); ++i) {
    ASSERT_TRUE(blob.next(s)) << i;
    const SpanEvent& e = model[i];
    EXPECT_EQ(s.source, i);
    EXPECT_EQ(s.trace, e.trace);
    EXPECT_EQ(s.span, e.span);
    EXPECT_TRUE(s.parent.present == e.parent.present && s.parent.foreign == e.parent.foreign &&
                s.parent.value == e.parent.value);
    EXPECT_EQ(s.name, e.name + 1000);
    EXPECT_EQ(s.scope, 3U);
    EXPECT_TRUE(s.kind == e.kind && s.status == e.status && s.kept == e.kept && s.unfinished == e.unfinished &&
                s.keep_trace == e.keep_trace);
    EXPECT_TRUE(s.slow == e.slow && s.no_slot == e.no_slot);
    EXPECT_EQ(s.start_unix_ns, e.start_unix_ns);
    EXPECT_EQ(s.duration_ns, e.duration_ns);
    EXPECT_EQ(s.dropped_attributes, e.dropped_attributes);
  }
  EXPECT_FALSE(blob.next(s));
  EXPECT_FALSE(blob.damaged());
}

TEST(TraceCodec, EveryTypeOfItemComesBack) {
  const Source source = make_source(1, {});
  Items inner;
  inner.text(4, "inner").integer(5, -1);
  std::string event(kEventHeadBytes, '\0');
  const std::uint32_t event_name = 9;
  const std::int64_t event_time = 1'700'000'000'000'000'777;
  std::memcpy(event.data(), &event_name, 4), std::memcpy(event.data() + 4, &event_time, 8);
  event += inner.raw();
  std::string link(24, '\x42');
  link += std::string("\x01\0\0\0", 4) + std::string(inner.raw());
  Items items;
  items.add(1, ItemType::boolean, "\x01")
      .integer(2, INT64_MIN)
      .real(3, -0.0)
      .text(4, "größe")
      .add(5, ItemType::id, std::string("\x07\0raw!", 6));
  items.add(6, ItemType::integers, std::string(16, '\x01')).add(0, ItemType::event, event).add(0, ItemType::link, link);
  items.add(0, ItemType::status_text, "why").add(0, ItemType::trace_state, "k=v").add(0, ItemType::keep_reason, "slow");
  Texts texts;
  TraceBlobWriter writer;
  const SpanEvent span = make_span(source, 0, items.view());
  writer.add(span, 1, 0, texts.ids);
  TraceBlob blob(writer.finish());
  StoredSpan stored_span;
  ASSERT_TRUE(blob.next(stored_span));
  StoredItems read(stored_span.items, stored_span.start_unix_ns);
  StoredItem item;
  ASSERT_TRUE(read.next(item));
  EXPECT_TRUE(item.boolean && item.key == 1001);
  ASSERT_TRUE(read.next(item));
  EXPECT_EQ(item.integer, INT64_MIN);
  ASSERT_TRUE(read.next(item));
  EXPECT_TRUE(item.real == 0 && std::signbit(item.real));
  ASSERT_TRUE(read.next(item));
  EXPECT_EQ(item.text, "größe");
  ASSERT_TRUE(read.next(item));
  EXPECT_TRUE(item.text == "raw!" && item.kind == 1007);
  ASSERT_TRUE(read.next(item));
  EXPECT_EQ(item.elements.size(), 16U);
  ASSERT_TRUE(read.next(item));
  EXPECT_EQ(item.key, 1009U);
  EXPECT_EQ(item.time_unix_ns, event_time);
  StoredItems nested(item.items, span.start_unix_ns);
  StoredItem inside;
  ASSERT_TRUE(nested.next(inside));
  EXPECT_EQ(inside.text, "inner");
  ASSERT_TRUE(nested.next(inside));
  EXPECT_EQ(inside.integer, -1);
  EXPECT_FALSE(nested.next(inside));
  ASSERT_TRUE(read.next(item));
  EXPECT_TRUE(item.trace_id[0] == 0x42 && item.span_id[7] == 0x42 && item.flags == 1 && !item.items.empty());
  for (const char* text : {"why", "k=v", "slow"}) {
    ASSERT_TRUE(read.next(item));
    EXPECT_EQ(item.text, text);
  }
  EXPECT_FALSE(read.next(item));
  EXPECT_FALSE(read.damaged());
}

TEST(TraceCodec, AFlippedBitIsSeen) {
  const Source source = make_source(1, {});
  Texts texts;
  TraceBlobWriter writer;
  for (std::uint64_t i = 0; i < 5; ++i) writer.add(make_span(source, i), 1, 0, texts.ids);
  const auto whole = writer.finish();
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::vector<std::uint8_t> bytes(whole.begin(), whole.end());
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ (1U << (bit % 8)));
    ASSERT_FALSE(TraceBlob(bytes).sound()) << "bit " << bit;
  }
  for (std::size_t size = 0; size < whole.size(); ++size) ASSERT_FALSE(TraceBlob(whole.first(size)).sound());
}

TEST(TraceCodec, ASpanWhoseItemsDoNotFitIsKeptWithoutThem) {
  const Source source = make_source(1, {});
  Items items;
  for (int i = 0; i < 40; ++i) items.text(1, std::string(4000, 'x'));
  Texts texts;
  TraceBlobWriter writer;
  writer.add(make_span(source, 0, items.view()), 1, 0, texts.ids);
  writer.add(make_span(source, 1), 1, 0, texts.ids);
  TraceBlob blob(writer.finish());
  StoredSpan span;
  ASSERT_TRUE(blob.next(span));
  EXPECT_EQ(span.dropped_attributes, 40U);
  EXPECT_TRUE(span.items.empty());
  ASSERT_TRUE(blob.next(span));
  EXPECT_FALSE(blob.next(span));
  EXPECT_FALSE(blob.damaged());
}

}  // namespace
}  // namespace honeylink::telemetry::store
