// Which toasts are on the screen, in a small file: docs/formats/toasts.md. An engine that starts again shows no alert
// twice, and the end of an alert takes the place of the toast that its predecessor showed.
//
// Owner: the toast's thread. A file that is damaged, missing or of another bus is as none.
#pragma once
#include <cstdint>
#include <map>
#include <string>

namespace honeylink::telemetry::alert {

struct Remembered {
  std::uint32_t id = 0;  // the daemon's
  std::string alert_id;
};

struct ToastMemory {
  std::string bus_id, daemon;  // which run of which bus, and its daemon's unique name: ids mean nothing to others
  std::map<std::string, Remembered> toasts;  // by Entry::key

  [[nodiscard]] static std::string path(const std::string& home) { return home + "/run/toasts"; }
  [[nodiscard]] static ToastMemory load(const std::string& home);
  /// An empty one removes the file. False where it cannot be written.
  [[nodiscard]] bool save(const std::string& home) const;
};

}  // namespace honeylink::telemetry::alert
