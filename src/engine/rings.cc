// See rings.h.
#include "engine/rings.h"

#include <fcntl.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "engine/retro_keep.h"
#include "ring/home.h"

namespace honeylink::telemetry::engine {
namespace {

void restore_cursors(Core& core, RingState& ring) {
  const auto known = core.cursors.find(ring.id);
  if (known == core.cursors.end()) return;
  for (std::size_t s = 0; s < kSinks; ++s) {
    for (const auto& [lane, next] : known->second[s]) {
      const std::uint32_t slot = lane / kLanesPerSlot;
      SlotState* state = find_slot(ring, slot);
      if (state == nullptr || lane % kLanesPerSlot >= kClasses) continue;
      state->at[s].count[lane % kLanesPerSlot] = state->committed[s].count[lane % kLanesPerSlot] = next;
    }
  }
}

// Pages of another boot's ring may be of different ages: nothing of it is stored, what it had accepted and we had not
// is counted.
void count_power_loss(Core& core, RingState& ring) {
  std::vector<ring::SlotView> slots;
  if (!ring.reader->read_slots(slots)) return;
  for (std::uint32_t slot = 0; slot < slots.size(); ++slot) {
    const Position sealed = position_of(slots[slot].sealed);
    for (std::size_t s = 0; s < kSinks; ++s) {
      Position& at = ring.slots[slot].at[s];
      std::uint64_t lost = 0;
      for (std::size_t k = 0; k < kClasses; ++k) {
        const bool ours = (k == kLog) == (s == kLogSink);
        if (ours && sealed.count[k] > at.count[k] && sealed.count[k] - at.count[k] < (std::uint64_t{1} << 32))
          lost += sealed.count[k] - at.count[k];
      }
      if (lost == 0) continue;
      core.sinks[s].pending.accepted += lost;
      core.sinks[s].pending.dropped["power_loss"] += lost;
      at = sealed;
      touch(core, ring, slot, s);
    }
  }
}

void lose_bases(Core& core, RingState& ring) {
  std::vector<SeriesGain> gains;
  MetricBases next;
  if (!ring.reader->refresh() || !read_gains(*ring.reader, ring.bases, ring.epochs, 0, gains, next)) return;
  const auto lost = static_cast<std::uint64_t>(
      std::count_if(gains.begin(), gains.end(), [](const auto& gain) { return gain.changed; }));
  ring.bases = std::move(next);
  if (lost == 0) return;
  core.metric_pending.accepted += lost;
  core.metric_pending.dropped["base_lost"] += lost;
}

bool open_ring(Core& core, const ring::RingFile& found) {
  const std::string path = found.directory + "/" + found.name;
  std::string why;
  Fd file = open_file(path, O_RDWR, 0, why);
  std::unique_ptr<ring::RingReader> reader;
  if (file) reader = ring::RingReader::open(std::move(file), path, true, why);
  if (reader == nullptr) {
    if (core.ignored.insert(path).second) {
      ++core.self.hostile_rings;
      core.own_log->say(OwnLog::kWarn, "ring.ignored", {{"ring", found.name}}, why);
    }
    return false;
  }
  auto ring = std::make_unique<RingState>();
  const ring::Header& header = reader->header();
  ring->reader = std::move(reader);
  ring->directory = found.directory, ring->name = found.name;
  ring->serial = core.next_serial++;
  ring->reader->mutable_source().serial = ring->serial;
  ring->id = ring->source().ring_id;
  ring->cipher = std::make_unique<IdCipher>(ring->source().trace_key, ring->source().span_key);
  ring->slots.resize(header.slot_count);
  ring->chunks.resize(header.chunk_count);
  if (hex(ring->id) + ".ring" != found.name) {
    core.ignored.insert(path);
    ++core.self.hostile_rings;
    core.own_log->say(OwnLog::kWarn, "ring.ignored", {{"ring", found.name}}, "its name is not its id");
    return false;
  }
  restore_cursors(core, *ring);
  if (const auto bases = core.known_bases.find(ring->id); bases != core.known_bases.end()) ring->bases = bases->second;
  if (!ring->reader->same_boot()) {
    count_power_loss(core, *ring);
    ring->phase = RingPhase::unlink;
  } else {
    ring->epochs.before = ring->epochs.now = header.tick_epoch.load(std::memory_order_relaxed);
    // Its differences since the lost bases are not knowable: from here on it counts anew.
    if (core.bases_lost) lose_bases(core, *ring);
  }
  learn_marks(core, *ring);
  core.rings.emplace(ring->serial, std::move(ring));
  return true;
}

}  // namespace

bool discover_rings(Core& core) {
  std::set<std::string> open;
  for (const auto& [serial, ring] : core.rings) open.insert(ring->directory + "/" + ring->name);
  bool some = false;
  for (const auto& found : ring::list_rings(core.home)) {
    const std::string path = found.directory + "/" + found.name;
    if (!open.contains(path) && !core.ignored.contains(path)) some = open_ring(core, found) || some;
  }
  return notice_deaths(core) || some;
}

bool notice_deaths(Core& core) {
  bool some = false;
  for (auto& [serial, ring] : core.rings) {
    if (ring->phase != RingPhase::live || ring->quarantined || ring->reader->process_alive()) continue;
    ring->phase = RingPhase::dying;
    some = true;
  }
  return some;
}

void count_unlinked(Core& core, RingState& ring) {
  const auto& entries = ring.reader->live().unlinked;
  for (; ring.unlinked_seen < entries.size(); ++ring.unlinked_seen) {
    const ring::UnlinkedRing& entry = entries[ring.unlinked_seen];
    RingId id;
    std::copy(std::begin(entry.ring_id), std::end(entry.ring_id), id.begin());
    const bool open =
        std::any_of(core.rings.begin(), core.rings.end(), [&](const auto& known) { return known.second->id == id; });
    if (open) return;  // we hold it: it is drained to its end first, then there is nothing to count
    ring.unlinked.push_back(id);
    for (std::size_t s = 0; s < kSinks; ++s) {
      auto& lanes = core.cursors[id][s];
      std::array<std::uint64_t, kClasses> settled{};
      for (const auto& [lane, next] : lanes) {
        if (lane % kLanesPerSlot < kClasses && lane / kLanesPerSlot != kNoSlotSlot)
          settled[lane % kLanesPerSlot] += next;
      }
      for (std::size_t k = 0; k < kClasses; ++k) {
        if (((k == kLog) != (s == kLogSink)) || entry.accepted[k] <= settled[k]) continue;
        const std::uint64_t lost = entry.accepted[k] - settled[k];
        core.sinks[s].pending.accepted += lost;
        core.sinks[s].pending.dropped["no_engine"] += lost;
        lanes[lane_of(kUnlinkedSlot, k)] += lost;
        core.sinks[s].extra.push_back({id, lane_of(kUnlinkedSlot, k), lanes[lane_of(kUnlinkedSlot, k)]});
        core.sinks[s].note_pending(core.now_ns());
      }
    }
  }
}

}  // namespace honeylink::telemetry::engine
