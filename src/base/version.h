// The version of this product: what --version prints, and what a request sent with consent says of its sender.
#pragma once
#include <string_view>

namespace honeylink::telemetry {

inline constexpr std::string_view kProductVersion = "0.1.0";

}  // namespace honeylink::telemetry
