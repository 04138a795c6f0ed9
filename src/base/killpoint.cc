// See killpoint.h. The first call reads the environment; after that an unarmed process pays one load.
#include "base/killpoint.h"

#ifdef HONEYLINK_KILLPOINTS
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace honeylink::telemetry {
namespace {
constexpr int kUnread = -2, kNone = -1;
std::atomic<int> armed{kUnread};  // index into kKillpoints
std::atomic<int> passes_left{0};

int index_of(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kKillpoints.size(); ++i) {
    if (kKillpoints[i] == name) return static_cast<int>(i);
  }
  std::fprintf(stderr, "honeylink: kill point '%.*s' is not in the table of base/killpoint.h\n",
               static_cast<int>(name.size()), name.data());
  std::abort();
}

int read_environment() noexcept {
  const char* text = std::getenv("HONEYLINK_KILLPOINT");
  if (text == nullptr || *text == '\0') return kNone;
  const char* colon = std::strchr(text, ':');
  passes_left.store(colon == nullptr ? 1 : std::atoi(colon + 1));
  return index_of(colon == nullptr ? std::string_view(text)
                                   : std::string_view(text, static_cast<std::size_t>(colon - text)));
}
}  // namespace

void arm_killpoint(std::string_view name, int pass) noexcept {
  passes_left.store(pass);
  armed.store(index_of(name));
}

void killpoint(const char* name) noexcept {
  int at = armed.load(std::memory_order_relaxed);
  if (at == kUnread) {
    at = read_environment();
    armed.store(at);
  }
  if (at < 0 || kKillpoints[static_cast<std::size_t>(at)] != name) return;
  if (passes_left.fetch_sub(1) == 1) std::raise(SIGKILL);
}

}  // namespace honeylink::telemetry
#endif
