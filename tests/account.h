// What a recording test program says about itself, in a file that both sides map: begun is raised before a call, done
// after it.
#pragma once
#include <atomic>
#include <cstdint>

struct Account {
  std::atomic<std::uint64_t> ready, stop;
  std::atomic<std::uint64_t> spans_begun, spans_done, logs_begun, logs_done, counts_begun, counts_done;
};
