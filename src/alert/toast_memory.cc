// The file of toasts on the screen: see toast_memory.h.
#include "alert/toast_memory.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <vector>

#include "alert/outbox.h"
#include "base/file.h"
#include "base/text.h"

namespace honeylink::telemetry::alert {
namespace {

constexpr std::string_view kHead = "honeytel toasts 1";
constexpr std::size_t kFileBytesMax = 1'000'000;

std::string as_hex(std::string_view text) {
  return hex({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

bool from_hex(std::string_view digits, std::string& to) {
  to.resize(digits.size() / 2);
  return digits.size() % 2 == 0 && unhex(digits, {reinterpret_cast<std::uint8_t*>(to.data()), to.size()});
}

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(by);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

ToastMemory ToastMemory::load(const std::string& home) {
  std::string bytes, why;
  if (!read_whole(path(home), kFileBytesMax, bytes, why)) return {};
  const auto lines = split(bytes, '\n');
  if (lines.size() < 2 || lines[0] != kHead) return {};
  ToastMemory memory;
  if (const auto words = split(lines[1], ' '); words.size() == 3 && words[0] == "bus") {
    memory.bus_id = words[1];
    memory.daemon = words[2];
  }
  for (std::size_t i = 2; i < lines.size() && memory.toasts.size() < kLevelsMax; ++i) {
    const auto words = split(lines[i], ' ');
    std::string key;
    Remembered one;
    if (words.size() != 3 || !from_hex(words[2], key)) continue;
    if (std::from_chars(words[0].data(), words[0].data() + words[0].size(), one.id).ec != std::errc{}) continue;
    one.alert_id = words[1];
    memory.toasts[key] = one;
  }
  return memory;
}

bool ToastMemory::save(const std::string& home) const {
  if (toasts.empty()) return ::unlink(path(home).c_str()) == 0 || errno == ENOENT;
  std::string bytes(kHead);
  bytes += "\nbus " + bus_id + " " + daemon + "\n";
  for (const auto& [key, one] : toasts) bytes += std::to_string(one.id) + " " + one.alert_id + " " + as_hex(key) + "\n";
  std::string why;
  return make_private_directory(home + "/run", why) && replace_file(path(home), bytes, 0600, why);
}

}  // namespace honeylink::telemetry::alert
