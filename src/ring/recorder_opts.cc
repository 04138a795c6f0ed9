// See recorder_opts.h.
#include "ring/recorder_opts.h"

#include <fcntl.h>

#include <cstring>

#include "base/crc32c.h"
#include "base/file.h"

namespace honeylink::telemetry::ring {
namespace {

std::uint32_t checksum(RecorderOpts opts) noexcept {
  opts.crc = 0;
  return crc32c({reinterpret_cast<const std::uint8_t*>(&opts), sizeof opts});
}

}  // namespace

RecorderOpts default_recorder_opts() noexcept {
  RecorderOpts opts;
  const auto add = [&](const char* metric, double limit) {
    SlowLimit& slow = opts.slow_limits[opts.slow_limit_count++];
    std::strncpy(slow.metric, metric, sizeof slow.metric - 1);
    slow.limit = limit;
  };
  add("session_establishment_duration_seconds", 0.5);
  add("policy_update_duration_seconds", 0.3);
  add("encryption_duration_seconds", 0.02);
  add("packets_lost_total", kKeepsExemplar);
  add("qos_packets_dropped_total", kKeepsExemplar);
  return opts;
}

bool read_recorder_opts(const std::string& home, RecorderOpts& opts) noexcept try {
  opts = default_recorder_opts();
  std::string why;
  const Fd file = open_file(home + "/run/recorder.opts", O_RDONLY, 0, why);
  RecorderOpts read;
  if (!file || !read_exactly(file.get(), &read, sizeof read, 0)) return false;
  if (read.magic != kRecorderOptsMagic || read.version != 1 || read.bytes != sizeof read ||
      read.crc != checksum(read) || read.slow_limit_count > kSlowLimitsMax)
    return false;
  read.environment[sizeof read.environment - 1] = '\0';
  for (SlowLimit& slow : read.slow_limits) slow.metric[sizeof slow.metric - 1] = '\0';
  opts = read;
  return true;
} catch (...) { return false; }

bool write_recorder_opts(const std::string& home, RecorderOpts opts, std::string& why) noexcept try {
  opts.crc = checksum(opts);
  return make_private_directory(home, why) && make_private_directory(home + "/run", why) &&
         replace_file(home + "/run/recorder.opts", {reinterpret_cast<const char*>(&opts), sizeof opts}, 0600, why);
} catch (...) {
  why = "out of memory";
  return false;
}

}  // namespace honeylink::telemetry::ring
