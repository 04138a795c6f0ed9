// Everything that the engine's parts share, as plain state: the stores, the rings it knows, and the sinks' bookkeeping.
// Each part (drain, retro_keep, dead_ring, metric_tick, …) is a few functions over it. One thread: the one that runs
// the loop.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "config/config.h"
#include "engine/alert_hooks.h"
#include "engine/alert_ways.h"
#include "engine/audit_trail.h"
#include "engine/own_log.h"
#include "engine/sink.h"
#include "engine/sli_watch.h"
#include "ring/cell_gains.h"
#include "ring/reader.h"
#include "scrub/scrubber.h"
#include "store/export_state.h"
#include "store/log_files.h"
#include "store/metric_store.h"
#include "store/trace_store.h"

namespace honeylink::telemetry::exporting {
class Exporter;
}

namespace honeylink::telemetry::engine {

using ring::MetricBases;
using ring::SeriesGain;

struct SlotState {
  std::array<Position, kSinks> at;         // fed up to here
  std::array<Position, kSinks> committed;  // by the sink's own transaction
  std::array<bool, kSinks> dirty{};
};

/// How far a chunk of one generation has been read, per sink.
struct ChunkProgress {
  std::uint32_t generation = 0;
  std::uint32_t slot = 0;
  std::uint32_t committed_bytes = 0;  // as of the last reading; final where `full`
  std::uint32_t unsampled = 0;        // unsampled spans in it, as far as the trace sink has read
  bool known = false, full = false, released = false;
  std::array<std::uint32_t, kSinks> offset{};
  std::array<Position, kSinks> at;  // position of the record at `offset`
};

enum class RingPhase : std::uint8_t { live, dying, awaiting_tick, unlink, gone };

struct RingState {
  std::unique_ptr<ring::RingReader> reader;
  std::unique_ptr<IdCipher> cipher;
  std::string directory, name;
  RingId id{};
  std::uint64_t serial = 0;
  bool quarantined = false;
  bool complete = false;  // the last pass fed everything that was there to every sink
  bool closed = false;    // dead: its open spans are in the trace store's pending transaction, or committed
  RingPhase phase = RingPhase::live;
  std::vector<SlotState> slots;
  SlotState no_slot;
  std::vector<ChunkProgress> chunks;
  std::size_t unlinked_seen = 0;
  std::vector<RingId> unlinked;  // rings that this one unlinked: their cursors go when it goes
  std::uint64_t spans_stored = 0;
  std::vector<std::uint32_t> series_ids;  // metrics.db's, by series id of the ring
  MetricBases bases;                      // as of the last committed tick
  ring::Epochs epochs;                    // of the interval that the next tick covers
  [[nodiscard]] const Source& source() const noexcept { return reader->source(); }
};

/// A trace as its id, or as a counter of one ring (serial ≠ 0).
struct TraceKey {
  std::uint64_t serial = 0, hi = 0, lo = 0;
  friend bool operator==(const TraceKey&, const TraceKey&) = default;
};
struct TraceKeyHash {
  std::size_t operator()(const TraceKey& k) const noexcept {
    return static_cast<std::size_t>((k.lo ^ (k.hi * 0x9e37'79b9'7f4a'7c15ULL)) * 0xbf58'476d'1ce4'e5b9ULL + k.serial);
  }
};
struct Mark {
  std::array<std::uint8_t, 16> trace_id{};
  std::int64_t until_ns = 0;  // monotonic
  TraceKey as_id, as_counter;
};
struct RetroState {
  std::unordered_set<TraceKey, TraceKeyHash> marked, fresh;  // fresh: not yet looked for in the pools
  std::deque<Mark> marks;                                    // oldest first
  std::int64_t second_began_ns = 0;
  std::uint32_t marked_this_second = 0;
  std::uint64_t over_budget = 0;
};

struct SelfCounts {
  std::uint64_t drains = 0, hostile_rings = 0, config_problems = 0, clock_steps = 0, commits_failed = 0;
  std::uint64_t metrics_stored = 0;  // of applications
};

/// What left or could not, by signal and transport; sums of all destinations since the engine leads.
struct ExportCounts {
  store::ExportTotals totals, told;  // told: with the last committed tick
  std::uint64_t backlog = 0, in_flight = 0;
  Sketch took_s, failed_after_s;  // of requests since then
};
struct Exports {
  bool spans = false, logs = false, metrics = false;                   // some destination wants them
  bool new_series = false;                                             // can be sent once a tick has named them
  std::int64_t tend_at_ns = 0, cells_at_ns = 0, cells_changed_ns = 0;  // monotonic
  std::map<std::pair<std::string, std::string>, ExportCounts> counts;
  std::set<std::pair<std::string, consent::Signal>> audited;  // destinations that the audit log says are sent to
};

/// When the stores are looked after next: monotonic times.
struct Upkeep {
  std::int64_t traces_at_ns = 0, metrics_at_ns = 0;
  std::int64_t metrics_seen_unix_ns = 0;  // the tick after which nothing was left to do
};

struct SelfMetrics;  // self_metrics.cc's own

inline constexpr std::uint32_t kUnknownSeries = 0xffff'ffffU;  // in RingState::series_ids

struct Core {
  Core();
  ~Core();
  std::string home;
  const Clock* clock = nullptr;
  config::Config config;
  std::unique_ptr<store::TraceStore> traces;
  std::unique_ptr<store::LogFiles> logs;
  std::unique_ptr<store::MetricStore> metrics;
  std::unique_ptr<scrub::Scrubber> scrubber;
  std::unique_ptr<OwnLog> own_log;
  std::unique_ptr<AuditTrail> audit;
  std::array<Sink, kSinks> sinks;
  std::map<std::uint64_t, std::unique_ptr<RingState>> rings;  // by serial: the order of discovery
  std::map<RingId, std::array<std::map<std::uint32_t, std::uint64_t>, kSinks>> cursors;  // as read when the lead began
  std::unordered_set<std::string> ignored;  // paths of rings that were quarantined
  std::uint64_t next_serial = 1;
  ring::ChunkCopy chunk_copy;  // the drain's, its memory kept between chunks
  RetroState retro;
  SelfCounts self;
  Upkeep upkeep;
  bool fenced = false;
  // Metrics.
  std::map<RingId, MetricBases> known_bases;  // of the last committed tick, for rings that are opened later
  bool bases_lost = false;                    // there were some, and no file fits them
  store::Counts metric_pending;               // to be counted with the next tick
  bool metrics_failing = false;
  std::int64_t metrics_retry_at_ns = 0, last_tick_unix_ns = 0;
  std::optional<store::LedgerSnapshot> last_ledger;
  bool ledger_dirty = false;  // a sink has committed since the last tick
  std::unique_ptr<SelfMetrics> self_metrics;
  Exports exports;
  std::unique_ptr<exporting::Exporter> exporter;  // dies before the stores whose files it reads
  SliWatch slis;
  AlertHooks alerts;
  AlertWays ways;
  std::int64_t red_kept_at_ns = 0;  // when a Red alert kept the last seconds; monotonic

  [[nodiscard]] std::int64_t now_ns() const noexcept { return clock->monotonic_ns(); }
  [[nodiscard]] std::size_t pending_bytes(std::size_t sink) const noexcept {
    return sink == kTraceSink ? traces->pending_bytes() : logs->pending_bytes();
  }
  /// A sink that fails is fed until it holds its bound.
  [[nodiscard]] bool takes(std::size_t sink) const noexcept {
    return sinks[sink].failing.empty() || pending_bytes(sink) < kHeldBytesMax;
  }
};

/// The ring's place in memory, or nullptr when it is gone.
[[nodiscard]] inline RingState* find_ring(Core& core, std::uint64_t serial) {
  const auto at = core.rings.find(serial);
  return at == core.rings.end() ? nullptr : at->second.get();
}
[[nodiscard]] inline SlotState* find_slot(RingState& ring, std::uint32_t slot) noexcept {
  if (slot == kNoSlotSlot) return &ring.no_slot;
  return slot < ring.slots.size() ? &ring.slots[slot] : nullptr;
}
/// The sink's position of this slot has moved.
inline void touch(Core& core, RingState& ring, std::uint32_t slot, std::size_t sink) {
  SlotState* state = find_slot(ring, slot);
  core.sinks[sink].note_pending(core.now_ns());
  if (state == nullptr || state->dirty[sink]) return;
  state->dirty[sink] = true;
  core.sinks[sink].dirty.push_back({ring.serial, slot});
}

}  // namespace honeylink::telemetry::engine
