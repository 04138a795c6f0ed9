// Does the audit log say what its writers wrote? Reads every file, every signature and every anchor, and tells what is
// proved and what is not (docs/formats/audit_log.md, "What verification proves"). Changes nothing. Called by `honeytel
// audit verify`; any thread.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "audit/entry.h"

namespace honeylink::telemetry::audit {

/// What somebody wrote down elsewhere: entry `seq` had this hash. seq 0: whichever entry it is.
struct Anchor {
  std::string where;
  std::uint64_t seq = 0;
  Hash hash{};
};
enum class AnchorState : std::uint8_t {
  holds,
  contradicted,  // the entry of this number is another one; or no entry has this hash
  gone,          // there is no entry of this number, and there was one
  not_kept,      // older than the oldest file: neither proved nor contradicted
};

enum class Fault : std::uint8_t {
  not_an_entry,  // bytes that are none, or that were changed
  missing,       // numbers left out
  out_of_place,  // repeated, moved, or of another log
  broken_chain,
  bad_signature,
  bad_time,      // outside its epoch
  unvouched,     // signed from here on by a key that nothing vouches for
  cut_off,       // an anchor names an entry that is gone
  contradicted,  // an anchor says otherwise
  head,          // audit/head is missing, damaged or signed by somebody else
  key,           // keys/audit.key is not the key of the log's end
  unreadable,    // a file
  unsigned_end   // bytes after the last line feed
};
[[nodiscard]] std::string_view name_of(Fault fault) noexcept;

struct Finding {
  Fault fault = Fault::not_an_entry;
  std::string file;  // its name
  std::uint64_t line = 0, seq = 0;
  std::string what;  // one sentence
};

struct Verification {
  std::uint64_t entries = 0, epochs = 0, first_seq = 0, last_seq = 0;
  std::int64_t first_unix_ns = 0, last_unix_ns = 0, epoch_began_unix_ns = 0;
  Hash head{};                    // of the last line
  bool ended = false;             // in order
  bool began_here = true;         // entry 1 is there; else: older ones were deleted after a year
  std::vector<Finding> findings;  // kFindingsMax at most
  std::uint64_t findings_total = 0;
  std::vector<std::pair<Anchor, AnchorState>> anchors;
  [[nodiscard]] bool sound() const noexcept { return findings_total == 0; }
};
inline constexpr std::size_t kFindingsMax = 100;

/// `anchors`: those from elsewhere; audit/head and keys/audit.key are looked at besides. `progress`: told the share
/// that is read; false gives up.
[[nodiscard]] Verification verify_log(const std::string& home, const std::vector<Anchor>& anchors,
                                      const std::function<bool(double)>& progress);

}  // namespace honeylink::telemetry::audit
