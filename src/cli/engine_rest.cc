// See engine_rest.h.
#include "cli/engine_rest.h"

#include <chrono>
#include <thread>

#include "query/database.h"
#include "query/paths.h"
#include "query/status.h"
#include "store/database.h"

namespace honeylink::telemetry::cli {

std::optional<query::Problem> hold_engine(engine::Election& election, const std::string& home) {
  constexpr int kTries = 12;  // an embedded engine gives way within 2 s
  std::string why;
  for (int i = 0; i < kTries; ++i) {
    if (election.try_lead(why)) return std::nullopt;
    if (!why.empty())
      return query::Problem{query::ProblemKind::environment, "cannot lock " + home, why,
                            "honeytel doctor looks for the cause"};
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
  }
  const query::EngineStatus engine = query::read_engine(home);
  return query::Problem{query::ProblemKind::busy, "an engine writes here",
                        "it is process " + std::to_string(engine.pid) + ", which holds " + home + "/run/engine.lock",
                        "stop it first: systemctl --user stop honeytel"};
}

std::optional<query::Problem> newer_store(const std::string& home) {
  for (const std::string& path : {query::metrics_path(home), query::traces_path(home)}) {
    auto opened = query::open_database(path);
    const std::int64_t writer =
        opened.ok() ? opened.value().integer("SELECT value FROM meta WHERE key = 'min_writer'", 1) : 1;
    if (writer > store::kWriterVersion) {
      return query::Problem{query::ProblemKind::environment, "these stores need a newer honeytel",
                            path + " needs a newer version to write it (min_writer " + std::to_string(writer) + ")",
                            "use the version that wrote it; nothing was changed, and records wait in their rings"};
    }
  }
  return std::nullopt;
}

}  // namespace honeylink::telemetry::cli
