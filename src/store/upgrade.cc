// See upgrade.h.
#include "store/upgrade.h"

#include <algorithm>

#include "base/killpoint.h"
#include "store/database.h"

namespace honeylink::telemetry::store {
namespace {

constexpr int kBusyTimeoutMs = 2'000;

/// Inside the transaction. SQLite's result code; SQLITE_ABORT where `progress` gave up.
int run_steps(Connection& connection, std::span<const UpgradeStep> steps, int from,
              const std::function<bool(double)>& progress, int& to) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const UpgradeStep& step = steps[i];
    if (step.version <= from) continue;
    if (!progress(static_cast<double>(i) / static_cast<double>(steps.size()))) return SQLITE_ABORT;
    int code = connection.execute(step.sql);
    killpoint("upgrade.after_step");
    if (code == SQLITE_OK && step.min_writer != 0) {
      Statement writer = connection.prepare("INSERT OR REPLACE INTO meta VALUES('min_writer', ?)");
      code = writer ? writer.bind(1, step.min_writer).run() : connection.result();
    }
    const std::string version = "PRAGMA user_version=" + std::to_string(step.version);
    if (code == SQLITE_OK) code = connection.execute(version.c_str());
    if (code != SQLITE_OK) return code;
    to = step.version;
  }
  return SQLITE_OK;
}

}  // namespace

std::span<const UpgradeStep> upgrade_steps() noexcept { return {}; }

Upgraded upgrade_database(const std::string& path, std::span<const UpgradeStep> steps,
                          const std::function<bool(double)>& progress) {
  Upgraded done;
  Connection connection;
  const auto failed = [&](std::string why) {
    if (connection) connection.execute("ROLLBACK");
    done.result = Upgraded::Result::failed;
    done.to = done.from;
    return done.why = std::move(why), done;
  };
  if (connection.open(path, Access::read_write, kBusyTimeoutMs) != SQLITE_OK) return failed(connection.error());
  if (connection.execute("PRAGMA synchronous=FULL; BEGIN IMMEDIATE") != SQLITE_OK) return failed(connection.error());
  killpoint("upgrade.after_begin");
  done.from = done.to = static_cast<int>(connection.integer("PRAGMA user_version", -1));
  const std::int64_t writer = connection.integer("SELECT value FROM meta WHERE key = 'min_writer'", -1);
  if (done.from <= 0 || writer < 0) return failed("it is not a database of ours");
  int writer_max = kWriterVersion;
  for (const UpgradeStep& step : steps) writer_max = std::max(writer_max, step.min_writer);
  if (writer > writer_max) {
    connection.execute("ROLLBACK");
    done.result = Upgraded::Result::newer;
    done.why = "it needs a newer version to write it (min_writer " + std::to_string(writer) + ")";
    return done;
  }
  const int code = run_steps(connection, steps, done.from, progress, done.to);
  if (code == SQLITE_ABORT) return failed("interrupted");
  if (code != SQLITE_OK) return failed(connection.error());
  killpoint("upgrade.before_commit");
  if (connection.execute("COMMIT") != SQLITE_OK) return failed(connection.error());
  killpoint("upgrade.after_commit");
  done.result = done.to == done.from ? Upgraded::Result::current : Upgraded::Result::upgraded;
  return done;
}

}  // namespace honeylink::telemetry::store
