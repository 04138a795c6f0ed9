// The audit log as its writers see it: what was decided and done, appended, chained, signed and synced before append()
// returns (docs/formats/audit_log.md).
//
// The engine owns one, a command that changes something another; all of a home append under audit/.lock, so that
// entries of several processes form one chain. Any thread. Each append reads the end of the log anew (about a
// millisecond, and two syncs); nothing is kept open in between. Where the log does not end as its head says, the next
// entry says so and goes on: recording what is decided never depends on an intact past. Errors are values.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "audit/entry.h"
#include "base/clock.h"

namespace honeylink::telemetry::audit {

inline constexpr std::uint64_t kFileBytesMax = 4'000'000;
inline constexpr std::int64_t kFileNsMax = 31 * 86'400'000'000'000, kKeptNs = 366 * 86'400'000'000'000;

class Journal {
 public:
  /// `clock` must outlive it. `lock_wait_ms`: how long another writer is waited for.
  Journal(std::string home, const Clock& clock, std::int64_t lock_wait_ms = 3'000);

  /// The entry that was written last, for an anchor elsewhere.
  struct End {
    std::uint64_t seq = 0;
    Hash hash{};
  };
  /// False and `why`: nothing was appended.
  bool append(std::string_view event, Context context, Result result, std::string& why, End* end = nullptr) const;
  /// Ends the epoch: its key is erased, the next one certified.
  bool heartbeat(std::string& why, End* end = nullptr) const;
  bool close(std::string& why, End* end = nullptr) const;

 private:
  bool write(std::string_view event, Context context, Result result, bool ends_epoch, std::string& why, End* end) const;
  std::string home_;
  const Clock& clock_;
  std::int64_t lock_wait_ms_;
};

}  // namespace honeylink::telemetry::audit
