// RingReader: spans that have begun and not ended, put together from the slots of chunks in state SLOTS. Of a dead
// process exact; of a living one a view: what changes under the copy does not parse and is left out.
#include <algorithm>

#include "ring/reader_state.h"

namespace honeylink::telemetry::ring {
namespace {

constexpr std::size_t kContentAt = offsetof(SpanSlot, bytes);
constexpr std::size_t kContentBytes = kSpanSlotBytes - kContentAt;

// The items of `content` that are whole, and at most so many bytes that the record stays legal; how many.
std::size_t count_whole_items(std::span<const std::uint8_t> content, std::size_t& extent) noexcept {
  ItemCursor cursor(content);
  std::size_t count = 0;
  extent = 0;
  for (Item item; cursor.next(item); ++count) {
    const std::size_t whole = sizeof(ItemHeader) + padded4(item.payload.size());
    if (sizeof(SpanRecord) + extent + whole > kRecordBytesMax - 8 || count == UINT16_MAX) break;
    extent += whole;
  }
  return count;
}

// Makes of SpanRecord and items what the end of the span would have made of them. False: not a span's content.
bool finish(std::vector<std::uint8_t>& record) {
  if (record.size() < sizeof(SpanRecord)) return false;
  std::size_t extent = 0;
  const std::size_t items = count_whole_items(std::span(record).subspan(sizeof(SpanRecord)), extent);
  record.resize((sizeof(SpanRecord) + extent + 7) / 8 * 8);
  std::fill(record.begin() + static_cast<std::ptrdiff_t>(sizeof(SpanRecord) + extent), record.end(), std::uint8_t{0});
  auto head = load<SpanRecord>(record.data());
  head.header.type = RecordType::span;
  head.header.bytes = static_cast<std::uint16_t>(record.size());
  head.items = static_cast<std::uint16_t>(items);
  head.end = 0;
  std::memcpy(record.data(), &head, sizeof head);
  RawRecord raw;
  return RecordCursor(record).next(raw);
}

}  // namespace

bool RingReader::read_open_spans(std::vector<OpenSpan>& to) try {
  State& s = *state_;
  const Header& h = s.header();
  to.clear();
  std::vector<ChunkView> chunks;
  if (!read_chunks(chunks)) return false;
  const std::uint32_t per_chunk = h.chunk_bytes / kSpanSlotBytes;
  // Each slot is part of one chain at most: a ring cannot unfold to more than it holds.
  std::vector<bool> taken(std::size_t{h.chunk_count} * per_chunk);
  std::vector<std::uint8_t> chunk, slot;
  const auto append_content = [](std::vector<std::uint8_t>& record, const std::uint8_t* from) {
    const std::size_t used =
        std::min<std::size_t>(span_slot_used_of(load<std::uint64_t>(from + offsetof(SpanSlot, extent))), kContentBytes);
    record.insert(record.end(), from + kContentAt, from + kContentAt + used);
  };
  for (const ChunkView& view : chunks) {
    if (view.state != ChunkState::slots) continue;
    if (!s.read(chunk, h.chunk_bytes, h.chunks_offset + std::uint64_t{view.index} * h.chunk_bytes)) return false;
    for (std::uint32_t i = 0; i < per_chunk; ++i) {
      const std::uint8_t* at = &chunk[i * kSpanSlotBytes];
      const SpanSlotState state = span_slot_state_of(load<std::uint64_t>(at));
      if (state != SpanSlotState::open && state != SpanSlotState::ending) continue;
      OpenSpan span;
      span.slot = view.slot;
      span.ending = state == SpanSlotState::ending;
      const auto ending_at = load<std::uint64_t>(at + offsetof(SpanSlot, ending_at));
      if (span.ending && ending_at >> 48 != 0) {
        span.ending_slot = (ending_at >> 48) - 1;
        span.ending_ordinal = ending_at & ((std::uint64_t{1} << 48) - 1);
      }
      append_content(span.record, at);
      std::uint32_t next = span_slot_next_of(load<std::uint64_t>(at + offsetof(SpanSlot, extent)));
      for (std::size_t n = 1; next != 0 && n < kSpanSlotsPerSpanMax; ++n) {
        const std::uint32_t index = next - 1;
        if (index / per_chunk >= h.chunk_count || taken[index] || chunks[index / per_chunk].state != ChunkState::slots)
          break;
        taken[index] = true;
        if (!s.read(slot, kSpanSlotBytes, h.chunks_offset + std::uint64_t{index} * kSpanSlotBytes)) return false;
        if (span_slot_state_of(load<std::uint64_t>(slot.data())) != SpanSlotState::chained) break;
        append_content(span.record, slot.data());
        next = span_slot_next_of(load<std::uint64_t>(slot.data() + offsetof(SpanSlot, extent)));
      }
      if (finish(span.record)) to.push_back(std::move(span));
    }
  }
  return true;
} catch (const std::bad_alloc&) { return false; }

}  // namespace honeylink::telemetry::ring
