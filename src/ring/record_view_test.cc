// Records as bytes: what RecordCursor lets through, and a catalogue of what it does not.
#include <gtest/gtest.h>

#include "ring/reader.h"
#include "ring/test_ring.h"

namespace honeylink::telemetry::ring {
namespace {

using Bytes = std::vector<std::uint8_t>;

const TickScale kPlain(ClockSource::monotonic_ns, {}, {0, 0, 0, 1'000'000});  // ticks are ns, 1 ms after the epoch

SpanRecord a_span() {
  SpanRecord r{};
  r.header.flags = kFlagKept;
  r.start = 100, r.end = 350;
  return r;
}
// The first record of `bytes`; the test says whether there is to be one.
bool first_of(const Bytes& bytes, RawRecord& record) {
  RecordCursor cursor(bytes);
  const bool any = cursor.next(record);
  EXPECT_EQ(cursor.damaged(), !any);
  return any;
}
bool is_sound(const Bytes& bytes) {
  RawRecord record;
  return first_of(bytes, record);
}
Bytes with(Bytes bytes, std::size_t at, std::uint8_t value) {
  bytes.at(at) = value;
  return bytes;
}
Bytes raw_item(std::uint16_t type, std::size_t size, std::size_t really) {
  SpanRecord r = a_span();
  Bytes bytes = test_record(r);
  const ItemHeader header{1, static_cast<std::uint16_t>(type | size << 4)};
  const auto* h = reinterpret_cast<const std::uint8_t*>(&header);
  bytes.insert(bytes.end(), h, h + sizeof header);
  bytes.resize((bytes.size() + really + 7) / 8 * 8);
  bytes[0] = static_cast<std::uint8_t>(bytes.size()), bytes[1] = static_cast<std::uint8_t>(bytes.size() >> 8);
  bytes[offsetof(SpanRecord, items)] = 1;
  return bytes;
}

TEST(RecordView, ASpanComesBackAsItWasRecorded) {
  SpanRecord r = a_span();
  r.header.name = 7;
  r.header.flags = kFlagKept | kFlagHasParent | kFlagKeepTrace | kFlagSlow;
  r.trace_lo = 11, r.trace_hi = 99, r.span = 12, r.parent = 13;
  r.scope = 2, r.kind = 3, r.status = 2;
  r.dropped_attributes = 4, r.dropped_events = 5;
  const TestItems items = TestItems().text(1, "abc").integer(2, -5).event(9, 50, TestItems().boolean(1, true));
  const Bytes bytes = test_record(r, items);
  RawRecord raw;
  ASSERT_TRUE(first_of(bytes, raw));
  Source source;
  SpanEvent e;
  ASSERT_TRUE(decode_span(source, kPlain, raw, {3, 17}, e));
  EXPECT_EQ(e.source, &source);
  EXPECT_EQ(e.at.slot, 3U);
  EXPECT_EQ(e.at.ordinal, 17U);
  EXPECT_EQ(e.trace, (TraceRef{false, 0, 11})) << "the upper half of one's own id is not an id";
  EXPECT_EQ(e.span, 12U);
  EXPECT_TRUE(e.parent.present && !e.parent.foreign);
  EXPECT_EQ(e.parent.value, 13U);
  EXPECT_EQ(e.name, 7U);
  EXPECT_EQ(e.scope, 2U);
  EXPECT_EQ(e.kind, 3);
  EXPECT_EQ(e.status, 2);
  EXPECT_EQ(e.kept, Kept::sampled);
  EXPECT_TRUE(e.keep_trace && e.slow && !e.no_slot && !e.unfinished);
  EXPECT_EQ(e.start_unix_ns, 1'000'100);
  EXPECT_EQ(e.duration_ns, 250);
  EXPECT_EQ(e.dropped_attributes, 4U);
  EXPECT_EQ(e.dropped_events, 5U);
  EXPECT_TRUE(std::equal(e.items.begin(), e.items.end(), items.bytes().begin(), items.bytes().end()))
      << "without the padding";
  LogEvent log;
  EXPECT_FALSE(decode_log(source, kPlain, raw, {}, log));
}

TEST(RecordView, ALogComesBackAsItWasRecorded) {
  LogRecord r{};
  r.header.name = 5;
  r.header.flags = kFlagHasParent | kFlagTraceForeign | kFlagParentForeign;
  r.time = 7, r.trace_hi = 1, r.trace_lo = 2, r.span = 3, r.scope = 4, r.level = 9, r.dropped_attributes = 6;
  const Bytes bytes = test_record(r, TestItems().text(1, "x"));
  RawRecord raw;
  ASSERT_TRUE(first_of(bytes, raw));
  EXPECT_EQ(raw.record_class, RecordClass::log);
  LogEvent e;
  ASSERT_TRUE(decode_log({}, kPlain, raw, {1, 2}, e));
  EXPECT_EQ(e.time_unix_ns, 1'000'007);
  EXPECT_TRUE(e.in_span);
  EXPECT_EQ(e.trace, (TraceRef{true, 1, 2}));
  EXPECT_TRUE(e.span.present && e.span.foreign);
  EXPECT_EQ(e.span.value, 3U);
  EXPECT_EQ(e.name, 5U);
  EXPECT_EQ(e.scope, 4U);
  EXPECT_EQ(e.level, 9);
  EXPECT_EQ(e.dropped_attributes, 6U);
  SpanEvent span;
  EXPECT_FALSE(decode_span({}, kPlain, raw, {}, span));
}

TEST(RecordView, WallTimesAreNotConverted) {
  SpanRecord r = a_span();
  r.header.flags = kFlagWallTimes;
  r.start = 1'700'000'000'000'000'000ULL, r.end = r.start + 5;
  const Bytes bytes = test_record(r);
  RawRecord raw;
  ASSERT_TRUE(first_of(bytes, raw));
  SpanEvent e;
  ASSERT_TRUE(decode_span({}, kPlain, raw, {}, e));
  EXPECT_EQ(e.start_unix_ns, 1'700'000'000'000'000'000);
  EXPECT_EQ(e.duration_ns, 5);
  EXPECT_EQ(e.kept, Kept::unsampled);
}

TEST(RecordView, DurationsAreNeverNegative) {
  for (const std::uint64_t end : {std::uint64_t{99}, std::uint64_t{1}, ~std::uint64_t{0}, std::uint64_t{0}}) {
    for (const std::uint8_t flags : {std::uint8_t{0}, kFlagWallTimes}) {
      SpanRecord r = a_span();
      r.header.flags = flags;
      r.end = end;
      const Bytes bytes = test_record(r);
      RawRecord raw;
      ASSERT_TRUE(first_of(bytes, raw));
      SpanEvent e;
      ASSERT_TRUE(decode_span({}, kPlain, raw, {}, e));
      EXPECT_GE(e.duration_ns, 0);
      EXPECT_EQ(e.unfinished, end == 0);
    }
  }
}

// An application may give any numbers as its own times, a hostile ring any ticks: readers add and subtract them.
TEST(RecordView, StartAndEndAreTimesWhateverTheNumbersSay) {
  const TickScale early(ClockSource::monotonic_ns, {}, {~std::uint64_t{0}, 5, 5, 5});
  for (const std::uint64_t start : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 63, ~std::uint64_t{1}}) {
    for (const std::uint8_t flags : {std::uint8_t{0}, kFlagWallTimes}) {
      for (const TickScale& scale : {kPlain, early}) {
        SpanRecord r = a_span();
        r.header.flags = flags;
        r.start = start, r.end = ~std::uint64_t{0};
        const Bytes bytes = test_record(r);
        RawRecord raw;
        ASSERT_TRUE(first_of(bytes, raw));
        SpanEvent e;
        ASSERT_TRUE(decode_span({}, scale, raw, {}, e));
        EXPECT_GE(e.start_unix_ns, 0);
        EXPECT_GE(e.duration_ns, 0);
        EXPECT_LE(e.duration_ns, INT64_MAX - e.start_unix_ns);
      }
    }
  }
}

TEST(RecordView, RecordsFollowEachOther) {
  Bytes bytes = test_record(a_span());
  const Bytes second = test_record(LogRecord{}, TestItems().boolean(1, true)), third = test_record(a_span());
  bytes.insert(bytes.end(), second.begin(), second.end());
  bytes.insert(bytes.end(), third.begin(), third.end());
  RecordCursor cursor(bytes);
  int records = 0;
  for (RawRecord raw; cursor.next(raw); ++records)
    EXPECT_EQ(raw.record_class, records == 1 ? RecordClass::log : RecordClass::kept_span);
  EXPECT_EQ(records, 3);
  EXPECT_FALSE(cursor.damaged());
}

TEST(RecordView, NoBytesAreNoRecordAndNoDamage) {
  RecordCursor cursor({});
  RawRecord raw;
  EXPECT_FALSE(cursor.next(raw));
  EXPECT_FALSE(cursor.damaged());
}

TEST(RecordView, LengthZero) { EXPECT_FALSE(is_sound(Bytes(64, 0))); }
TEST(RecordView, ShortHeader) { EXPECT_FALSE(is_sound({8, 0, 1, 0})); }
TEST(RecordView, UnknownType) {
  EXPECT_FALSE(is_sound(with(test_record(a_span()), 2, 0)));
  EXPECT_FALSE(is_sound(with(test_record(a_span()), 2, 3)));
}
TEST(RecordView, ShorterThanItsType) { EXPECT_FALSE(is_sound(with(test_record(a_span()), 0, sizeof(SpanRecord) - 8))); }
TEST(RecordView, LengthNotAMultipleOf8) {
  Bytes bytes = test_record(a_span());
  bytes.resize(bytes.size() + 8);
  EXPECT_FALSE(is_sound(with(bytes, 0, sizeof(SpanRecord) + 4)));
}
TEST(RecordView, LongerThanItsChunk) { EXPECT_FALSE(is_sound(with(test_record(a_span()), 0, sizeof(SpanRecord) + 8))); }
TEST(RecordView, LongerThanAnyRecord) {
  Bytes bytes = test_record(a_span());
  bytes.resize(kRecordBytesMax + 8);
  bytes[0] = 8, bytes[1] = (kRecordBytesMax + 8) >> 8;
  EXPECT_FALSE(is_sound(bytes));
}
TEST(RecordView, FewerItemsThanCounted) {
  EXPECT_FALSE(is_sound(with(test_record(a_span(), TestItems().integer(1, 1)), offsetof(SpanRecord, items), 2)));
}
TEST(RecordView, MoreBytesThanItems) {
  EXPECT_FALSE(is_sound(with(test_record(a_span(), TestItems().integer(1, 1)), offsetof(SpanRecord, items), 0)));
}
TEST(RecordView, ItemLongerThanItsRecord) {
  EXPECT_FALSE(is_sound(raw_item(static_cast<std::uint16_t>(ItemType::text), 400, 12)));
}
TEST(RecordView, ItemOfUnknownType) { EXPECT_FALSE(is_sound(raw_item(15, 4, 4))); }
TEST(RecordView, ItemTooSmallForItsType) {
  const struct {
    ItemType type;
    std::size_t least;
  } cases[] = {{ItemType::boolean, 1},
               {ItemType::integer, 8},
               {ItemType::real, 8},
               {ItemType::id, 2},
               {ItemType::event, kEventHeadBytes},
               {ItemType::link, kLinkHeadBytes}};
  for (const auto& c : cases) {
    EXPECT_TRUE(is_sound(raw_item(static_cast<std::uint16_t>(c.type), c.least, padded4(c.least))))
        << static_cast<int>(c.type);
    EXPECT_FALSE(is_sound(raw_item(static_cast<std::uint16_t>(c.type), c.least - 1, padded4(c.least - 1))))
        << static_cast<int>(c.type);
  }
}
TEST(RecordView, ListOfNumbersThatEndsInTheMiddle) {
  EXPECT_TRUE(is_sound(raw_item(static_cast<std::uint16_t>(ItemType::integers), 16, 16)));
  EXPECT_FALSE(is_sound(raw_item(static_cast<std::uint16_t>(ItemType::integers), 12, 12)));
  EXPECT_FALSE(is_sound(raw_item(static_cast<std::uint16_t>(ItemType::reals), 7, 8)));
}
TEST(RecordView, ListOfTextsThatLeavesItsItem) {
  const std::uint8_t good[] = {1, 0, 'a', 0, 0}, bad[] = {1, 0, 'a', 9, 0}, odd[] = {1, 0, 'a', 9};
  EXPECT_TRUE(is_sound(test_record(a_span(), TestItems().add(ItemType::texts, 1, good, sizeof good))));
  EXPECT_FALSE(is_sound(test_record(a_span(), TestItems().add(ItemType::texts, 1, bad, sizeof bad))));
  EXPECT_FALSE(is_sound(test_record(a_span(), TestItems().add(ItemType::texts, 1, odd, sizeof odd))));
}
TEST(RecordView, DamageInsideAnEvent) {
  const Bytes good = test_record(a_span(), TestItems().event(1, 2, TestItems().integer(1, 2)));
  ASSERT_TRUE(is_sound(good));
  const std::size_t inner_type_size = sizeof(SpanRecord) + sizeof(ItemHeader) + kEventHeadBytes + 2;
  EXPECT_FALSE(is_sound(with(good, inner_type_size, 0xff)));
}
TEST(RecordView, EventInsideAnEvent) {
  EXPECT_FALSE(is_sound(test_record(a_span(), TestItems().event(1, 2, TestItems().event(1, 2, {})))));
}

TEST(TickScale, MonotonicTicksAreNanoseconds) {
  const ClockReading now{5'000, 5'000, 0, 1'000'005'000};
  const TickScale scale(ClockSource::monotonic_ns, {}, now);
  EXPECT_EQ(scale.unix_ns(5'000), 1'000'005'000);
  EXPECT_EQ(scale.unix_ns(4'000), 1'000'004'000);
  EXPECT_EQ(scale.unix_ns(6'000), 1'000'006'000);
  EXPECT_EQ(scale.duration_ns(17), 17);
}
TEST(TickScale, TscIsScaledByTwoReadings) {
  const ClockReading created{1'000, 0, 0, 0}, now{3'000'001'000, 1'000'000'000, 0, 77'000'000'000};
  const TickScale scale(ClockSource::tsc, created, now);
  EXPECT_NEAR(static_cast<double>(scale.duration_ns(3'000)), 1'000, 1);
  EXPECT_NEAR(static_cast<double>(scale.unix_ns(1'000)), 76e9, 2);
  EXPECT_NEAR(static_cast<double>(scale.unix_ns(3'000'001'000ULL * 2 - 1'000)), 78e9, 2);
}
TEST(TickScale, ADayOfTicksIsRightToAMicrosecond) {
  const std::int64_t day = 86'400'000'000'000;
  const ClockReading created{0, 0, 0, 0}, now{static_cast<std::uint64_t>(day) * 3, day, 0, day};
  const TickScale scale(ClockSource::tsc, created, now);
  EXPECT_NEAR(static_cast<double>(scale.unix_ns(0)), 0, 1000);
  EXPECT_NEAR(static_cast<double>(scale.duration_ns(static_cast<std::uint64_t>(day) * 3)), static_cast<double>(day),
              1000);
}
TEST(TickScale, ReadingsTooCloseTakeTheProcessorsFrequency) {
  ClockReading created = read_clocks(ClockSource::tsc);
  const TickScale scale(ClockSource::tsc, created, read_clocks(ClockSource::tsc));
  // Against a second pair far enough apart.
  timespec pause{0, 60'000'000};
  nanosleep(&pause, nullptr);
  const TickScale exact(ClockSource::tsc, created, read_clocks(ClockSource::tsc));
  const auto want = static_cast<double>(exact.duration_ns(1'000'000'000));
  EXPECT_NEAR(static_cast<double>(scale.duration_ns(1'000'000'000)) / want, 1.0, 0.01);
}
TEST(TickScale, HostileReadingsGiveSomeTimeAndNoDamage) {
  const std::uint64_t ticks[] = {0, 1, std::uint64_t{1} << 63, ~std::uint64_t{0}};
  const std::int64_t times[] = {INT64_MIN, -1, 0, INT64_MAX};
  for (const std::uint64_t t : ticks) {
    for (const std::int64_t n : times) {
      const TickScale scale(ClockSource::tsc, {t, n, n, n}, {~t, 100, 100, n});
      for (const std::uint64_t at : ticks) {
        EXPECT_GE(scale.duration_ns(at), 0);
        (void)scale.unix_ns(at);
      }
    }
  }
}
TEST(TickScale, TicksAndWallClockAgreeNow) {
  for (const auto source : {ClockSource::monotonic_ns, ClockSource::tsc}) {
    const ClockReading now = read_clocks(source);
    EXPECT_EQ(TickScale(source, now, now).unix_ns(now.ticks), now.realtime_ns);
  }
}

}  // namespace
}  // namespace honeylink::telemetry::ring
