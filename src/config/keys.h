// The table of all keys: one row says name, type, bounds and meaning; parser, `config show` and suggestions read it
// alike.
#pragma once
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/config.h"

namespace honeylink::telemetry::config {

/// Where a key's value lies. A duration is a Seconds, so that the parser knows that "5m" is meant.
struct Seconds {
  std::int64_t* value;
};
using Place = std::variant<bool*, std::int64_t*, double*, std::string*, std::vector<std::string>*, Seconds>;

template <class Owner>
struct KeyRow {
  std::string_view section, key;
  Place (*place)(Owner&);
  double least = -std::numeric_limits<double>::infinity(), most = std::numeric_limits<double>::infinity();
  std::string_view one_of = {};  // words parted by spaces; empty: any
  std::string_view says = {};
};

[[nodiscard]] std::span<const KeyRow<Config>> plain_keys() noexcept;
[[nodiscard]] std::span<const KeyRow<SliConfig>> sli_keys() noexcept;
[[nodiscard]] std::span<const std::string_view> section_names() noexcept;
/// A value as TOML writes it.
[[nodiscard]] std::string to_toml(const Place& place);

}  // namespace honeylink::telemetry::config
