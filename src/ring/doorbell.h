// The doorbell of a home: one 32-bit word in run/doorbell, mapped by the engine and by every recorder (PROTOCOL 7).
//
// 1 = the engine sleeps (or is about to). A recorder reads it after every publication (a relaxed load, no fence); if it
// is 1 it exchanges it for 0 and wakes the engine. The engine sets it, issues membarrier(GLOBAL_EXPEDITED) so that
// every registered recorder's earlier publication is visible, looks again, and only then waits. The word is cleared
// before the wake, never after. The file is never unlinked. A recorder that dies between exchange and wake leaves the
// engine asleep until its time-out.
#pragma once
#include <atomic>
#include <cstdint>
#include <string>

namespace honeylink::telemetry::ring {

using BellWord = std::atomic<std::uint32_t>;

/// Maps <home>/run/doorbell, making it if needed (0600). nullptr and `why` where it cannot be used. Never unmapped: 4
/// KB a home.
[[nodiscard]] BellWord* map_doorbell(const std::string& home, std::string& why) noexcept;

/// Recorder: once per process and again in a fork child, or the engine's membarrier does not reach it.
void register_for_doorbell() noexcept;

/// Recorder's slow path: the word was seen as 1. One futex call at most; async-signal-safe.
void ring_doorbell(BellWord& bell) noexcept;

/// Engine: announces sleep. After it the caller looks at everything once more, and calls sleep_on() or stay_awake().
void announce_sleep(BellWord& bell) noexcept;
void stay_awake(BellWord& bell) noexcept;
/// Waits until the doorbell rings or the monotonic time `deadline_ns` is reached. True: rung.
bool sleep_on(BellWord& bell, std::int64_t deadline_ns) noexcept;

}  // namespace honeylink::telemetry::ring
