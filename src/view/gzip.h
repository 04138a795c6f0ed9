// gzip, for what is large and for clients that take none. Pure; any thread.
#pragma once
#include <string>
#include <string_view>

namespace honeylink::telemetry::view {

/// Empty where there is no memory for it.
[[nodiscard]] std::string gzip(std::string_view bytes);
/// Of bytes that gzip made; empty where they are not, or are more than `bytes_max`.
[[nodiscard]] std::string gunzip(std::string_view bytes, std::size_t bytes_max);

}  // namespace honeylink::telemetry::view
