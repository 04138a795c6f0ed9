// One entry of the audit log as a value and as its line: docs/formats/audit_log.md. There is one form of each entry, so
// that a byte that was changed is a different entry or none. Values; any thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "audit/keys.h"

namespace honeylink::telemetry::audit {

enum class Result : std::uint8_t { ok, refused, failed };
[[nodiscard]] std::string_view name_of(Result result) noexcept;

using Context = std::vector<std::pair<std::string, std::string>>;

inline constexpr std::size_t kLineBytesMax = 16 * 1024;

struct Entry {
  std::uint64_t seq = 0;
  std::string event_id;
  std::int64_t time_unix_ns = 0;
  std::string event;
  std::uint64_t uid = 0, pid = 0;
  std::string program;
  Context context;
  Result result = Result::ok;
  std::uint64_t epoch = 0;
  Hash prev{};
  std::optional<PublicKey> next_key;
  Signature signature{};

  /// Of the context; empty where it has no such member.
  [[nodiscard]] std::string_view of(std::string_view key) const noexcept;
};

/// Signs it and gives its line, without the line feed.
[[nodiscard]] std::string write_entry(Entry& entry, const SigningKey& key);
/// False and `why` where the line is not the one form of an entry. The signature is the caller's to verify.
bool read_entry(std::string_view line, Entry& to, std::string& why);
[[nodiscard]] bool is_signed_by(const Entry& entry, const PublicKey& key);

}  // namespace honeylink::telemetry::audit
