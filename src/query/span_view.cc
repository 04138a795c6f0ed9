// Names and hex of a span's parts: see span_view.h.
#include "query/span_view.h"

#include <iterator>

namespace honeylink::telemetry::query {

std::string_view kind_name(std::uint8_t kind) noexcept {
  constexpr std::string_view kNames[] = {"internal", "server", "client", "producer", "consumer"};
  return kind < std::size(kNames) ? kNames[kind] : "unknown";
}

std::string_view status_name(std::uint8_t status) noexcept {
  constexpr std::string_view kNames[] = {"unset", "ok", "error"};
  return status < std::size(kNames) ? kNames[status] : "unknown";
}

std::string_view kept_name(Kept kept) noexcept {
  constexpr std::string_view kNames[] = {"sampled", "retroactive", "crash", "unsampled"};
  return static_cast<std::size_t>(kept) < std::size(kNames) ? kNames[static_cast<std::size_t>(kept)] : "unknown";
}

}  // namespace honeylink::telemetry::query
