// What a key alone decides: hash its value, refuse it, or look at the value. The product's own rules; config.toml can
// only add.
//
// A key is split at dots, dashes, underscores, slashes and blanks, and compared without case: `user.password` and
// `X-Auth-Token` are refused as `password` and `token` are; `http.request.body.size` is not (its last part is a size),
// unless its value is text.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace honeylink::telemetry::scrub {

enum class KeyVerdict : std::uint8_t { unknown, look, hash, refuse, refuse_text };

/// Immutable after construction; any thread.
class KeyRules {
 public:
  KeyRules(const std::vector<std::string>& more_ids, const std::vector<std::string>& more_refused);
  [[nodiscard]] KeyVerdict judge(std::string_view key) const;
  /// The kind that a hashed value of this key is hashed under: "device_id" and hashed_id("device", …) meet.
  [[nodiscard]] static std::string_view kind_of(std::string_view key) noexcept;

 private:
  std::vector<std::string> ids_, refused_;
};

}  // namespace honeylink::telemetry::scrub
