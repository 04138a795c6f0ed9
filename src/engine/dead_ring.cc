// See dead_ring.h. Each step leaves a state from which another engine goes on: open spans take the ordinals after their
// slot's last one and are committed all together with the crash's row, so a cursor beyond what the ring had accepted
// says that it was done.
#include "engine/dead_ring.h"

#include <algorithm>
#include <cstring>

#include "base/killpoint.h"
#include "engine/commit.h"
#include "engine/drain.h"
#include "engine/retro_keep.h"
#include "engine/rings.h"
#include "ring/home.h"

namespace honeylink::telemetry::engine {
namespace {

constexpr std::int64_t kCrashWindowNs = 10'000'000'000;

// What the ring still holds tells, slot by slot, how much it had accepted, and when it last did something.
struct LastState {
  std::vector<std::uint64_t> accepted;
  std::int64_t last_sign_unix_ns = 0;
};
LastState read_last_state(RingState& ring, const ring::TickScale& scale) {
  LastState last;
  last.accepted.assign(ring.slots.size(), 0);
  last.last_sign_unix_ns = ring.source().started_unix_ns;
  std::vector<ring::SlotView> slots;
  std::vector<ring::ChunkView> chunks;
  if (!ring.reader->read_slots(slots) || !ring.reader->read_chunks(chunks)) return last;
  for (std::size_t i = 0; i < slots.size(); ++i) last.accepted[i] = slots[i].sealed_total();
  for (const auto& view : chunks) {
    ring::ChunkCopy copy;
    bool moved = false;
    const bool holds = view.state == ring::ChunkState::owned || view.state == ring::ChunkState::full;
    if (!holds || view.slot >= slots.size() || !ring.reader->copy_chunk(view, copy, moved)) continue;
    const bool open = view.state == ring::ChunkState::owned && view.seal_seq == slots[view.slot].seal_seq;
    ring::RecordCursor cursor(copy.bytes);
    for (ring::RawRecord record; cursor.next(record);) {
      if (open) ++last.accepted[view.slot];
      SpanEvent span;
      LogEvent log;
      if (decode_span(ring.source(), scale, record, {}, span))
        last.last_sign_unix_ns = std::max(last.last_sign_unix_ns, span.start_unix_ns + span.duration_ns);
      if (decode_log(ring.source(), scale, record, {}, log))
        last.last_sign_unix_ns = std::max(last.last_sign_unix_ns, log.time_unix_ns);
    }
  }
  return last;
}

// Its record was published: the ordinal that it was about to take is below what its slot had accepted.
bool was_published(const ring::OpenSpan& open, const std::vector<std::uint64_t>& accepted) {
  return open.ending && open.ending_slot < accepted.size() && open.ending_ordinal < accepted[open.ending_slot];
}

void store_open_span(Core& core, RingState& ring, const ring::TickScale& scale, const ring::OpenSpan& open,
                     std::int64_t died, bool crashed) {
  ring::RawRecord record;
  ring::RecordCursor cursor(open.record);
  if (!cursor.next(record)) return;
  SlotState& slot = ring.slots[open.slot];
  Sink& sink = core.sinks[kTraceSink];
  SpanEvent span;
  if (!decode_span(ring.source(), scale, record, {open.slot, slot.at[kTraceSink].ordinal()}, span)) return;
  span.unfinished = true;
  span.duration_ns = std::max<std::int64_t>(0, died - span.start_unix_ns);
  ++sink.pending.accepted;
  const bool sampled = span.kept == Kept::sampled;
  if (!sampled && !crashed && !is_marked(core, ring, span.trace)) {
    ++sink.pending.dropped["sampled_out"];
  } else {
    if (!sampled) span.kept = crashed ? Kept::crash : Kept::retroactive;
    core.scrubber->clean(span);
    core.traces->add(span);
    ++sink.pending.stored;
    ++ring.spans_stored;
  }
  ++slot.at[kTraceSink].count[static_cast<std::size_t>(record.record_class)];
  touch(core, ring, open.slot, kTraceSink);
}

// The newest thing that the ring tells: a record, or the beginning of a span that was still open. Times that the
// application gave may lie in the future; a process cannot have died later than now.
std::int64_t time_of_death(const Core& core, const RingState& ring, const ring::TickScale& scale,
                           std::span<const ring::OpenSpan> open, std::int64_t last_sign_unix_ns) {
  for (const ring::OpenSpan& span : open) {
    ring::RawRecord record;
    ring::RecordCursor cursor(span.record);
    SpanEvent event;
    if (cursor.next(record) && decode_span(ring.source(), scale, record, {}, event))
      last_sign_unix_ns = std::max(last_sign_unix_ns, event.start_unix_ns);
  }
  return std::min(last_sign_unix_ns, core.clock->realtime_ns());
}

// False: the trace store does not take it now.
bool close_spans(Core& core, RingState& ring) {
  const ring::TickScale scale = ring.reader->tick_scale();
  const LastState last = read_last_state(ring, scale);
  const std::vector<std::uint64_t>& accepted = last.accepted;
  for (std::size_t i = 0; i < accepted.size(); ++i) {
    if (ring.slots[i].at[kTraceSink].ordinal() > accepted[i]) return true;  // an engine before us has done this
  }
  if (!commit_all(core, false)) return false;
  killpoint("deadring.before_open_spans");
  const bool crashed = !ring.reader->live().clean;
  std::vector<ring::OpenSpan> open;
  if (!ring.reader->read_open_spans(open)) open.clear();
  std::erase_if(open,
                [&](const auto& span) { return span.slot >= ring.slots.size() || was_published(span, accepted); });
  std::stable_sort(open.begin(), open.end(), [](const auto& a, const auto& b) { return a.slot < b.slot; });
  const std::int64_t died = time_of_death(core, ring, scale, open, last.last_sign_unix_ns);
  if (crashed) keep_since(core, ring, died - kCrashWindowNs, Kept::crash);
  for (const auto& span : open) store_open_span(core, ring, scale, span, died, crashed);
  if (crashed) {
    const Source& source = ring.source();
    core.traces->add_crash({ring.id, source.pid, source.resource.service_name, source.started_unix_ns, died,
                            ring.spans_stored, open.size()});
    core.sinks[kTraceSink].note_pending(core.now_ns());
    core.own_log->say(OwnLog::kWarn, "process.died",
                      {{"service", source.resource.service_name},
                       {"pid", std::to_string(source.pid)},
                       {"open_spans", std::to_string(open.size())}});
  }
  ring.closed = true;
  killpoint("deadring.after_open_spans");
  return commit_all(core, true);
}

void unlink_and_forget(Core& core, RingState& ring) {
  killpoint("deadring.before_unlink");
  if (!ring::unlink_ring(ring.directory, ring.name)) core.ignored.insert(ring.directory + "/" + ring.name);
  killpoint("deadring.after_unlink");
  ring.unlinked.push_back(ring.id);
  for (const RingId& id : ring.unlinked) {
    core.traces->forget_ring(id);
    core.logs->forget_ring(id);
    core.cursors.erase(id);
  }
  for (Sink& sink : core.sinks) sink.forgets = true;
  core.scrubber->forget(ring.serial);
  ring.phase = RingPhase::gone;
  killpoint("deadring.after_forget");
}

bool is_committed(const RingState& ring) {
  return std::all_of(ring.slots.begin(), ring.slots.end(),
                     [](const SlotState& slot) { return slot.at == slot.committed; }) &&
         ring.no_slot.at == ring.no_slot.committed;
}

bool advance(Core& core, RingState& ring) {
  switch (ring.phase) {
    case RingPhase::dying:
      killpoint("deadring.before_drain");
      (void)drain_ring(core, ring);
      if (ring.quarantined || !is_drained(core, ring)) return false;
      count_unlinked(core, ring);
      if ((!ring.closed && !close_spans(core, ring)) || !is_committed(ring)) return false;
      ring.phase = RingPhase::awaiting_tick;
      return true;
    case RingPhase::unlink:
      if (!is_committed(ring) && (!commit_all(core, true) || !is_committed(ring))) return false;
      unlink_and_forget(core, ring);
      return true;
    default:
      return false;
  }
}

}  // namespace

bool advance_dead_rings(Core& core) {
  bool moved = false;
  for (auto& [serial, ring] : core.rings) {
    if (!ring->quarantined && !core.fenced) moved = advance(core, *ring) || moved;
  }
  std::erase_if(core.rings, [](const auto& known) { return known.second->phase == RingPhase::gone; });
  return moved;
}

}  // namespace honeylink::telemetry::engine
