// For the tests and the benchmark of span blocks: spans of all shapes as hot rows hold them, and their way into a block
// and back. Not part of a program.
#pragma once
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "store/span_block.h"
#include "store/test_support.h"
#include "store/trace_codec.h"

namespace honeylink::telemetry::store {

/// Stored spans and the bytes that they point into.
struct SpanSet {
  std::vector<StoredSpan> spans;
  std::vector<std::unique_ptr<std::vector<std::uint8_t>>> bytes;
  SpanKeys keys;

  void add_blob(std::span<const std::uint8_t> blob) {
    bytes.push_back(std::make_unique<std::vector<std::uint8_t>>(blob.begin(), blob.end()));
    TraceBlob read(*bytes.back());
    for (StoredSpan span; read.next(span);) spans.push_back(span);
    if (!read.sound() || read.damaged()) ADD_FAILURE() << "the blob is not whole";
  }
  void add_key(std::uint32_t source) {
    IdKey trace_key{}, span_key{};
    trace_key.fill(static_cast<std::uint8_t>(source)), span_key.fill(static_cast<std::uint8_t>(source + 100));
    keys.add(source, trace_key, span_key);
  }
  [[nodiscard]] KeyLookup lookup() const {
    return [this](std::uint32_t source) { return keys.find(source); };
  }
};

/// Values as a database would hold them.
struct ValueTable {
  SpanValues values;
  std::vector<std::string> rows{std::string()};  // by id
  void store() {
    for (const auto& [id, value] : values.fresh()) {
      if (rows.size() <= id) rows.resize(id + 1);
      rows[id] = value;
    }
    values.stored();
  }
  [[nodiscard]] ValueLookup lookup() const {
    return [this](std::uint32_t id, std::string_view& value) {
      if (id == 0 || id >= rows.size()) return false;
      return value = rows[id], true;
    };
  }
};

/// Every kind of item, some of them nested, now and then none.
inline Items random_items(std::mt19937_64& random, int depth = 1) {
  Items items;
  const std::size_t n = random() % 4 == 0 ? 0 : random() % 7;
  for (std::size_t i = 0; i < n; ++i) {
    const auto key = static_cast<std::uint16_t>(random() % 9);
    std::string text(random() % 3 == 0 ? 0 : random() % 40, 'x');
    for (char& c : text) c = static_cast<char>(random() % 3 == 0 ? random() : 'a' + random() % 6);
    switch (random() % 16) {
      case 0:
        items.add(key, ItemType::boolean, std::string(1, static_cast<char>(random() % 2)));
        break;
      case 1:
        items.integer(key, static_cast<std::int64_t>(random() >> (random() % 64)) * (random() % 2 == 0 ? 1 : -1));
        break;
      case 2:
        items.real(key,
                   random() % 2 == 0 ? static_cast<double>(random() % 1000) / 10 : std::bit_cast<double>(random()));
        break;
      case 3:
        items.add(key, ItemType::id, std::string("\x07\0", 2) + text);
        break;
      case 4:
        items.add(key, ItemType::booleans, text);
        break;
      case 5:
        items.add(key, ItemType::integers, std::string(8 * (random() % 5), '\x21'));
        break;
      case 6:
        items.add(key, ItemType::reals, std::string(8 * (random() % 5), '\x42'));
        break;
      case 7:
        items.add(key, ItemType::texts, std::string("\x02\0ab\x01\0c", 7));
        break;
      case 8:
      case 9: {
        if (depth == 0) break;
        const std::int64_t time = 1'700'000'000'000'000'000 + static_cast<std::int64_t>(random() % 1'000'000'000);
        std::string event(kEventHeadBytes, '\0');
        const auto name = static_cast<std::uint32_t>(random() % 5);
        std::memcpy(event.data(), &name, 4), std::memcpy(event.data() + 4, &time, 8);
        items.add(0, ItemType::event, event + std::string(random_items(random, 0).raw()));
        break;
      }
      case 10: {
        if (depth == 0) break;
        std::string link(kLinkHeadBytes, static_cast<char>(random()));
        items.add(0, ItemType::link, link + std::string(random_items(random, 0).raw()));
        break;
      }
      case 11:
        items.add(0, static_cast<ItemType>(11 + random() % 4), text);
        break;
      default:
        items.text(key, random() % 2 == 0 ? text : "value-" + std::to_string(random() % 5));
    }
  }
  return items;
}

inline std::uint32_t text_as_it_is(void*, std::uint32_t text) { return text + 1000; }

/// Spans of `sources` processes: own and foreign traces, ids of each other and of nobody here, parents near and far.
inline void add_random_spans(SpanSet& set, std::mt19937_64& random, std::size_t n, std::uint32_t sources = 3) {
  for (std::uint32_t s = 1; s <= sources; ++s) set.add_key(s);
  const Source source = make_source(1, {"_other", "a"});
  std::vector<std::uint32_t> table;
  const TextIds texts{&table, &text_as_it_is, nullptr};
  TraceBlobWriter writer;
  std::vector<std::uint64_t> counters(sources + 1, 1);
  const std::uint64_t lost = random();
  for (std::size_t i = 0; i < n; ++i) {
    const Items items = random_items(random);
    const auto from = static_cast<std::uint32_t>(1 + random() % sources);
    const bool wild = random() % 16 == 0;
    SpanEvent e = make_span(source, i, items.view());
    e.span = wild ? random() : (counters[from] += random() % 3) + (random() % 8) * 5000;
    e.trace = {false, 0, wild ? random() : e.span / 4};
    e.parent = {random() % 4 != 0, false, random() % 3 == 0 ? random() : e.span - random() % 6};
    if (random() % 3 == 0) {  // part of another process's trace, or of one from elsewhere
      const std::uint32_t owner = 1 + static_cast<std::uint32_t>(random() % sources);
      const std::uint64_t counter = random() % (counters[owner] + 1) / 4;
      e.trace = random() % 4 == 0 ? TraceRef{true, lost, random() % 50}
                                  : foreign_trace(set.keys.find(owner)->trace_id(counter));
      e.parent.foreign = e.parent.present && random() % 4 != 0;
      if (e.parent.foreign && random() % 4 != 0)
        e.parent.value = span_value(set.keys.find(owner)->span_id(counter * 4));
    }
    if (!e.parent.present) e.parent = {};
    e.name = static_cast<std::uint32_t>(random() % (random() % 32 == 0 ? 300 : 5));
    e.kind = static_cast<std::uint8_t>(random() % 5), e.status = static_cast<std::uint8_t>(random() % 3);
    e.kept = static_cast<Kept>(random() % 4);
    e.unfinished = random() % 9 == 0, e.keep_trace = random() % 9 == 0;
    e.slow = random() % 9 == 0, e.no_slot = random() % 9 == 0;
    e.start_unix_ns = wild ? static_cast<std::int64_t>(random())
                           : 1'700'000'000'000'000'000 + static_cast<std::int64_t>(random() % 5'000'000'000);
    e.duration_ns = static_cast<std::int64_t>(random() >> (1 + random() % 60));
    if (random() % 9 == 0) e.dropped_attributes = static_cast<std::uint16_t>(random());
    if (random() % 9 == 0) e.dropped_events = static_cast<std::uint16_t>(random());
    writer.add(e, from, static_cast<std::uint32_t>(random() % 3), texts);
  }
  set.add_blob(writer.finish());
}

inline void expect_same(const StoredSpan& a, const StoredSpan& b) {
  EXPECT_EQ(a.source, b.source);
  EXPECT_EQ(a.span, b.span);
  EXPECT_TRUE(a.trace == b.trace) << a.trace.foreign << ' ' << a.trace.hi << ' ' << a.trace.lo << " is not "
                                  << b.trace.foreign << ' ' << b.trace.hi << ' ' << b.trace.lo;
  EXPECT_TRUE(a.parent.present == b.parent.present && a.parent.foreign == b.parent.foreign &&
              a.parent.value == b.parent.value);
  EXPECT_TRUE(a.name == b.name && a.scope == b.scope && a.kind == b.kind && a.status == b.status && a.kept == b.kept);
  EXPECT_TRUE(a.unfinished == b.unfinished && a.keep_trace == b.keep_trace && a.slow == b.slow &&
              a.no_slot == b.no_slot);
  EXPECT_TRUE(a.start_unix_ns == b.start_unix_ns && a.duration_ns == b.duration_ns);
  EXPECT_TRUE(a.dropped_attributes == b.dropped_attributes && a.dropped_events == b.dropped_events);
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(a.items.data()), a.items.size()),
            std::string_view(reinterpret_cast<const char*>(b.items.data()), b.items.size()));
}

}  // namespace honeylink::telemetry::store
