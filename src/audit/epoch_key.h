// keys/audit.key: the key that signs the current epoch of the audit log, and with which entry that epoch begins.
// Changed each hour; the old one is overwritten. Called by the journal under its lock; the verifier reads it.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "audit/keys.h"

namespace honeylink::telemetry::audit {

inline constexpr std::int64_t kEpochNs = 3'600'000'000'000;

struct EpochKey {
  std::uint64_t epoch = 0;      // from 1
  std::uint64_t first_seq = 0;  // of this epoch's first entry
  Hash first_prev{};
  std::int64_t began_unix_ns = 0;
  std::unique_ptr<SigningKey> key;
};

/// The key in force. `last_next_key`: what the log's last entry names, or nullptr; it tells, after a crash between two
/// steps of a change, which of two files counts, and the change is brought to its end.
[[nodiscard]] KeyState open_epoch_key(const std::string& home, const PublicKey* last_next_key, EpochKey& to,
                                      std::string& why);
/// Reads only. `pending`: the one that waits in keys/audit.key.next, if there is one.
[[nodiscard]] KeyState read_epoch_key(const std::string& home, bool pending, EpochKey& to, std::string& why);
/// The first key of a log, or one in place of a lost one, whose file is moved aside.
bool write_first_key(const std::string& home, const EpochKey& key, std::string& why);
/// The change, in two steps: before the entry that names the new key, and after it is synced.
bool stage_next_key(const std::string& home, const EpochKey& next, std::string& why);
bool take_next_key(const std::string& home, std::string& why);

}  // namespace honeylink::telemetry::audit
