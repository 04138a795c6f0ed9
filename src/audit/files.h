// The files of the audit log as files: which there are, what stands at the end, line by line
// (docs/formats/audit_log.md). Used by the journal, which appends, and by the verifier, which only reads. Functions;
// any thread.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/keys.h"

namespace honeylink::telemetry::audit {

[[nodiscard]] inline std::string audit_directory(const std::string& home) { return home + "/audit"; }
[[nodiscard]] inline std::string log_path(const std::string& home) { return audit_directory(home) + "/audit.log"; }
/// Where a file goes that begins with this entry, when it is rotated.
[[nodiscard]] std::string rotated_path(const std::string& home, std::uint64_t first_seq);

/// Rotated ones by their first entry, then audit.log if it is there.
[[nodiscard]] std::vector<std::string> list_files(const std::string& home);

/// What stands at a file's end.
struct Tail {
  std::uint64_t whole_bytes = 0;  // up to and with the last line feed
  std::uint64_t torn_bytes = 0;   // after it
  std::string line;               // the last whole line without its line feed; empty: none
};
/// False and `why` where the file cannot be read; nothing in it is fine.
bool read_tail(const std::string& path, Tail& to, std::string& why);

/// Each whole line without its line feed, with its number from 1; the visitor answers false to end. `torn`: the bytes
/// behind the last line feed. False and `why` where it cannot be read.
bool for_each_line(const std::string& path, const std::function<bool(std::string_view, std::uint64_t)>& visit,
                   std::uint64_t& torn, std::string& why);

/// audit/head: where the log ended after the last append.
struct Head {
  std::uint64_t seq = 0;
  Hash hash{};
  Signature signature{};
};
enum class HeadState : std::uint8_t { ready, none, unusable };
[[nodiscard]] HeadState read_head(const std::string& home, Head& to, std::string& why);
bool write_head(const std::string& home, std::uint64_t seq, const Hash& hash, const SigningKey& key, std::string& why);
[[nodiscard]] bool is_signed_by(const Head& head, const PublicKey& key);

}  // namespace honeylink::telemetry::audit
