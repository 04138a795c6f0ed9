// Reads the block of docs/formats/traces_db.md, whoever wrote it: checksum, tables, and the columns that all spans
// need.
#include <algorithm>
#include <cstring>

#include "base/crc32c.h"
#include "store/span_block_state.h"

namespace honeylink::telemetry::store {
namespace {

/// Gives the values of a column one after the other; `ok` is false once there were too few.
struct Feed {
  const Integers& values;
  std::size_t at = 0;
  bool ok = true;
  std::uint64_t next() noexcept { return at < values.size() ? values[at++] : (ok = false, std::uint64_t{0}); }
};

}  // namespace

bool SpanBlockReader::sound(std::span<const std::uint8_t> bytes) noexcept {
  if (bytes.size() < kSpanBlockHead) return false;
  Decoder in(as_text(bytes));
  return in.fixed<std::uint32_t>() == kSpanBlockMagic &&
         in.fixed<std::uint32_t>() == crc32c(bytes.data() + 8, bytes.size() - 8);
}

bool SpanBlockReader::State::read_head(Bytes bytes) {
  if (!sound(bytes)) return false;
  Decoder in(as_text(bytes.subspan(8)));
  base = in.fixed<std::int64_t>();
  const std::uint64_t n = in.varint();
  if (n == 0 || n > kBlockSpansMax) return false;
  span_count = static_cast<std::size_t>(n);
  for (std::size_t* count : {&run_count, &source_count, &class_count, &shape_count}) {
    const std::uint64_t number = in.varint();
    // A run may be of a source that none of its spans has.
    if (number > (count == &source_count ? 2 * n : n)) return false;
    *count = static_cast<std::size_t>(number);
  }
  const std::uint64_t stream_count = in.varint();
  if (!in.ok() || run_count == 0 || source_count == 0 || class_count == 0 || stream_count > kBlockStreamsMax)
    return false;
  std::vector<std::uint64_t> sizes(static_cast<std::size_t>(stream_count));
  for (std::uint64_t& size : sizes) size = in.varint();
  streams.clear();
  for (const std::uint64_t size : sizes) streams.push_back(as_bytes(in.bytes(size)));
  return in.ok() && in.at_end() && stream_count >= kFixedStreams;
}

bool SpanBlockReader::State::read_tables() {
  if (!columns.bytes(streams[static_cast<std::size_t>(SpanStream::tables)], tables)) return false;
  Decoder in(as_text(tables));
  sources.clear(), classes.clear();
  for (std::size_t i = 0; i < source_count; ++i) sources.push_back(varint32(in));
  for (std::size_t i = 0; i < class_count; ++i) {
    ReadClass c;
    c.name = varint32(in), c.scope = varint32(in);
    const std::uint64_t kind = in.varint();
    if (kind > 15) return false;
    c.kind = kind & 7U, c.prediction = static_cast<std::uint8_t>(kind >> 3);
    classes.push_back(c);
  }
  shapes.begin(class_count);
  for (std::size_t i = 0; i < shape_count && in.ok(); ++i) {
    const std::uint32_t span_class = varint32(in);
    const std::uint64_t size = in.varint();
    if (!in.ok() || size > kShapeTokensMax) return false;
    std::vector<ItemToken> tokens(static_cast<std::size_t>(size));
    for (ItemToken& token : tokens) {
      token.type = varint32(in), token.key = varint32(in);
      if (token.type >= ItemToken::kInner + kItemTypes || (token.type & 15U) >= kItemTypes) return false;
      if (token.item() == ItemType::id) token.kind = varint32(in);
    }
    if (!in.ok() || !shapes.add(span_class, std::move(tokens))) return false;
  }
  const std::size_t lanes = std::min(class_count, kBlockLanes);
  return in.ok() && in.at_end() && streams.size() == kFixedStreams + 2 * lanes + shapes.columns().size();
}

bool SpanBlockReader::State::read_columns() {
  const std::size_t n = span_count;
  for (const SpanStream per_span :
       {SpanStream::classes, SpanStream::sources, SpanStream::trace_forms, SpanStream::counter_lanes,
        SpanStream::counter_steps, SpanStream::parents, SpanStream::statuses, SpanStream::flags,
        SpanStream::dropped_attributes, SpanStream::dropped_events, SpanStream::shapes}) {
    if (!column(per_span, n)) return false;
  }
  for (const SpanStream per_run : {SpanStream::run_sizes, SpanStream::run_sources, SpanStream::run_starts}) {
    if (!column(per_run, run_count)) return false;
  }
  std::size_t steps = 0, foreign = 0, raw = 0;
  for (const std::uint64_t symbol : of(SpanStream::parents)) {
    steps += symbol == kParentOwn || symbol == kParentOfRun ? 1 : 0;
    foreign += symbol == kParentForeign ? 1 : 0;
  }
  for (const std::uint64_t shape : of(SpanStream::shapes)) raw += shape == 0 ? 1 : 0;
  if (!column(SpanStream::parent_steps, steps) || !column(SpanStream::raw_sizes, raw)) return false;
  const auto bytes = [&](SpanStream stream, ByteBuffer& to) {
    return columns.bytes(streams[static_cast<std::size_t>(stream)], to);
  };
  if (!bytes(SpanStream::foreign_parents, foreign_parents) || foreign_parents.size() != foreign * 8) return false;
  std::uint64_t raw_bytes = 0;
  for (const std::uint64_t size : of(SpanStream::raw_sizes)) {
    if (size > kBlockSpanItemsMax) return false;
    raw_bytes += size;
  }
  if (!bytes(SpanStream::raw_items, raw_items) || raw_items.size() != raw_bytes) return false;
  return bytes(SpanStream::foreign_traces, foreign_traces);
}

// Classes, sources and shapes of spans; how many values each column of items has.
bool SpanBlockReader::State::read_shapes() {
  const auto within = [&](SpanStream stream, std::uint64_t most) {
    std::uint64_t bits = 0;
    for (const std::uint64_t value : of(stream)) bits |= value;
    return bits <= most;  // most is one less than a power of two
  };
  if (!within(SpanStream::statuses, 3) || !within(SpanStream::flags, 63) || !within(SpanStream::trace_forms, 1) ||
      !within(SpanStream::dropped_attributes, UINT32_MAX) || !within(SpanStream::dropped_events, UINT32_MAX))
    return false;
  heads.resize(span_count);
  items.assign(shapes.columns().size(), {});
  of_shape.assign(shapes.shapes().size(), 0);
  const std::uint64_t *class_of = of(SpanStream::classes).data(), *source_of = of(SpanStream::sources).data(),
                      *status = of(SpanStream::statuses).data(), *flags = of(SpanStream::flags).data(),
                      *attributes = of(SpanStream::dropped_attributes).data(),
                      *events = of(SpanStream::dropped_events).data(), *shape_of = of(SpanStream::shapes).data();
  for (std::size_t i = 0; i < span_count; ++i) {
    SpanHead& head = heads[i];
    const std::uint64_t c = class_of[i];
    if (c >= class_count) return false;
    ReadClass& its = classes[static_cast<std::size_t>(c)];
    if (source_of[i] != 0) its.last_source = source_of[i] - 1;
    if (its.last_source >= source_count) return false;
    head = {};
    head.span_class = static_cast<std::uint32_t>(c), head.name = its.name;
    head.source = sources[static_cast<std::size_t>(its.last_source)];
    head.status = static_cast<std::uint8_t>(status[i]), head.flags = static_cast<std::uint8_t>(flags[i]);
    head.dropped_attributes = static_cast<std::uint32_t>(attributes[i]);
    head.dropped_events = static_cast<std::uint32_t>(events[i]);
    head.shape = ShapeTable::kNone;
    if (shape_of[i] == 0) continue;
    head.shape = shapes.shape_of(head.span_class, shape_of[i] - 1);
    if (head.shape == ShapeTable::kNone) return false;
    ++of_shape[head.shape];
  }
  for (std::size_t shape = 0; shape < of_shape.size(); ++shape) {
    for (const std::uint32_t column : shapes.shapes()[shape].columns) items[column].count += of_shape[shape];
  }
  return true;
}

bool SpanBlockReader::State::read_runs() {
  runs.clear();
  std::size_t first = 0, foreign = 0;
  for (std::size_t r = 0; r < run_count; ++r) {
    const std::uint64_t size = of(SpanStream::run_sizes)[r], source = of(SpanStream::run_sources)[r];
    if (size == 0 || size > span_count - first || source > source_count) return false;
    SpanRun run;
    run.first = static_cast<std::uint32_t>(first), run.count = static_cast<std::uint32_t>(size);
    if (source != 0) {
      run.source = sources[static_cast<std::size_t>(source - 1)];
    } else {
      if (foreign_traces.size() < (foreign + 1) * 16) return false;
      std::memcpy(&run.hi, foreign_traces.data() + foreign * 16, 8);
      std::memcpy(&run.lo, foreign_traces.data() + foreign * 16 + 8, 8);
      ++foreign;
    }
    for (std::size_t i = 0; i < size; ++i) heads[first + i].run = static_cast<std::uint32_t>(r);
    first += static_cast<std::size_t>(size);
    runs.push_back(run);
  }
  // `source` of a run in the file is an index; a row 0 of idkey would read as "foreign".
  for (std::size_t r = 0; r < run_count; ++r) {
    if (of(SpanStream::run_sources)[r] != 0 && runs[r].source == 0) return false;
  }
  return first == span_count && foreign_traces.size() == foreign * 16 &&
         column(SpanStream::trace_counters, run_count - foreign);
}

bool SpanBlockReader::State::read_ids() {
  CounterLanes lanes;
  for (std::size_t i = 0; i < span_count; ++i) {
    SpanHead& head = heads[i];
    const std::uint64_t lane = of(SpanStream::counter_lanes)[i], step = of(SpanStream::counter_steps)[i];
    if (lane > lanes.size()) return false;
    const auto at = static_cast<std::size_t>(lane);
    if (at < lanes.size() && lanes[at].source != head.source) return false;
    head.counter = at == lanes.size() ? step : lanes[at].last + static_cast<std::uint64_t>(unzigzag(step));
    lanes.use(at, head.source, head.counter);
    const SpanRun& run = runs[head.run];
    const bool expected = run.source == 0 || head.source != run.source;
    head.foreign_form = expected != (of(SpanStream::trace_forms)[i] != 0);
  }
  Feed counters{of(SpanStream::trace_counters)};
  for (SpanRun& run : runs) {
    if (run.source == 0) continue;
    const std::uint64_t symbol = counters.next();
    run.lo = symbol;
    for (std::uint32_t i = 0; i < run.count; ++i) {
      const SpanHead& head = heads[run.first + i];
      if (head.source != run.source) continue;
      run.lo = head.counter - static_cast<std::uint64_t>(unzigzag(symbol));
      break;
    }
  }
  return counters.ok;
}

bool SpanBlockReader::State::read_parents() {
  Feed steps{of(SpanStream::parent_steps)};
  std::size_t foreign = 0;
  for (std::size_t i = 0; i < span_count; ++i) {
    SpanHead& head = heads[i];
    const SpanRun& run = runs[head.run];
    const std::size_t in_run = i - run.first;
    head.parent_symbol = of(SpanStream::parents)[i];
    head.parent_run_index = run.count;
    switch (head.parent_symbol) {
      case kParentNone:
        break;
      case kParentOwn:
        head.parent_value = head.counter - static_cast<std::uint64_t>(unzigzag(steps.next()));
        break;
      case kParentForeign:
        std::memcpy(&head.parent_value, foreign_parents.data() + 8 * foreign++, 8);
        break;
      case kParentOfRun:
        if (run.source == 0) return false;
        head.parent_value = steps.next();
        break;
      default:
        if (head.parent_symbol - kParentInRun >= in_run) return false;
        head.parent_run_index = static_cast<std::uint32_t>(head.parent_symbol - kParentInRun);
    }
  }
  return steps.ok;
}

bool SpanBlockReader::State::read_starts() {
  const std::size_t lanes = std::min(class_count, kBlockLanes);
  std::vector<std::size_t> start_counts(lanes, 0), duration_counts(lanes, 0);
  for (const SpanHead& head : heads) ++duration_counts[std::min<std::size_t>(head.span_class, kBlockLanes - 1)];
  start_counts = duration_counts;  // but for the first of each run
  for (const SpanRun& run : runs) --start_counts[std::min<std::size_t>(heads[run.first].span_class, kBlockLanes - 1)];
  starts.resize(lanes), durations.resize(lanes);
  std::vector<std::pair<const std::uint64_t*, const std::uint64_t*>> next(lanes);
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    const std::size_t at = kFixedStreams + 2 * lane;
    if (!columns.integers(streams[at], start_counts[lane], starts[lane]) ||
        !columns.integers(streams[at + 1], duration_counts[lane], durations[lane]))
      return false;
    next[lane] = {starts[lane].data(), durations[lane].data()};
  }
  const std::uint64_t* run_start = of(SpanStream::run_starts).data();
  StartModel model;
  std::int64_t before = base;
  for (const SpanRun& run : runs) {
    model.begin_run(run.count);
    SpanHead* const first = heads.data() + run.first;
    for (std::uint32_t i = 0; i < run.count; ++i) {
      SpanHead& head = first[i];
      auto& [start, duration] = next[std::min<std::size_t>(head.span_class, kBlockLanes - 1)];
      const std::uint32_t parent = head.parent_run_index;
      if (i == 0) {
        head.start_unix_ns = before = wrapping_sum(before, unzigzag(*run_start++));
      } else {
        const std::int64_t parent_start = parent < run.count ? first[parent].start_unix_ns : 0;
        const std::int64_t foreseen =
            model.foresee(classes[head.span_class].prediction, parent, parent_start, first[i - 1].start_unix_ns);
        head.start_unix_ns = wrapping_sum(foreseen, unzigzag(*start++));
      }
      head.duration_ns = static_cast<std::int64_t>(*duration++);
      model.passed(parent, head.start_unix_ns, head.duration_ns);
    }
  }
  return true;
}

bool SpanBlockReader::open(std::span<const std::uint8_t> bytes, KeyLookup keys, ValueLookup values) {
  State& s = *state_;
  s.keys = std::move(keys), s.values = std::move(values);
  s.columns.begin_block();
  s.next_span = s.next_raw = s.raw_at = 0;
  const bool sound = s.read_head(bytes) && s.read_tables() && s.read_columns() && s.read_shapes() && s.read_runs() &&
                     s.read_ids() && s.read_parents() && s.read_starts();
  if (!sound) s.heads.clear(), s.runs.clear();
  return sound;
}

}  // namespace honeylink::telemetry::store
