// Writes the block of docs/formats/traces_db.md: spans are looked at once each, in order, and leave a value in each
// column; then the columns become streams.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <unordered_map>

#include "base/crc32c.h"
#include "store/bytes.h"
#include "store/span_block.h"
#include "store/span_block_columns.h"
#include "store/span_block_format.h"
#include "store/span_block_model.h"
#include "store/span_block_shapes.h"

namespace honeylink::telemetry::store {
namespace {

constexpr std::uint32_t kNone = 0xffff'ffffU;

/// Spans of a run by (source, counter), for finding parents. Emptied by counting up.
class RunIndex {
 public:
  void begin_block() {
    slots_.assign(2 * kBlockSpansMax, {});
    run_ = 0;
  }
  void begin_run() noexcept { ++run_; }
  void add(std::uint32_t source, std::uint64_t counter, std::uint32_t index) noexcept {
    Slot& slot = at(source, counter);
    if (slot.run != run_) slot = {run_, source, counter, index};
  }
  [[nodiscard]] std::uint32_t find(std::uint32_t source, std::uint64_t counter) noexcept {
    const Slot& slot = at(source, counter);
    return slot.run == run_ ? slot.index : kNone;
  }

 private:
  struct Slot {
    std::uint32_t run = 0, source = 0;
    std::uint64_t counter = 0;
    std::uint32_t index = 0;
  };
  Slot& at(std::uint32_t source, std::uint64_t counter) noexcept {
    std::size_t i = static_cast<std::size_t>(((counter + source) * 0x9e37'79b9'7f4a'7c15ULL) >> 48);
    for (i %= slots_.size();; i = (i + 1) % slots_.size()) {
      Slot& slot = slots_[i];
      if (slot.run != run_ || (slot.source == source && slot.counter == counter)) return slot;
    }
  }
  std::vector<Slot> slots_;
  std::uint32_t run_ = 0;
};

struct SpanClass {
  std::uint32_t name = 0, scope = 0;
  std::uint8_t kind = 0, prediction = 0;
  std::uint32_t last_source = 0;
  std::uint64_t bits[2] = {0, 0};  // what starts would cost by either prediction
  friend bool same(const SpanClass& a, const SpanClass& b) noexcept {
    return a.name == b.name && a.scope == b.scope && a.kind == b.kind;
  }
};

/// A start whose prediction is chosen at the end.
struct PendingStart {
  std::uint32_t span_class = 0;
  std::int64_t off[2] = {0, 0};
};

}  // namespace

struct SpanBlockWriter::State {
  void begin(std::span<const StoredSpan> all, const SpanKeys& its_keys);
  void add_run(const SpanOrder& order, const SpanRun& run);
  void add_span(const StoredSpan& s, const SpanRun& run, std::uint32_t index);
  void add_parent(const StoredSpan& s, const SpanRun& run, std::uint32_t& parent);
  void add_start(const StoredSpan& s, std::uint32_t span_class, std::uint32_t index, std::uint32_t parent);
  void add_items(const StoredSpan& s, std::uint32_t span_class);
  void add_to_zone(const StoredSpan& s);
  void end_starts();
  std::uint32_t class_of(const StoredSpan& s);
  std::uint32_t source_of(std::uint32_t source);
  ByteBuffer tables() const;
  void assemble(SpanValues& values, WrittenBlock& to);
  Integers& of(SpanStream stream) { return fixed[static_cast<std::size_t>(stream)]; }

