// From one version of a database's tables to the next, in one transaction: an interrupted upgrade has not happened
// (F53). Called by `honeytel db upgrade` with the engine at rest.
//
// Tables, columns and indexes that old writers may ignore are added by the engine itself and need no step here. A step
// is for what an old writer would do wrong: it raises meta.min_writer, and old engines then leave the file alone.
#pragma once
#include <functional>
#include <span>
#include <string>

#include "store/sqlite.h"

namespace honeylink::telemetry::store {

struct UpgradeStep {
  int version = 0;       // user_version that it leads to; steps ascend
  int min_writer = 0;    // from then on; 0: as it was
  const char* sql = "";  // may be several statements
};

/// The steps of this build, for both databases; none so far: version 1 is the first.
[[nodiscard]] std::span<const UpgradeStep> upgrade_steps() noexcept;

struct Upgraded {
  enum class Result : std::uint8_t { current, upgraded, newer, failed } result = Result::failed;
  int from = 0, to = 0;
  std::string why;  // newer, failed: what stands in the way
};
/// The database at `path`, which must be ours and whole. `newer`: it needs a newer writer than this build; it was not
/// touched. `progress`: told the share of steps done; false gives up, and nothing has changed.
[[nodiscard]] Upgraded upgrade_database(const std::string& path, std::span<const UpgradeStep> steps,
                                        const std::function<bool(double)>& progress);

}  // namespace honeylink::telemetry::store
