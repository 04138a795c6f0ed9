// See drain.h. L (what the slots have sealed) is read before the scan of the chunks: a gap believed from one scan alone
// would lose records that are in the ring.
#include "engine/drain.h"

#include <algorithm>

#include "base/killpoint.h"
#include "base/limits.h"
#include "engine/commit.h"
#include "engine/take.h"

namespace honeylink::telemetry::engine {
namespace {

constexpr int kScansMax = 4;  // a chunk that moved under the copy: scan again, then leave it for the next pass
constexpr std::uint64_t kGapMax = std::uint64_t{1} << 40;  // no ring can lose more between two passes: it lies

struct Pass {
  Core& core;
  RingState& ring;
  ring::TickScale scale;
  std::array<bool, kSinks> takes{};
  std::vector<ring::SlotView> slots;
  std::vector<ring::ChunkView> chunks;
  bool worked = false, moved = false;
  std::string wrong;  // not empty: the ring is not sound
};

// The sink's position jumps over records that no chunk holds any more.
bool pass_gap(Pass& pass, std::uint32_t slot, std::size_t sink, const Position& to) {
  SlotState& state = pass.ring.slots[slot];
  Position& at = state.at[sink];
  if (at.ordinal() >= to.ordinal()) return true;
  for (std::size_t k = 0; k < kClasses; ++k) {
    if (to.count[k] < at.count[k] || to.count[k] - at.count[k] > kGapMax)
      return pass.wrong = "has counts that go backwards", false;
  }
  store::Counts& counts = pass.core.sinks[sink].pending;
  const std::uint64_t lost = sink == kLogSink ? to.count[kLog] - at.count[kLog]
                                              : to.count[kKeptSpan] - at.count[kKeptSpan] + to.count[kUnsampledSpan] -
                                                    at.count[kUnsampledSpan];
  if (lost != 0) {
    counts.accepted += lost;
    counts.dropped[pass.core.sinks[sink].gap_reason] += lost;
  }
  at = to;
  touch(pass.core, pass.ring, slot, sink);
  return pass.worked = true;
}

// Where the sink that is farthest back goes on in this chunk.
std::size_t farthest_back(const Pass& pass, const ChunkProgress& progress) {
  std::size_t lead = pass.takes[kTraceSink] ? kTraceSink : kLogSink;
  for (std::size_t s = 0; s < kSinks; ++s) {
    if (pass.takes[s] && progress.offset[s] < progress.offset[lead]) lead = s;
  }
  return lead;
}

// `copy` begins at the offset of the sink that is farthest back.
bool feed_records(Pass& pass, const ring::ChunkCopy& copy, ChunkProgress& progress) {
  const std::uint32_t slot = copy.view.slot;
  SlotState& state = pass.ring.slots[slot];
  const std::size_t lead = farthest_back(pass, progress);
  std::uint32_t offset = progress.offset[lead];
  Position at = progress.at[lead];
  std::uint64_t ordinal = at.ordinal();
  std::array<bool, kSinks> in_step{};  // the sink stands where this loop stands: then it does until the end
  ring::RecordCursor cursor(copy.bytes);
  for (ring::RawRecord record; cursor.next(record); ++ordinal) {
    const auto record_class = static_cast<std::size_t>(record.record_class);
    for (std::size_t s = 0; s < kSinks; ++s) {
      Position& fed = state.at[s];
      if (!in_step[s]) {
        if (!pass.takes[s] || fed.ordinal() != ordinal) continue;
        if (fed != at) return pass.wrong = "has counts that do not fit its records", false;
        in_step[s] = true;
      }
      if (s == kTraceSink && record_class != kLog) take_span(pass.core, pass.ring, pass.scale, record, {slot, ordinal});
      if (s == kLogSink && record_class == kLog) take_log(pass.core, pass.ring, pass.scale, record, {slot, ordinal});
      ++fed.count[record_class];
    }
    if (record_class == kUnsampledSpan && offset >= progress.offset[kTraceSink]) ++progress.unsampled;
    ++at.count[record_class];
    offset += static_cast<std::uint32_t>(record.bytes.size());
  }
  for (std::size_t s = 0; s < kSinks; ++s) {
    if (!pass.takes[s]) continue;
    if (progress.offset[s] < offset) progress.offset[s] = offset, progress.at[s] = at;
    touch(pass.core, pass.ring, slot, s);
  }
  if (cursor.damaged()) return pass.wrong = "holds a record that is not sound", false;
  return pass.worked = true;
}

// One chunk that has something for a sink. False: stop with this slot for now.
bool read_chunk(Pass& pass, const ring::ChunkView& view, const Position& sealed) {
  const Position first = position_of(view.first);
  SlotState& state = pass.ring.slots[view.slot];
  ChunkProgress& progress = pass.ring.chunks[view.index];
  const bool known = progress.known && progress.generation == view.generation;
  const std::uint32_t from = known ? progress.offset[farthest_back(pass, progress)] : 0;
  // The copy before anything is believed: a gap counted before the copy failed would be counted from a chunk that is
  // gone.
  ring::ChunkCopy& copy = pass.core.chunk_copy;
  if (!pass.ring.reader->copy_chunk(view, copy, pass.moved, from)) {
    if (!pass.moved) pass.wrong = pass.ring.reader->why();
    return false;
  }
  killpoint("drain.after_copy");
  // What these records name may have entered the directory after it was read.
  if (!pass.ring.reader->refresh_names()) return pass.wrong = pass.ring.reader->why(), false;
  pass.core.scrubber->names(pass.ring.reader->mutable_source());
  for (std::size_t s = 0; s < kSinks; ++s) {
    if (!pass.takes[s] || state.at[s].ordinal() >= first.ordinal()) continue;
    if (first.ordinal() > sealed.ordinal()) {  // the rest of the gap may still be in a chunk that this scan did not see
      (void)pass_gap(pass, view.slot, s, sealed);
      return false;
    }
    if (!pass_gap(pass, view.slot, s, first)) return false;
  }
  if (!known) {
    progress = ChunkProgress{};
    progress.known = true, progress.generation = view.generation, progress.slot = view.slot;
    progress.at.fill(first);
  }
  progress.full = copy.full;
  progress.committed_bytes = view.committed;
  return feed_records(pass, copy, progress);
}

// Nothing new for any sink that takes.
bool is_read(const Pass& pass, const ring::ChunkView& view) {
  ChunkProgress& progress = pass.ring.chunks[view.index];
  if (!progress.known || progress.generation != view.generation || progress.slot != view.slot) return false;
  for (std::size_t s = 0; s < kSinks; ++s) {
    if (pass.takes[s] && progress.offset[s] != view.committed) return false;
  }
  if (view.state == ring::ChunkState::full) progress.full = true, progress.committed_bytes = view.committed;
  return true;
}

void commit_if_much(Core& core) {
  if (core.traces->pending_bytes() >= kSpanCommitBytes || core.logs->pending_bytes() >= store::kLogPendingBytes)
    commit_due(core);
}

bool scan(Pass& pass) {
  ring::RingReader& reader = *pass.ring.reader;
  pass.moved = false;
  if (!reader.read_slots(pass.slots) || !reader.read_chunks(pass.chunks)) return pass.wrong = reader.why(), false;
  std::vector<const ring::ChunkView*> fresh;
  for (const auto& view : pass.chunks) {
    if (view.state != ring::ChunkState::owned && view.state != ring::ChunkState::full) continue;
    if (view.slot >= pass.slots.size()) return pass.wrong = "has a chunk of a slot that it does not have", false;
    if (!is_read(pass, view)) fresh.push_back(&view);
  }
  std::sort(fresh.begin(), fresh.end(), [](const auto* a, const auto* b) {
    return a->slot != b->slot ? a->slot < b->slot : a->first_total() < b->first_total();
  });
  std::vector<bool> stopped(pass.slots.size());
  for (const auto* view : fresh) {
    if (stopped[view->slot]) continue;
    if (!read_chunk(pass, *view, position_of(pass.slots[view->slot].sealed))) stopped[view->slot] = true;
    if (!pass.wrong.empty()) return false;
    commit_if_much(pass.core);
    for (std::size_t s = 0; s < kSinks; ++s) pass.takes[s] = pass.takes[s] && pass.core.takes(s);
  }
  for (std::uint32_t slot = 0; slot < pass.slots.size(); ++slot) {
    if (stopped[slot]) continue;
    for (std::size_t s = 0; s < kSinks; ++s) {
      if (pass.takes[s] && !pass_gap(pass, slot, s, position_of(pass.slots[slot].sealed))) return false;
    }
  }
  return !pass.moved;
}

// Records of threads that had no slot: one counter, accepted and dropped at once.
void count_no_slot(Pass& pass) {
  const Position now = position_of(pass.ring.reader->live().no_slot);
  for (std::size_t s = 0; s < kSinks; ++s) {
    Position& at = pass.ring.no_slot.at[s];
    if (!pass.takes[s] || at == now) continue;
    std::uint64_t lost = 0;
    for (std::size_t k = 0; k < kClasses; ++k) {
      if (now.count[k] < at.count[k]) return;
      if ((k == kLog) == (s == kLogSink)) lost += now.count[k] - at.count[k];
    }
    pass.core.sinks[s].pending.accepted += lost;
    if (lost != 0) pass.core.sinks[s].pending.dropped["too_many_threads"] += lost;
    at = now;
    touch(pass.core, pass.ring, kNoSlotSlot, s);
    pass.worked = true;
  }
}

}  // namespace

void quarantine(Core& core, RingState& ring, const std::string& why) {
  if (ring.quarantined) return;
  ring.quarantined = true;
  ++core.self.hostile_rings;
  core.ignored.insert(ring.directory + "/" + ring.name);
  core.own_log->say(OwnLog::kWarn, "ring.ignored", {{"ring", ring.name}}, why);
}

bool drain_ring(Core& core, RingState& ring) {
  if (ring.quarantined) return false;
  if (!ring.reader->refresh()) return quarantine(core, ring, ring.reader->why()), false;
  core.scrubber->names(ring.reader->mutable_source());
  Pass pass{core, ring, ring.reader->tick_scale(), {}, {}, {}, false, false, {}};
  for (std::size_t s = 0; s < kSinks; ++s) pass.takes[s] = core.takes(s);
  if (!pass.takes[kTraceSink] && !pass.takes[kLogSink]) return false;
  count_no_slot(pass);
  ring.complete = false;
  for (int scans = 0; scans < kScansMax && !ring.complete && pass.wrong.empty() && (scans == 0 || pass.moved); ++scans)
    ring.complete = scan(pass);
  ring.complete = ring.complete && pass.takes[kTraceSink] && pass.takes[kLogSink];
  if (!pass.wrong.empty()) quarantine(core, ring, ring.name + ": " + pass.wrong);
  return pass.worked;
}

bool is_drained(Core& core, RingState& ring) {
  std::uint64_t accepted[kClasses];
  if (!ring.reader->read_accepted(accepted)) return quarantine(core, ring, ring.reader->why()), true;
  const std::uint64_t total = accepted[0] + accepted[1] + accepted[2];
  for (std::size_t s = 0; s < kSinks; ++s) {
    std::uint64_t fed = 0;
    for (const SlotState& slot : ring.slots) fed += slot.at[s].ordinal();
    if (fed < total) return false;
  }
  return true;
}

}  // namespace honeylink::telemetry::engine
