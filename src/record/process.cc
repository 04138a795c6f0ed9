// See process.h: the state itself, binding of threads, their end, and counting.
#include "record/process.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "record/cells.h"
#include "record/count.h"
#include "record/memory.h"
#include "record/rings.h"
#include "record/start.h"
#include "record/stay_loaded.h"
#include "record/thread_end.h"
#include "record/ticks.h"

namespace honeylink::telemetry::internal {

constinit Process process;
thread_local constinit Thread thread;
thread_local constinit ThreadCells thread_cells{};

namespace {

constexpr std::uint64_t kIdBlock = 4096;
constexpr std::int64_t kLookAgainNs = 1'000'000'000;

constinit std::atomic<std::uint64_t> early_counts[ring::kCounters]{};
constinit std::atomic<std::uint32_t> said{0};

bool claim_slot(Ring& ring, std::uint32_t& slot) noexcept {
  for (std::uint32_t i = 0; i < ring.map.geometry.slot_count; ++i) {
    auto expected = static_cast<std::uint32_t>(ring::SlotState::free);
    std::atomic<std::uint32_t>& state = ring.map.slot(i).state;
    if (state.load(std::memory_order_relaxed) == expected &&
        state.compare_exchange_strong(expected, static_cast<std::uint32_t>(ring::SlotState::used),
                                      std::memory_order_acq_rel)) {
      slot = i;
      return true;
    }
  }
  return false;
}

// The ring's file may have been removed (log-out empties XDG_RUNTIME_DIR): a new one is made, the old one is left
// behind.
void replace_removed_ring(Ring& old) noexcept {
  struct stat status {};
  if (old.fd < 0 || fstat(old.fd, &status) != 0 || status.st_nlink != 0) return;
  const Locked locked;
  if (process.current.load(std::memory_order_relaxed) != &old) return;
  std::string why;
  Error error = Error::none;
  if (Ring* fresh = make_file_ring(old.map.geometry.file_bytes, error, why); fresh != nullptr) {
    make_current(fresh);
    count_and_say(ProcessCounter::ring_moved, "the ring file was removed; recording goes on in a new one",
                  old.directory);
  } else {
    old.has_file = false;
    close(old.fd);
    old.fd = -1;
    count_and_say(ProcessCounter::memory_only, "the ring file was removed and no other can be made", why);
  }
}

// At a chunk switch, at most once a second: is the ring's file still there?
void look_after_ring(SlotState& s) noexcept {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  const std::int64_t now_ns = now.tv_sec * 1'000'000'000LL + now.tv_nsec;
  if (now_ns - s.looked_at_ns < kLookAgainNs) return;
  s.looked_at_ns = now_ns;
  if (s.ring->has_file) replace_removed_ring(*s.ring);
}

}  // namespace

void bind_thread(Thread& t) noexcept {
  Ring* ring = process.current.load(std::memory_order_acquire);
  // A raw clone() or _Fork() skips the fork handlers: the child must not write into its parent's ring.
  if (ring == nullptr || process.pid.load(std::memory_order_relaxed) != static_cast<std::int32_t>(getpid())) {
    stay_loaded();
    const Locked locked;
    prepare_process();
    if (process.current.load(std::memory_order_relaxed) == nullptr) begin_recording_locked();
    ring = process.current.load(std::memory_order_relaxed);
  }
  const std::uint32_t gate = process.gate.load(std::memory_order_acquire);
  if (t.state != nullptr && t.state->ring == ring && t.gate == (gate | kInside)) return;
  if (t.state != nullptr && t.state->ring != ring) t.state->writer.detach();
  release_slot(t);
  if (ring == nullptr) return;
  std::uint32_t slot = 0;
  if (!claim_slot(*ring, slot)) {
    count_and_say(ProcessCounter::too_many_threads,
                  "more recording threads than the ring has slots; records of the others are dropped", {});
    return;
  }
  SlotState& state = ring->states[slot];
  state.ring = ring;
  state.bell = ring->bell;
  state.slot = slot;
  if (!state.writer.is_attached()) state.writer.attach(ring->map, slot);
  ring->map.slot(slot).tid.store(static_cast<std::uint32_t>(syscall(SYS_gettid)), std::memory_order_relaxed);
  t.state = &state;
  t.gate = gate | kInside;
  thread_cells = {state.cells, ring->map.cells(), state.cell_count};
  arm_thread_end();
}

// The chunk stays open with the slot: the next thread goes on in it, so that a program with a thread for each request
// does not seal a chunk for each.
void release_slot(Thread& t) noexcept {
  if (t.state == nullptr) return;
  SlotState& state = *t.state;
  thread_cells = {};
  t.state = nullptr;
  t.gate &= kInside;
  state.ring->map.slot(state.slot)
      .state.store(static_cast<std::uint32_t>(ring::SlotState::free), std::memory_order_release);
}

void count_unplaced(bool nested, ring::RecordClass record_class) noexcept {
  if (nested) return count(ProcessCounter::nested_call);
  Ring* ring = process.current.load(std::memory_order_acquire);
  if (ring != nullptr)
    ring->map.header().no_slot[static_cast<std::size_t>(record_class)].fetch_add(1, std::memory_order_relaxed);
}

std::uint8_t* reserve_in_next_chunk(SlotState& s, std::uint32_t bytes, ring::RecordClass record_class) noexcept {
  std::uint8_t* at = s.writer.reserve(bytes, record_class);
  look_after_ring(s);
  return at;
}

std::uint64_t next_id_slow(SlotState& s) noexcept {
  s.next_id = process.next_id_block.fetch_add(1, std::memory_order_relaxed) * kIdBlock;
  s.end_id = s.next_id + kIdBlock;
  return s.next_id++;
}

void count(ProcessCounter what, std::uint64_t n) noexcept {
  Ring* ring = process.current.load(std::memory_order_acquire);
  auto& counters = ring != nullptr ? ring->map.header().counters : early_counts;
  counters[static_cast<std::size_t>(what)].fetch_add(n, std::memory_order_relaxed);
}

void count_and_say(ProcessCounter what, std::string_view sentence, std::string_view detail) noexcept {
  count(what);
  const std::uint32_t bit = 1U << static_cast<unsigned>(what);
  if ((said.fetch_or(bit, std::memory_order_relaxed) & bit) != 0) return;
  char line[512];
  std::size_t size = 0;
  const auto put = [&](std::string_view text) {
    for (const char c : text)
      if (size < sizeof line - 2) line[size++] = static_cast<unsigned char>(c) < 0x20 ? '?' : c;
  };
  put("honeylink: ");
  put(sentence);
  if (!detail.empty()) put(": "), put(detail);
  line[size++] = '\n';
  (void)!write(STDERR_FILENO, line, size);
}

std::uint64_t counted(ProcessCounter what) noexcept {
  std::uint64_t sum = early_counts[static_cast<std::size_t>(what)].load(std::memory_order_relaxed);
  const std::uint32_t rings = process.ring_count.load(std::memory_order_acquire);
  for (std::uint32_t i = 0; i < rings; ++i)
    sum += process.rings[i]->map.header().counters[static_cast<std::size_t>(what)].load(std::memory_order_relaxed);
  return sum;
}

}  // namespace honeylink::telemetry::internal
