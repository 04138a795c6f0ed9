// The bar: see progress.h.
#include "cli/progress.h"

#include <algorithm>
#include <cstdio>

#include "query/time_text.h"

namespace honeylink::telemetry::cli {
namespace {
constexpr std::size_t kBarColumns = 24;
constexpr std::chrono::milliseconds kQuiet{500}, kFrame{100};
}  // namespace

void Progress::update(double share) {
  if (!terminal_.err_is_terminal) return;
  const auto now = Clock::now();
  if (now - began_ < kQuiet || now - drawn_ < kFrame) return;
  drawn_ = now;
  share = std::clamp(share, 0.0, 1.0);
  const auto full = static_cast<std::size_t>(share * static_cast<double>(kBarColumns));
  std::string line = "\r" + what_ + " ";
  for (std::size_t i = 0; i < kBarColumns; ++i)
    line += i < full ? terminal_.words.sign("█", "#") : terminal_.words.sign("░", ".");
  char percent[16];
  std::snprintf(percent, sizeof percent, " %3.0f %%", share * 100);
  line += percent;
  if (share > 0.01) {
    const double spent = std::chrono::duration<double, std::nano>(now - began_).count();
    line += ", " + query::format_duration(static_cast<std::int64_t>(spent * (1 - share) / share)) + " left";
  }
  line += "\x1b[K";
  visible_ = true;
  static_cast<void>(std::fwrite(line.data(), 1, line.size(), stderr));
}

void Progress::clear() {
  if (visible_) static_cast<void>(std::fputs("\r\x1b[K", stderr));
  visible_ = false;
}

}  // namespace honeylink::telemetry::cli
