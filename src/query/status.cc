// One look at a home: see status.h.
#include "query/status.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>

#include "base/clock.h"
#include "base/counters.h"
#include "base/file.h"
#include "query/database.h"
#include "query/json.h"
#include "query/log_reader.h"
#include "query/paths.h"
#include "query/rings.h"

namespace honeylink::telemetry::query {
namespace {

constexpr std::size_t kStateBytesMax = 4096;

std::uint64_t bytes_of(const std::string& path) noexcept {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) ? static_cast<std::uint64_t>(info.st_size) : 0;
}

StoreStatus database_status(const char* name, const std::string& path, const char* oldest, const char* newest,
                            std::int64_t unit_ns) {
  StoreStatus status{name, path, bytes_of(path) + bytes_of(path + "-wal") + bytes_of(path + "-shm"), 0, 0};
  auto opened = open_database(path);
  if (!opened.ok()) return status;
  status.oldest_unix_ns = opened.value().integer(oldest, 0) * unit_ns;
  status.newest_unix_ns = opened.value().integer(newest, 0) * unit_ns;
  return status;
}

StoreStatus log_status(const std::string& home) {
  StoreStatus status{"logs", log_path(home), bytes_of(logs_directory(home) + "/state"), 0, 0};
  const std::vector<LogFile> files = list_log_files(home);
  for (const LogFile& file : files) status.bytes += file.bytes;
  for (const LogFile& file : files) {
    static_cast<void>(read_log_file(file, [&](std::string_view line) {
      status.oldest_unix_ns = parse_log_line(line).time_unix_ns;
      return status.oldest_unix_ns == 0;
    }));
    if (status.oldest_unix_ns != 0) break;
  }
  if (!files.empty() && status.oldest_unix_ns != 0) status.newest_unix_ns = files.back().modified_unix_ns;
  return status;
}

}  // namespace

EngineStatus read_engine(const std::string& home) {
  EngineStatus engine;
  std::string why, state;
  const Fd lock = open_file(run_directory(home) + "/engine.lock", O_RDONLY, 0, why);
  if (!lock || !is_locked(lock.get())) return engine;
  engine.mode = "agent";
  std::vector<JsonMember> members;
  if (!read_whole(run_directory(home) + "/state.json", kStateBytesMax, state, why)) return engine;
  while (!state.empty() && state.back() == '\n') state.pop_back();
  if (!read_json_object(state, members)) return engine;
  for (const auto& [name, value] : members) {
    const std::string text = json_text_of(value);
    if (name == "pid") std::from_chars(text.data(), text.data() + text.size(), engine.pid);
    else if (name == "mode") engine.mode = text;
    else if (name == "started_unix_nano")
      std::from_chars(text.data(), text.data() + text.size(), engine.started_unix_ns);
  }
  return engine;
}

std::vector<RingStatus> read_rings(const std::string& home) {
  std::vector<RingStatus> rings;
  for (const OpenRing& open : open_rings(home)) {
    RingStatus ring;
    ring.path = open.file.directory + "/" + open.file.name;
    ring.bytes = open.file.bytes, ring.alive = open.file.alive, ring.why = open.why;
    if (open.reader) {
      const Source& source = open.reader->source();
      ring.pid = source.pid, ring.service = source.resource.service_name, ring.module = source.resource.module;
      ring.clean = open.reader->live().clean, ring.same_boot = open.reader->same_boot();
      for (std::size_t i = 0; i < kProcessCounterNames.size(); ++i) {
        const std::uint64_t n = open.reader->live().counters[i];
        if (n != 0) ring.counters[std::string(kProcessCounterNames[i])] = n;
      }
    }
    rings.push_back(std::move(ring));
  }
  std::sort(rings.begin(), rings.end(),
            [](const RingStatus& a, const RingStatus& b) { return a.alive != b.alive ? a.alive : a.pid < b.pid; });
  return rings;
}

std::vector<StoreStatus> read_stores(const std::string& home) {
  return {database_status("metrics", metrics_path(home),
                          "SELECT min(t) FROM (SELECT min(tick) AS t FROM hot UNION ALL SELECT min(t0) FROM seg)",
                          "SELECT max(t) FROM (SELECT max(tick) AS t FROM hot UNION ALL SELECT max(t1) - 10 FROM seg)",
                          1'000'000'000),
          database_status("traces", traces_path(home),
                          "SELECT min(t0) FROM (SELECT t0 FROM hot UNION ALL SELECT t0 FROM blk)",
                          "SELECT max(t1) FROM (SELECT t1 FROM hot UNION ALL SELECT t1 FROM blk)", 1),
          log_status(home)};
}

Answer<Status> read_status(const std::string& home) {
  Status status;
  status.home = home;
  auto balance = read_balance(home);
  if (!balance.ok()) return balance.problem();
  status.balance = std::move(balance.value());
  status.engine = read_engine(home);
  status.rings = read_rings(home);
  status.stores = read_stores(home);
  status.exports = read_exports(home, consent::list_receipts(home, system_clock()));
  return status;
}

}  // namespace honeylink::telemetry::query
