// What may be wrong with a home and its surroundings, each with what to do. For `honeytel doctor`. Reads only.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace honeylink::telemetry::query {

enum class Finding : std::uint8_t { fine, note, problem };
struct Check {
  std::string what;
  Finding finding = Finding::fine;
  std::string says, to_do;
};
[[nodiscard]] std::vector<Check> examine(const std::string& home);

}  // namespace honeylink::telemetry::query
