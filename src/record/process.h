// The one recorder of a process: which ring is current, the gate that tells threads to look again, the tables of names
// and series. Constant-initialised, never destroyed: usable before main() and from static destructors.
//
// Slow paths hold `lock` (short, never while calling the application). The order of a change of ring: make it whole,
// publish it as `current`, then raise the gate; threads notice at their next record or cold path and bind to the new
// ring. What they still write into the old one until then stays readable there: every ring is drained on its own.
#pragma once
#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <string>

#include "honeylink/options.h"
#include "record/thread.h"
#include "ring/doorbell.h"
#include "ring/recorder_opts.h"
#include "ring/ring_map.h"

namespace honeylink::telemetry::internal {

inline constexpr std::uint32_t kSharedCellsPerSegment = 1024;
inline constexpr std::uint32_t kSharedSegments = kSeriesMax / kSharedCellsPerSegment;
inline constexpr std::uint32_t kRingsPerProcess = 64;

/// A ring of this process. Made under the lock, never freed: a stale pointer into its mapping stays harmless.
struct Ring {
  ring::RingMap map;
  ring::BellWord* bell = nullptr;                         // never null: no_bell where nobody listens
  SlotState* states = nullptr;                            // one per slot, zeroed memory
  std::atomic<std::uint64_t*> shared[kSharedSegments]{};  // gauges: cells any thread may store to
  std::atomic<ring::CounterExemplarBlock*> exemplars[ring::kSlowLimitsMax]{};  // counter_exemplar.h
  std::atomic<std::uint32_t> next_chunk{0};
  int fd = -1;            // to see whether the file was removed
  bool has_file = false;  // a visible file, that an engine can find
  char directory[256] = {};
  void* lock_page = nullptr;
};

struct Process {
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  std::atomic<Ring*> current{nullptr};
  std::atomic<std::uint32_t> gate{1};  // never 0
  std::atomic<std::uint32_t> key_generation{0};
  std::atomic<std::uint64_t> next_id_block{0};
  std::atomic<std::uint32_t> ring_count{0};
  Ring* rings[kRingsPerProcess] = {};
  std::atomic<std::int32_t> pid{0};
  bool started = false;         // start() took effect
  bool prepared = false;        // thread key, fork handlers, clock
  std::string* home = nullptr;  // of start(); leaked
};
[[gnu::visibility("hidden")]] extern constinit Process process;

class Locked {  // the process's lock for a scope
 public:
  Locked() noexcept { pthread_mutex_lock(&process.lock); }
  ~Locked() { pthread_mutex_unlock(&process.lock); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;
};

/// Binds the calling thread to the current ring (made at first use). The caller has set kInside. Leaves t.state null
/// and the gate shut where there is no slot or no memory.
void bind_thread(Thread& t) noexcept;

/// The usual way in: the thread is bound to the current ring and not inside already. Then t.state is valid, and
/// leave_recorder() follows. False: nothing was done.
[[nodiscard]] inline bool enter_recorder(Thread& t) noexcept {
  const std::uint32_t gate = t.gate;
  if (gate != process.gate.load(std::memory_order_relaxed)) [[unlikely]]
    return false;
  t.gate = gate | kInside;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  return true;
}
inline void leave_recorder(Thread& t) noexcept {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  t.gate &= ~kInside;
}
/// After enter_recorder() and without a call between: the gate is as it was. A handler that forked there has shut the
/// child's gate by raising the process's.
inline void leave_recorder(Thread& t, std::uint32_t gate) noexcept {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  t.gate = gate;
}

/// Opens the recorder for one call on this thread. `state()` null: nothing can be recorded (then nothing may be done
/// but count).
class Entry {
 public:
  Entry() noexcept : thread_(thread), nested_((thread.gate & kInside) != 0) {
    if (nested_ || enter_recorder(thread_)) return;
    thread_.gate |= kInside;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    bind_thread(thread_);
  }
  ~Entry() {
    if (!nested_) leave_recorder(thread_);
  }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
  [[nodiscard]] Thread& current_thread() const noexcept { return thread_; }
  [[nodiscard]] bool nested() const noexcept { return nested_; }
  [[nodiscard]] SlotState* state() const noexcept { return nested_ ? nullptr : thread_.state; }

 private:
  Thread& thread_;
  const bool nested_;
};

/// Counts a record that could not be placed: nested, or without a slot.
void count_unplaced(bool nested, ring::RecordClass record_class) noexcept;

/// Room in the thread's chunk, in the next one if need be. nullptr: none to be had, the record is a counted drop.
[[nodiscard]] std::uint8_t* reserve_in_next_chunk(SlotState& s, std::uint32_t bytes, ring::RecordClass) noexcept;
[[nodiscard]] inline std::uint8_t* reserve(SlotState& s, std::uint32_t bytes, ring::RecordClass c) noexcept {
  return bytes <= s.writer.room() ? s.writer.at() : reserve_in_next_chunk(s, bytes, c);
}
/// Wakes a sleeping engine; after each record that was published (PROTOCOL 7).
inline void wake_engine(ring::BellWord& bell) noexcept {
  if (bell.load(std::memory_order_relaxed) != 0) [[unlikely]]
    ring::ring_doorbell(bell);
}
/// Publishes the record that was written there, and wakes a sleeping engine.
inline void publish(SlotState& s, std::uint32_t bytes, ring::RecordClass record_class) noexcept {
  s.writer.publish(bytes, record_class);
  wake_engine(*s.bell);
}

[[nodiscard]] std::uint64_t next_id_slow(SlotState& s) noexcept;
[[nodiscard]] inline std::uint64_t next_id(SlotState& s) noexcept {
  if (s.next_id == s.end_id) [[unlikely]]
    return next_id_slow(s);
  return s.next_id++;
}

}  // namespace honeylink::telemetry::internal