  std::span<const StoredSpan> spans;
  const SpanKeys* keys = nullptr;
  std::array<Integers, kFixedStreams> fixed;
  ByteBuffer foreign_traces, foreign_parents, raw_items;
  std::vector<SpanClass> classes;
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> class_ids;
  std::vector<std::uint32_t> sources;
  std::unordered_map<std::uint32_t, std::uint32_t> source_ids;
  std::vector<Integers> starts, durations;
  std::vector<PendingStart> pending;
  std::vector<std::int64_t> run_starts;  // of the spans of this run
  CounterLanes lanes;
  StartModel model;
  RunIndex index;
  ShapeTable shapes;
  std::vector<ItemToken> tokens;
  std::vector<ItemValue> item_values;
  std::vector<ItemColumn> columns;
  std::map<std::uint32_t, ZoneName> names;
  SpanZone zone;
  std::int64_t base = 0, latest = 0, before_start = 0, end = 0;
  std::size_t n = 0;
  std::uint32_t last_class = kNone, last_source = kNone;
  ColumnWriter writer;
};

void SpanBlockWriter::State::begin(std::span<const StoredSpan> all, const SpanKeys& its_keys) {
  spans = all, keys = &its_keys;
  for (Integers& column : fixed) column.clear();
  foreign_traces.clear(), foreign_parents.clear(), raw_items.clear();
  classes.clear(), class_ids.clear(), sources.clear(), source_ids.clear();
  starts.clear(), durations.clear(), pending.clear(), columns.clear(), names.clear();
  lanes = {}, zone = {};
  index.begin_block();
  shapes.begin(kBlockSpansMax);
  n = 0;
  last_class = last_source = kNone;
}

std::uint32_t SpanBlockWriter::State::class_of(const StoredSpan& s) {
  const SpanClass wanted{s.name, s.scope, s.kind, 0, 0, {0, 0}};
  if (last_class != kNone && same(classes[last_class], wanted)) return last_class;
  auto& candidates = class_ids[std::uint64_t{s.name} << 32 | s.scope];
  for (const std::uint32_t c : candidates) {
    if (classes[c].kind == s.kind) return last_class = c;
  }
  last_class = static_cast<std::uint32_t>(classes.size());
  candidates.push_back(last_class);
  classes.push_back(wanted);
  const std::size_t lane_count = std::min(classes.size(), kBlockLanes);
  if (starts.size() < lane_count) starts.emplace_back(), durations.emplace_back();
  return last_class;
}

std::uint32_t SpanBlockWriter::State::source_of(std::uint32_t source) {
  if (last_source != kNone && sources[last_source] == source) return last_source;
  const auto [at, is_new] = source_ids.try_emplace(source, static_cast<std::uint32_t>(sources.size()));
  if (is_new) sources.push_back(source);
  return last_source = at->second;
}

void SpanBlockWriter::State::add_run(const SpanOrder& order, const SpanRun& run) {
  index.begin_run();
  model.begin_run(run.count);
  run_starts.clear();
  of(SpanStream::run_sizes).push_back(run.count);
  of(SpanStream::run_sources).push_back(run.source == 0 ? 0 : source_of(run.source) + 1);
  if (run.source == 0) {
    std::uint8_t id[16];
    encode_fixed(encode_fixed(id, run.hi), run.lo);
    append(foreign_traces, id);
  } else {
    std::uint64_t symbol = run.lo;
    for (std::uint32_t i = 0; i < run.count; ++i) {
      const StoredSpan& s = spans[order.spans[run.first + i]];
      if (s.source != run.source) continue;
      symbol = zigzag(static_cast<std::int64_t>(s.span - run.lo));
      break;
    }
    of(SpanStream::trace_counters).push_back(symbol);
  }
  for (std::uint32_t i = 0; i < run.count; ++i) add_span(spans[order.spans[run.first + i]], run, i);
}

void SpanBlockWriter::State::add_span(const StoredSpan& s, const SpanRun& run, std::uint32_t i) {
  const std::uint32_t c = class_of(s), source = source_of(s.source);
  of(SpanStream::classes).push_back(c);
  of(SpanStream::sources).push_back(classes[c].last_source == source ? 0 : source + 1);
  classes[c].last_source = source;
  const bool expected = run.source == 0 || s.source != run.source;
  of(SpanStream::trace_forms).push_back(s.trace.foreign != expected ? 1 : 0);
  const std::size_t lane = lanes.nearest(s.source, s.span);
  of(SpanStream::counter_lanes).push_back(lane);
  of(SpanStream::counter_steps)
      .push_back(lane == lanes.size() ? s.span : zigzag(static_cast<std::int64_t>(s.span - lanes[lane].last)));
  lanes.use(lane, s.source, s.span);

  std::uint32_t parent = run.count;
  add_parent(s, run, parent);
  index.add(s.source, s.span, i);
  of(SpanStream::statuses).push_back(s.status);
  of(SpanStream::flags)
      .push_back(static_cast<unsigned>(s.kept) | (s.unfinished ? kPackedUnfinished : 0U) |
                 (s.keep_trace ? kPackedKeepTrace : 0U) | (s.slow ? kPackedSlow : 0U) |
                 (s.no_slot ? kPackedNoSlot : 0U));
  of(SpanStream::dropped_attributes).push_back(s.dropped_attributes);
  of(SpanStream::dropped_events).push_back(s.dropped_events);
  add_start(s, c, i, parent);
  durations[std::min<std::size_t>(c, kBlockLanes - 1)].push_back(static_cast<std::uint64_t>(s.duration_ns));
  add_items(s, c);
  add_to_zone(s);
  ++n;
}

void SpanBlockWriter::State::add_parent(const StoredSpan& s, const SpanRun& run, std::uint32_t& parent) {
  Integers& symbols = of(SpanStream::parents);
  if (!s.parent.present) return symbols.push_back(kParentNone);
  if (!s.parent.foreign) {
    const std::uint32_t found = index.find(s.source, s.parent.value);
    if (found != kNone) return parent = found, symbols.push_back(kParentInRun + found);
    symbols.push_back(kParentOwn);
    return of(SpanStream::parent_steps).push_back(zigzag(static_cast<std::int64_t>(s.span - s.parent.value)));
  }
  if (const IdCipher* cipher = run.source == 0 ? nullptr : keys->find(run.source); cipher != nullptr) {
    const std::uint64_t counter = cipher->span_counter(span_bytes(s.parent.value));
    // In the run a parent of the span's own source reads as its own form; such a one is told by its counter.
    const std::uint32_t found = s.source == run.source ? kNone : index.find(run.source, counter);
    if (found != kNone) return parent = found, symbols.push_back(kParentInRun + found);
    if (counter >> 48 == 0) {  // of an id that is no counter's the chance is one in 65,536; it comes back all the same
      symbols.push_back(kParentOfRun);
      return of(SpanStream::parent_steps).push_back(counter);
    }
  }
  symbols.push_back(kParentForeign);
  std::uint8_t id[8];
  encode_fixed(id, s.parent.value);
  append(foreign_parents, id);
}

void SpanBlockWriter::State::add_start(const StoredSpan& s, std::uint32_t span_class, std::uint32_t i,
                                       std::uint32_t parent) {
  if (i == 0) {
    const std::int64_t before = n == 0 ? base : before_start;
    of(SpanStream::run_starts).push_back(zigzag(wrapping_difference(s.start_unix_ns, before)));
    before_start = s.start_unix_ns;
  } else {
    PendingStart start{span_class, {0, 0}};
    const std::int64_t parent_start = parent < run_starts.size() ? run_starts[parent] : 0;
    for (unsigned p = 0; p < 2; ++p) {
      start.off[p] = wrapping_difference(s.start_unix_ns, model.foresee(p, parent, parent_start, run_starts.back()));
      classes[span_class].bits[p] += static_cast<std::uint64_t>(std::bit_width(zigzag(start.off[p])));
    }
    pending.push_back(start);
  }
  run_starts.push_back(s.start_unix_ns);
  model.passed(parent, s.start_unix_ns, s.duration_ns);
}

void SpanBlockWriter::State::end_starts() {
  for (SpanClass& c : classes) c.prediction = c.bits[1] < c.bits[0] ? 1 : 0;
  for (const PendingStart& start : pending) {
    const std::size_t lane = std::min<std::size_t>(start.span_class, kBlockLanes - 1);
    starts[lane].push_back(zigzag(start.off[classes[start.span_class].prediction]));
  }
}

void SpanBlockWriter::State::add_items(const StoredSpan& s, std::uint32_t span_class) {
  std::uint32_t shape = kNone;
  if (take_apart(s.items, tokens, item_values)) shape = shapes.find_or_add(span_class, tokens);
  if (shape == kNone) {
    of(SpanStream::shapes).push_back(0);
    of(SpanStream::raw_sizes).push_back(s.items.size());
    return append(raw_items, s.items);
  }
  const ItemShape& its = shapes.shapes()[shape];
  of(SpanStream::shapes).push_back(its.in_class + 1);
  if (columns.size() < shapes.columns().size()) columns.resize(shapes.columns().size());
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    ItemColumn& column = columns[its.columns[i]];
    const ItemType type = tokens[i].item();
    if (column_has_numbers(type)) column.numbers.push_back(item_values[i].number);
    if (column_has_texts(type)) column.texts.push_back(item_values[i].text);
  }
}

void SpanBlockWriter::State::add_to_zone(const StoredSpan& s) {
  latest = n == 0 ? s.start_unix_ns : std::max(latest, s.start_unix_ns);
  const std::int64_t its_end = wrapping_sum(s.start_unix_ns, s.duration_ns);
  end = n == 0 ? its_end : std::max(end, its_end);
  zone.errors += s.status == 2 ? 1 : 0;
  zone.kept |= std::uint64_t{1} << static_cast<unsigned>(s.kept);
  zone.unfinished = zone.unfinished || s.unfinished;
  zone.slow = zone.slow || s.slow;
  ZoneName& name = names[s.name];
  name.name = s.name;
  ++name.spans;
  name.errors += s.status == 2 ? 1 : 0;
  name.longest_ns = std::max(name.longest_ns, s.duration_ns);
}

ByteBuffer SpanBlockWriter::State::tables() const {
  ByteBuffer to;
  for (const std::uint32_t source : sources) append_varint(to, source);
  for (const SpanClass& c : classes) {
    append_varint(to, c.name);
    append_varint(to, c.scope);
    append_varint(to, c.kind + 8U * c.prediction);
  }
  for (const ItemShape& shape : shapes.shapes()) {
    append_varint(to, shape.span_class);
    append_varint(to, shape.tokens.size());
    for (const ItemToken& token : shape.tokens) {
      append_varint(to, token.type);
      append_varint(to, token.key);
      if (token.item() == ItemType::id) append_varint(to, token.kind);
    }
  }
  return to;
}

void SpanBlockWriter::State::assemble(SpanValues& values, WrittenBlock& to) {
  ByteBuffer streams;
  Integers sizes;
  const auto stream = [&](auto&& write) {
    const std::size_t from = streams.size();
    write();
    sizes.push_back(streams.size() - from);
  };
  for (std::size_t i = 0; i < kFixedStreams; ++i) {
    stream([&] {
      switch (static_cast<SpanStream>(i)) {
        case SpanStream::tables:
          return writer.bytes(tables(), streams);
        case SpanStream::foreign_traces:
          return foreign_traces.empty() ? void() : writer.bytes(foreign_traces, streams);
        case SpanStream::foreign_parents:
          return foreign_parents.empty() ? void() : writer.bytes(foreign_parents, streams);
        case SpanStream::raw_items:
          return raw_items.empty() ? void() : writer.bytes(raw_items, streams);
        default:
          return writer.integers(fixed[i], streams);
      }
    });
  }
  for (std::size_t lane = 0; lane < starts.size(); ++lane) {
    stream([&] { writer.integers(starts[lane], streams); });
    stream([&] { writer.integers(durations[lane], streams); });
  }
  for (std::size_t i = 0; i < shapes.columns().size(); ++i)
    stream([&] { writer.items(shapes.columns()[i], columns[i], values, streams); });

  to.data.clear();
  to.data.resize(kSpanBlockHead);
  encode_fixed(to.data.data(), kSpanBlockMagic);
  encode_fixed(to.data.data() + 8, base);
  for (const std::uint64_t number :
       {std::uint64_t{n}, std::uint64_t{of(SpanStream::run_sizes).size()}, std::uint64_t{sources.size()},
        std::uint64_t{classes.size()}, std::uint64_t{shapes.shapes().size()}, std::uint64_t{sizes.size()}})
    append_varint(to.data, number);
  for (const std::uint64_t size : sizes) append_varint(to.data, size);
  append(to.data, streams);
  encode_fixed(to.data.data() + 4, crc32c(to.data.data() + 8, to.data.size() - 8));
}

SpanBlockWriter::SpanBlockWriter() : state_(std::make_unique<State>()) {}
SpanBlockWriter::~SpanBlockWriter() = default;

void SpanBlockWriter::write(std::span<const StoredSpan> spans, const SpanOrder& order, std::span<const SpanRun> runs,
                            const SpanKeys& keys, SpanValues& values, WrittenBlock& to) {
  State& s = *state_;
  s.begin(spans, keys);
  s.base = INT64_MAX;
  for (const SpanRun& run : runs) {
    for (std::uint32_t i = 0; i < run.count; ++i)
      s.base = std::min(s.base, spans[order.spans[run.first + i]].start_unix_ns);
  }
  for (const SpanRun& run : runs) s.add_run(order, run);
  s.end_starts();
  values.begin_block();
  s.assemble(values, to);
  to.t0 = s.base, to.t1 = s.latest;
  to.zone = std::move(s.zone);
  to.zone.end_after_t0_ns = wrapping_difference(s.end, s.base);
  to.zone.value_epoch = values.epoch();
  for (const auto& [id, name] : s.names) to.zone.names.push_back(name);
}

}  // namespace honeylink::telemetry::store
