// What a SpanBlockReader holds of its block; shared by span_block_read.cc (decoding) and span_block_spans.cc (making
// spans). Every number from the file is checked before it sizes or indexes anything.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "store/bytes.h"
#include "store/span_block.h"
#include "store/span_block_columns.h"
#include "store/span_block_format.h"
#include "store/span_block_model.h"
#include "store/span_block_shapes.h"

namespace honeylink::telemetry::store {

struct ReadClass {
  std::uint32_t name = 0, scope = 0;
  std::uint8_t kind = 0, prediction = 0;
  std::uint64_t last_source = 0;
  std::size_t next_start = 0, next_duration = 0;
};

struct SpanBlockReader::State {
  using Bytes = std::span<const std::uint8_t>;
  bool read_head(Bytes bytes);
  bool read_tables();
  bool read_columns();
  bool read_shapes();
  bool read_runs();
  bool read_ids();
  bool read_parents();
  bool read_starts();
  bool load(std::uint32_t column);
  bool make_items(const SpanHead& head, StoredSpan& span);
  bool make_ids(const SpanHead& head, StoredSpan& span) const;
  void pass(const SpanHead& head) noexcept;
  bool column(SpanStream stream, std::size_t count) {
    const auto i = static_cast<std::size_t>(stream);
    return columns.integers(streams[i], count, fixed[i]);
  }
  const Integers& of(SpanStream stream) const { return fixed[static_cast<std::size_t>(stream)]; }

  KeyLookup keys;
  ValueLookup values;
  std::vector<Bytes> streams;
  std::array<Integers, kFixedStreams> fixed;
  ByteBuffer tables, foreign_traces, foreign_parents, raw_items;
  std::size_t span_count = 0, run_count = 0, source_count = 0, class_count = 0, shape_count = 0;
  std::size_t next_span = 0, next_raw = 0, raw_at = 0;
  std::int64_t base = 0;
  std::vector<std::uint32_t> sources;
  std::vector<ReadClass> classes;
  std::vector<Integers> starts, durations;
  std::vector<SpanHead> heads;
  std::vector<SpanRun> runs;
  std::vector<ReadColumn> items;
  std::vector<std::size_t> of_shape;  // spans
  ShapeTable shapes;
  ItemBuilder builder;
  ColumnReader columns;
};

}  // namespace honeylink::telemetry::store
