// Blocks of spans: whatever goes in comes out, byte for byte; whatever is broken is refused.
#include "store/span_block.h"

#include "base/crc32c.h"
#include "store/foreign_filter.h"
#include "store/span_block_format.h"
#include "store/span_block_ints.h"
#include "store/test_spans.h"

namespace honeylink::telemetry::store {
namespace {

struct Written {
  SpanOrder order;
  WrittenBlock block;
};

Written write_block(SpanSet& set, ValueTable& table) {
  Written written;
  group_spans(set.spans, set.keys, written.order);
  SpanBlockWriter writer;
  writer.write(set.spans, written.order, written.order.runs, set.keys, table.values, written.block);
  table.store();
  return written;
}

void expect_all_back(const SpanSet& set, const ValueTable& table, const Written& written, std::size_t step = 1) {
  SpanBlockReader reader;
  ASSERT_TRUE(reader.open(written.block.data, set.lookup(), table.lookup()));
  ASSERT_EQ(reader.count(), set.spans.size());
  StoredSpan span;
  for (std::size_t i = 0; i < reader.count(); i += step) {
    ASSERT_TRUE(reader.read(i, span)) << i;
    SCOPED_TRACE(i);
    expect_same(span, set.spans[written.order.spans[i]]);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(SpanBlock, EverySpanComesBackAsItWas) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  ValueTable table;
  for (int round = 0; round < 40; ++round) {
    SpanSet set;
    add_random_spans(set, random, round == 0 ? kBlockSpansMax : 1 + random() % 300, 1 + round % 4);
    const Written written = write_block(set, table);
    expect_all_back(set, table, written);
    expect_all_back(set, table, written, 1 + random() % 20);
    if (HasFailure()) return;
  }
}

TEST(SpanBlock, ItemsThatNoWriterOfOursMakesComeBackByteForByte) {
  SpanSet set;
  set.add_key(1);
  const std::string odd[] = {
      std::string("\x00\x81\x00\x01", 4),  // a key in more bytes than it needs
      std::string("\x00\x05\x02", 3),      // a boolean of 2
      std::string("\x63", 1),              // no type of ours
      std::string("\x03\x05\x7f"
                  "ab",
                  5),                                          // a text that is cut off
      std::string("\x09\x01\x02\x04\x00\x09\x01\x02\x00", 9),  // an event in an event
      std::string(70, '\0') + "\x03",
  };
  for (std::size_t i = 0; i < std::size(odd); ++i) {
    StoredSpan span;
    span.source = 1, span.trace.lo = i / 2, span.span = i;
    set.bytes.push_back(std::make_unique<std::vector<std::uint8_t>>(odd[i].begin(), odd[i].end()));
    span.items = *set.bytes.back();
    set.spans.push_back(span);
  }
  ValueTable table;
  expect_all_back(set, table, write_block(set, table));
}

TEST(SpanBlock, LargeSpansAndMoreShapesThanATableHoldsComeBack) {
  std::mt19937_64 random(7);
  SpanSet set;
  set.add_key(1);
  std::vector<std::uint32_t> none;
  const TextIds texts{&none, &text_as_it_is, nullptr};
  const Source source = make_source(1, {"_other"});
  TraceBlobWriter writer;
  for (std::uint64_t i = 0; i < 1200; ++i) {
    Items items;
    if (i % 100 == 0) {
      for (std::uint16_t k = 0; k < 15; ++k) items.text(k, std::string(4000, static_cast<char>('a' + i % 26)));
    } else {
      for (std::uint16_t k = 0; k < 2; ++k) items.integer(static_cast<std::uint16_t>(i * 2 + k), static_cast<int>(i));
    }
    writer.add(make_span(source, i, items.view()), 1, 0, texts);
  }
  set.add_blob(writer.finish());
  ValueTable table;
  const Written written = write_block(set, table);
  expect_all_back(set, table, written);
  EXPECT_LT(written.block.data.size(), 100'000U);
}

TEST(SpanBlock, ExtremesOfTimeAndCountersComeBack) {
  SpanSet set;
  set.add_key(1);
  const std::int64_t times[] = {INT64_MIN, -1, 0, 1, INT64_MAX, 1'700'000'000'000'000'000};
  for (const std::int64_t start : times) {
    for (const std::uint64_t counter : {std::uint64_t{0}, std::uint64_t{1}, UINT64_MAX}) {
      StoredSpan span;
      span.source = 1, span.trace.lo = counter, span.span = ~counter, span.start_unix_ns = start;
      span.duration_ns = INT64_MAX - static_cast<std::int64_t>(counter % 2);
      span.parent = {true, false, counter * 3};
      span.dropped_attributes = UINT32_MAX, span.name = UINT32_MAX, span.kind = 7, span.status = 3;
      set.spans.push_back(span);
    }
  }
  ValueTable table;
  expect_all_back(set, table, write_block(set, table));
}

TEST(SpanBlock, ASpanOfAnotherProcessesTraceMayStandAlone) {
  SpanSet set;
  set.add_key(1), set.add_key(2);
  StoredSpan received;
  received.source = 2, received.trace = foreign_trace(set.keys.find(1)->trace_id(5));
  received.parent = {true, true, span_value(set.keys.find(1)->span_id(10))};
  set.spans.push_back(received);
  ValueTable table;
  expect_all_back(set, table, write_block(set, table));
}

TEST(SpanBlock, SpansOfATraceStandTogetherWhicheverProcessRecordedThem) {
  SpanSet set;
  set.add_key(1), set.add_key(2);
  for (std::uint64_t i = 0; i < 10; ++i) {
    StoredSpan sent, received;
    sent.source = 1, sent.trace.lo = 5, sent.span = 10 + i, sent.start_unix_ns = static_cast<std::int64_t>(100 * i);
    received.source = 2, received.trace = foreign_trace(set.keys.find(1)->trace_id(5)), received.span = i;
    received.parent = {true, true, span_value(set.keys.find(1)->span_id(10 + i))};
    received.start_unix_ns = sent.start_unix_ns + 50;
    set.spans.push_back(received);
    set.spans.push_back(sent);
  }
  ValueTable table;
  const Written written = write_block(set, table);
  ASSERT_EQ(written.order.runs.size(), 1U);
  EXPECT_EQ(written.order.runs[0].source, 1U);
  EXPECT_LT(written.block.data.size(), 150U);
  expect_all_back(set, table, written);
}

TEST(SpanBlock, EachOfAThousandFlippedBitsIsDetected) {
  std::mt19937_64 random(std::random_device{}());
  SpanSet set;
  add_random_spans(set, random, 500);
  ValueTable table;
  Written written = write_block(set, table);
  SpanBlockReader reader;
  int detected = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::size_t bit = random() % (written.block.data.size() * 8);
    written.block.data[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    detected += reader.open(written.block.data, set.lookup(), table.lookup()) ? 0 : 1;
    written.block.data[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
  }
  EXPECT_EQ(detected, 1000);
  expect_all_back(set, table, written);
}

// Reads what it can of bytes whose checksum fits; only the sanitizers and the bounds judge.
std::size_t read_hostile(ByteBuffer bytes, const SpanSet& set, const ValueTable& table) {
  if (bytes.size() >= kSpanBlockHead) {
    const std::uint32_t crc = crc32c(bytes.data() + 8, bytes.size() - 8);
    std::memcpy(bytes.data() + 4, &crc, 4);
  }
  SpanBlockReader reader;
  if (!reader.open(bytes, set.lookup(), table.lookup())) return 0;
  EXPECT_LE(reader.count(), kBlockSpansMax);
  StoredSpan span;
  std::size_t read = 0;
  while (read < reader.count() && reader.read(read, span)) {
    EXPECT_LE(span.items.size(), kBlockSpanItemsMax);
    ++read;
  }
  return read;
}

TEST(SpanBlock, TruncatedAndForgedBlocksAreRefusedOrReadWithinBounds) {
  std::mt19937_64 random(std::random_device{}());
  SpanSet set;
  add_random_spans(set, random, 60);
  ValueTable table;
  const Written written = write_block(set, table);
  const ByteBuffer& whole = written.block.data;
  for (std::size_t size = 0; size < whole.size(); size += 1 + size / 200)
    EXPECT_EQ(read_hostile({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}, set, table), 0U) << size;
  for (int i = 0; i < 3000; ++i) {
    ByteBuffer forged = whole;
    for (std::uint64_t n = 1 + random() % 3; n > 0; --n)
      forged[16 + random() % (forged.size() - 16)] = static_cast<std::uint8_t>(random());
    (void)read_hostile(std::move(forged), set, table);
  }
}

TEST(SpanBlock, WithoutItsKeysOrValuesIsAnErrorNotAGuess) {
  SpanSet set;
  set.add_key(1), set.add_key(2);
  std::vector<std::uint32_t> none;
  const TextIds texts{&none, &text_as_it_is, nullptr};
  const Source source = make_source(1, {"_other"});
  TraceBlobWriter writer;
  for (std::uint64_t i = 0; i < 200; ++i) {
    Items items;
    items.text(3, "value-" + std::to_string(i % 5));
    SpanEvent event = make_span(source, i, items.view());
    if (i >= 100) event.trace = foreign_trace(set.keys.find(2)->trace_id(i / 4));
    writer.add(event, 1, 0, texts);
  }
  set.add_blob(writer.finish());
  ValueTable table;
  const Written written = write_block(set, table);
  ASSERT_EQ(table.rows.size(), 6U);
  SpanBlockReader reader;
  StoredSpan span;
  const auto reads = [&](const KeyLookup& keys, const ValueLookup& values) {
    std::size_t i = 0;
    if (!reader.open(written.block.data, keys, values)) return i;
    while (i < 200 && reader.read(i, span)) ++i;
    return i;
  };
  EXPECT_EQ(reads(set.lookup(), table.lookup()), 200U);
  EXPECT_LT(reads([](std::uint32_t) { return nullptr; }, table.lookup()), 200U);
  EXPECT_LT(reads(set.lookup(), [](std::uint32_t, std::string_view&) { return false; }), 200U);
}

TEST(SpanZone, TellsWhatABlockHolds) {
  std::mt19937_64 random(std::random_device{}());
  SpanSet set;
  add_random_spans(set, random, 400);
  ValueTable table;
  const Written written = write_block(set, table);
  ByteBuffer bytes = write_zone(written.block.zone);
  SpanZone zone;
  ASSERT_TRUE(read_zone(bytes, zone));
  std::uint64_t spans = 0, errors = 0;
  for (const ZoneName& name : zone.names) {
    std::uint64_t n = 0;
    std::int64_t longest = 0;
    for (const StoredSpan& s : set.spans) {
      if (s.name != name.name) continue;
      ++n, longest = std::max(longest, s.duration_ns), errors += s.status == 2 ? 1 : 0;
    }
    EXPECT_EQ(n, name.spans);
    EXPECT_EQ(longest, name.longest_ns);
    spans += n;
  }
  EXPECT_EQ(spans, set.spans.size());
  EXPECT_EQ(errors, zone.errors);
  EXPECT_EQ(zone.kept, 15U);
  for (std::size_t i = 0; i < bytes.size() * 8; ++i) {
    bytes[i / 8] ^= static_cast<std::uint8_t>(1U << (i % 8));
    EXPECT_FALSE(read_zone(bytes, zone)) << i;
    bytes[i / 8] ^= static_cast<std::uint8_t>(1U << (i % 8));
  }
}

TEST(TraceRanges, HoldEveryCounterAndAreFew) {
  std::mt19937_64 random(std::random_device{}());
  std::vector<SpanRun> runs;
  for (std::uint64_t thread = 0; thread < 6; ++thread) {
    for (std::uint64_t i = 0; i < 100; ++i) runs.push_back({1, 0, thread * 4096 + i * 5, 0, 1});
  }
  for (int i = 0; i < 50; ++i) runs.push_back({2, 0, random(), 0, 1});
  runs.push_back({0, random(), random(), 0, 1});
  const auto ranges = trace_ranges(runs);
  EXPECT_LE(std::count_if(ranges.begin(), ranges.end(), [](const TraceRange& r) { return r.source == 1; }), 6);
  for (const SpanRun& run : runs) {
    if (run.source == 0) continue;
    EXPECT_EQ(std::count_if(ranges.begin(), ranges.end(),
                            [&](const TraceRange& r) {
                              return r.source == run.source && r.lo <= run.lo && run.lo <= r.hi &&
                                     r.hi - r.lo <= kTraceRangeMax;
                            }),
              1);
  }
}

TEST(ForeignFilter, KnowsEveryIdAndFewOthers) {
  std::mt19937_64 random(std::random_device{}());
  for (const bool counted : {false, true}) {  // ids of other products may be less than random
    std::vector<ForeignId> ids;
    for (std::uint64_t i = 0; i < 800; ++i) ids.emplace_back(counted ? 7 : random(), counted ? i : random());
    auto filter = make_foreign_filter(ids);
    EXPECT_LE(filter.size(), 800U * 10 / 8 + 6);
    for (const ForeignId& id : ids) EXPECT_TRUE(may_hold(filter, id));
    int in_vain = 0;
    for (std::uint64_t i = 0; i < 10'000; ++i)
      in_vain += may_hold(filter, {counted ? 7 : random(), counted ? 10'000 + i : random()}) ? 1 : 0;
    EXPECT_LT(in_vain, 250);
    filter[filter.size() / 2] ^= 4U;
    EXPECT_TRUE(may_hold(filter, {1, 2}));
  }
  EXPECT_TRUE(make_foreign_filter({}).empty());
}

TEST(SpanValues, BeginAnewWhenFullAndGiveNoIdTwice) {
  SpanValues values;
  std::uint32_t last = 0;
  for (std::uint32_t i = 0; i < 40'000; ++i) {
    if (i % 100 == 0) values.stored(), values.begin_block();
    const std::uint32_t id = values.add("value " + std::to_string(i));
    ASSERT_GT(id, last) << i;
    last = id;
  }
  EXPECT_GT(values.epoch(), 1U);
  EXPECT_EQ(values.find("value 0"), 0U);
  EXPECT_EQ(values.find("value 39999"), last);
  EXPECT_EQ(values.add("abc"), 0U);
}

TEST(IntegerStream, GivesBackWhateverItWasGiven) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  FrameWriter writer;
  FrameReader reader;
  IntegerScratch scratch;
  for (int round = 0; round < 3000; ++round) {
    Integers values(1 + random() % (random() % 8 == 0 ? 4096 : 60));
    const unsigned shift = static_cast<unsigned>(random() % 64), kind = static_cast<unsigned>(random() % 6);
    const std::uint64_t base = random(), step = random() >> (random() % 64), factor = 1 + random() % 1000;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::uint64_t noise = random() >> shift;
      values[i] = kind == 0   ? noise
                  : kind == 1 ? base + i * step
                  : kind == 2 ? base + i * step + noise
                  : kind == 3 ? (noise - (random() >> shift)) * factor
                  : kind == 4 ? base
                              : (i % 3 == 0 ? INT64_MAX : static_cast<std::uint64_t>(INT64_MIN)) + noise;
    }
    ByteBuffer stream;
    write_integers(values, scratch, writer, stream);
    Integers back;
    reader.begin_block();
    ASSERT_TRUE(read_integers(stream, values.size(), reader, scratch, back)) << round;
    ASSERT_EQ(back, values) << round;
    EXPECT_FALSE(read_integers({stream.data(), stream.size() - 1}, values.size(), reader, scratch, back));
  }
}

}  // namespace
}  // namespace honeylink::telemetry::store
