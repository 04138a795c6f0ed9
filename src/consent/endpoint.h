// To whom: an endpoint in its one form (docs/formats/consent.md, "Endpoint"). What a person reads in a receipt is what
// is connected to, so every other spelling of an address is refused. Values; pure; any thread; opens nothing, looks up
// nothing.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace honeylink::telemetry::consent {

struct Endpoint {
  std::string scheme;  // "http", "https", "h3"
  std::string host;    // "[::1]" with its brackets
  std::uint16_t port = 0;
  std::string path;  // "" or "/a/b", without a slash at its end

  [[nodiscard]] bool tls() const noexcept { return scheme != "http"; }
  /// Spoken to over QUIC: HTTP/3.
  [[nodiscard]] bool quic() const noexcept { return scheme == "h3"; }
  /// This device: nothing that is said to it crosses a wire.
  [[nodiscard]] bool loopback() const noexcept { return host == "127.0.0.1" || host == "[::1]" || host == "localhost"; }
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// nullopt and `why` (one sentence) where the text is no endpoint. Without a port the scheme's: 80, or 443.
[[nodiscard]] std::optional<Endpoint> parse_endpoint(std::string_view text, std::string& why);

}  // namespace honeylink::telemetry::consent
