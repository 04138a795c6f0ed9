// The page on which killed_app tells what it has recorded; zeroed file, mapped by both sides. All counts are of calls
// that returned.
#pragma once
#include <atomic>
#include <cstdint>

inline constexpr std::int64_t kTellingThreads = 3;
struct alignas(128) Told {  // written by one thread
  std::atomic<std::uint64_t> logs, spans, lasting, adds, labelled, values;
  std::atomic<std::int64_t> open_round;  // 1 + round of the span that is open and has its attributes; 0: none
};
struct SidePage {
  std::atomic<std::uint32_t> ready;
  Told told[kTellingThreads];
};
