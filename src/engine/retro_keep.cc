// See retro_keep.h.
#include "engine/retro_keep.h"

#include <algorithm>
#include <cstring>

#include "base/killpoint.h"
#include "base/limits.h"

namespace honeylink::telemetry::engine {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

std::uint64_t big_endian(const std::uint8_t* from) noexcept {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = (value << 8) | from[i];
  return value;
}
TraceKey key_of(const RingState& ring, const TraceRef& trace) noexcept {
  return trace.foreign ? TraceKey{0, trace.hi, trace.lo} : TraceKey{ring.serial, 0, trace.lo};
}
std::array<std::uint8_t, 16> id_of(const RingState* ring, const TraceRef& trace) noexcept {
  if (!trace.foreign) return ring->cipher->trace_id(trace.lo);
  std::array<std::uint8_t, 16> id{};
  for (int i = 0; i < 8; ++i) {
    id[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(trace.hi >> (56 - 8 * i));
    id[static_cast<std::size_t>(8 + i)] = static_cast<std::uint8_t>(trace.lo >> (56 - 8 * i));
  }
  return id;
}

void insert(Core& core, const std::array<std::uint8_t, 16>& id, std::int64_t until_ns) {
  Mark mark;
  mark.trace_id = id, mark.until_ns = until_ns;
  mark.as_id = {0, big_endian(id.data()), big_endian(id.data() + 8)};
  core.retro.marked.insert(mark.as_id);
  core.retro.fresh.insert(mark.as_id);
  for (const auto& [serial, ring] : core.rings) {
    std::uint64_t counter = 0;
    if (!ring->cipher->trace_counter(id, counter)) continue;
    mark.as_counter = {serial, 0, counter};
    core.retro.marked.insert(mark.as_counter);
    core.retro.fresh.insert(mark.as_counter);
  }
  core.retro.marks.push_back(mark);
}

// Hands every unsampled span of the ring's pool that the trace sink has already passed to `wanted`, and stores what it
// wants, newest chunk first; how many.
template <class Wanted>
std::size_t fetch_from(Core& core, RingState& ring, Kept kept, std::size_t spans_max, Wanted&& wanted) {
  std::vector<ring::ChunkView> chunks;
  std::size_t fetched = 0;
  if (ring.quarantined || !ring.reader->read_chunks(chunks)) return 0;
  if (spans_max != SIZE_MAX)
    std::sort(chunks.begin(), chunks.end(), [](const auto& a, const auto& b) { return a.seq > b.seq; });
  const ring::TickScale scale = ring.reader->tick_scale();
  Sink& sink = core.sinks[kTraceSink];
  ring::ChunkCopy copy;
  for (const auto& view : chunks) {
    if ((view.state != ring::ChunkState::owned && view.state != ring::ChunkState::full) ||
        view.slot >= ring.slots.size())
      continue;
    const ChunkProgress& progress = ring.chunks[view.index];
    if (progress.known && progress.generation == view.generation && progress.unsampled == 0) continue;
    bool moved = false;
    if (!ring.reader->copy_chunk(view, copy, moved)) continue;  // gone: nothing to keep
    Position at = position_of(copy.view.first);
    const std::uint64_t passed = ring.slots[view.slot].at[kTraceSink].ordinal();
    ring::RecordCursor cursor(copy.bytes);
    for (ring::RawRecord record; at.ordinal() < passed && cursor.next(record);
         ++at.count[static_cast<std::size_t>(record.record_class)]) {
      if (record.record_class != ring::RecordClass::unsampled_span) continue;
      SpanEvent span;
      if (!decode_span(ring.source(), scale, record, {view.slot, at.ordinal()}, span) || !wanted(span)) continue;
      if (fetched == spans_max) return fetched;
      if (!core.traces->keep_once(ring.id, view.slot, at.ordinal())) continue;
      span.kept = kept;
      core.scrubber->clean(span);
      core.traces->add(span);
      ++sink.pending.retro_kept, ++sink.pending.stored;
      ++ring.spans_stored, ++fetched;
      sink.note_pending(core.now_ns());
    }
  }
  return fetched;
}

}  // namespace

void mark_trace(Core& core, RingState& ring, const TraceRef& trace, std::string_view reason) {
  RetroState& retro = core.retro;
  if (retro.marked.contains(key_of(ring, trace))) return;
  const std::int64_t now = core.now_ns();
  if (now - retro.second_began_ns >= kSecondNs) retro.second_began_ns = now, retro.marked_this_second = 0;
  if (retro.marked_this_second >= kRetroKeepPerSecondMax) {
    ++retro.over_budget;
    return;
  }
  ++retro.marked_this_second;
  insert(core, id_of(&ring, trace), now + kMarkNs);
  core.traces->mark_trace({ring.id, trace, core.clock->realtime_ns(), std::string(reason)});
  core.sinks[kTraceSink].note_pending(now);
  core.sinks[kTraceSink].urgent = true;  // before the pool turns over
  killpoint("retro.after_mark");
}

void mark_trace_id(Core& core, RingState& ring, const std::array<std::uint8_t, 16>& trace_id, std::string_view reason) {
  std::uint64_t counter = 0;
  const bool own = ring.cipher->trace_counter(trace_id, counter);
  const TraceRef trace =
      own ? TraceRef{false, 0, counter} : TraceRef{true, big_endian(trace_id.data()), big_endian(trace_id.data() + 8)};
  mark_trace(core, ring, trace, reason);
}

bool is_marked(const Core& core, const RingState& ring, const TraceRef& trace) {
  return !core.retro.marked.empty() && core.retro.marked.contains(key_of(ring, trace));
}

void fetch_marked(Core& core) {
  if (core.retro.fresh.empty()) return;
  for (const auto& entry : core.rings) {
    RingState& ring = *entry.second;
    fetch_from(core, ring, Kept::retroactive, SIZE_MAX,
               [&](const SpanEvent& span) { return core.retro.fresh.contains(key_of(ring, span.trace)); });
  }
  core.retro.fresh.clear();
  killpoint("retro.before_commit");
}

std::size_t keep_since(Core& core, RingState& ring, std::int64_t since_unix_ns, Kept kept, std::size_t spans_max) {
  return fetch_from(core, ring, kept, spans_max,
                    [&](const SpanEvent& span) { return span.start_unix_ns + span.duration_ns >= since_unix_ns; });
}

void restore_marks(Core& core) {
  const std::int64_t now = core.now_ns(), wall = core.clock->realtime_ns();
  for (const store::MarkedTrace& mark : core.traces->marks()) {
    const std::int64_t age = std::max<std::int64_t>(0, wall - mark.marked_unix_ns);  // the clock may have been put back
    if (age >= kMarkNs) continue;
    const auto at = std::find_if(core.rings.begin(), core.rings.end(),
                                 [&](const auto& known) { return known.second->id == mark.ring; });
    if (mark.trace.foreign || at != core.rings.end())
      insert(core, id_of(mark.trace.foreign ? nullptr : at->second.get(), mark.trace), now + kMarkNs - age);
  }
}

void learn_marks(Core& core, RingState& ring) {
  for (Mark& mark : core.retro.marks) {
    std::uint64_t counter = 0;
    if (!ring.cipher->trace_counter(mark.trace_id, counter)) continue;
    mark.as_counter = {ring.serial, 0, counter};
    core.retro.marked.insert(mark.as_counter);
  }
}

void expire_marks(Core& core) {
  RetroState& retro = core.retro;
  const std::int64_t now = core.now_ns();
  bool some = false;
  while (!retro.marks.empty() && retro.marks.front().until_ns <= now) {
    retro.marked.erase(retro.marks.front().as_id);
    if (retro.marks.front().as_counter.serial != 0) retro.marked.erase(retro.marks.front().as_counter);
    retro.marks.pop_front();
    some = true;
  }
  if (!some) return;
  core.traces->forget_marks_before(core.clock->realtime_ns() - kMarkNs);
  for (const auto& [serial, ring] : core.rings) {
    std::vector<ring::ChunkView> chunks;
    if (ring->quarantined || !ring->reader->read_chunks(chunks)) continue;
    std::vector<std::uint64_t> oldest(ring->slots.size(), UINT64_MAX);
    for (const auto& view : chunks) {
      if (view.slot < oldest.size() && view.state != ring::ChunkState::free && view.state != ring::ChunkState::slots)
        oldest[view.slot] = std::min(oldest[view.slot], view.first_total());
    }
    for (std::uint32_t slot = 0; slot < oldest.size(); ++slot) {
      if (oldest[slot] != UINT64_MAX && oldest[slot] > 0) core.traces->forget_kept_below(ring->id, slot, oldest[slot]);
    }
  }
}

}  // namespace honeylink::telemetry::engine
