// See doctor.h. Each check is a function that adds one line.
#include "query/doctor.h"

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <fstream>

#include "query/database.h"
#include "query/paths.h"
#include "query/sli_reader.h"
#include "query/status.h"
#include "query/time_text.h"
#include "ring/home.h"

namespace honeylink::telemetry::query {
namespace {

using Checks = std::vector<Check>;
constexpr std::uint64_t kSpaceWanted = 1'100'000'000;  // the caps of all stores and rings together
constexpr std::uint64_t kWalWorrying = 32'000'000;

std::string octal(mode_t mode) {
  char text[8];
  std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(mode & 07777));
  return text;
}

bool check_home(const std::string& home, Checks& checks) {
  struct stat info {};
  if (::lstat(home.c_str(), &info) != 0) {
    checks.push_back({"home", Finding::note, home + " is not there yet", "honeytel demo makes it and fills it"});
    return false;
  }
  if (!S_ISDIR(info.st_mode)) {
    checks.push_back({"home", Finding::problem,
                      home + (S_ISLNK(info.st_mode) ? " is a symbolic link" : " is no directory"),
                      "name the real directory: --home DIR or HONEYLINK_HOME"});
    return false;
  }
  if (info.st_uid != ::geteuid()) {
    checks.push_back({"home", Finding::problem, home + " belongs to user " + std::to_string(info.st_uid),
                      "use a home of your own: --home DIR or HONEYLINK_HOME"});
    return false;
  }
  const bool is_private = (info.st_mode & 0077) == 0;
  checks.push_back({"home", is_private ? Finding::fine : Finding::problem, home + ", mode " + octal(info.st_mode),
                    is_private ? "" : "chmod 700 " + home});
  return true;
}

void check_disk(const std::string& home, Checks& checks) {
  struct statfs type {};
  struct statvfs space {};
  if (::statfs(home.c_str(), &type) != 0 || ::statvfs(home.c_str(), &space) != 0) return;
  constexpr unsigned kNfs = 0x6969, kSmb = 0xfe534d42, kCifs = 0xff534d42, kFuse = 0x65735546;
  const auto kind = static_cast<unsigned>(type.f_type);
  const bool network = kind == kNfs || kind == kSmb || kind == kCifs;
  if (network || kind == kFuse) {
    checks.push_back({"file system", network ? Finding::problem : Finding::note,
                      network ? "the home is on a network file system; SQLite's -wal needs shared memory"
                              : "the home is on FUSE; locks may not work there",
                      "put the home on a local disk: HONEYLINK_HOME"});
  }
  const std::uint64_t free_bytes = std::uint64_t{space.f_bavail} * space.f_frsize;
  const bool enough = free_bytes >= kSpaceWanted;
  checks.push_back(
      {"space", enough ? Finding::fine : Finding::note, format_bytes(free_bytes) + " free",
       enough ? "" : "below the caps of config.toml: make room, or lower [store] metrics_mb and traces_mb"});
}

void check_engine(const std::string& home, Checks& checks) {
  const EngineStatus engine = read_engine(home);
  const bool runs = engine.mode != "none";
  checks.push_back({"engine", runs ? Finding::fine : Finding::note,
                    runs ? engine.mode + ", pid " + std::to_string(engine.pid)
                         : "none runs: records wait in their rings, the oldest go first",
                    runs ? "" : "honeytel agent, or honeytel agent --install"});
}

void check_ring_directory(const std::string& home, Checks& checks) {
  for (const std::string& directory : ring::ring_directories(home)) {
    const std::string parent = directory.substr(0, directory.rfind('/', directory.rfind('/') - 1));
    if (!file_exists(directory) && ::access(parent.c_str(), W_OK) != 0) continue;
    struct statfs type {};
    const std::string existing = file_exists(directory) ? directory : parent;
    const bool memory = ::statfs(existing.c_str(), &type) == 0 && static_cast<unsigned>(type.f_type) == 0x01021994U;
    checks.push_back({"rings", memory ? Finding::fine : Finding::note, "in " + directory,
                      memory ? "" : "not in memory: recording may wait for the disk's write-back"});
    if (directory.starts_with("/run/user/")) {
      const passwd* user = ::getpwuid(::geteuid());
      const bool lingers = user != nullptr && file_exists(std::string("/var/lib/systemd/linger/") + user->pw_name);
      if (!lingers)
        checks.push_back({"log-out", Finding::note,
                          "empties " + directory + ": what no engine has stored by then is gone",
                          "loginctl enable-linger"});
    }
    return;
  }
  checks.push_back({"rings", Finding::problem, "no directory for rings can be written",
                    "programs record into their own memory only; check XDG_RUNTIME_DIR and /dev/shm"});
}

void check_database(const char* what, const std::string& path, Checks& checks) {
  if (!file_exists(path)) return;
  auto opened = open_database(path);
  if (!opened.ok())
    return checks.push_back(
        {what, Finding::problem, opened.problem().what + ": " + opened.problem().why, opened.problem().to_do});
  store::Statement check = opened.value().prepare("PRAGMA quick_check(1)");
  const bool sound = check && check.step() == SQLITE_ROW && check.text(0) == "ok";
  if (!sound)
    return checks.push_back({what, Finding::problem, path + " is damaged",
                             "the engine puts it aside at its next start and saves what it can: honeytel agent"});
  struct stat wal {};
  if (::stat((path + "-wal").c_str(), &wal) == 0 && static_cast<std::uint64_t>(wal.st_size) > kWalWorrying) {
    return checks.push_back({what, Finding::note,
                             "its -wal has grown to " + format_bytes(static_cast<std::uint64_t>(wal.st_size)),
                             "a reader keeps a transaction open: close sqlite3 shells on it"});
  }
  checks.push_back({what, Finding::fine, "sound", ""});
}

void check_quarantine(const std::string& directory, Checks& checks) {
  DIR* entries = ::opendir(directory.c_str());
  if (entries == nullptr) return;
  while (const dirent* entry = ::readdir(entries)) {
    const std::string name = entry->d_name;
    if (name.find(".corrupt-") != std::string::npos)
      checks.push_back({"damage", Finding::note, directory + "/" + name + " was put aside",
                        "look at it or delete it; recording goes on beside it"});
  }
  ::closedir(entries);
}

void check_keys(const std::string& home, Checks& checks) {
  struct stat info {};
  const std::string path = home + "/keys/pseudonym.key";
  if (::lstat(path.c_str(), &info) != 0) return;
  const bool is_private = (info.st_mode & 0077) == 0 && info.st_uid == ::geteuid();
  checks.push_back({"pseudonym key", is_private ? Finding::fine : Finding::problem, "mode " + octal(info.st_mode),
                    is_private ? "" : "others may undo the pseudonyms: chmod 600 " + path});
}

void check_ledger(const std::string& home, Checks& checks) {
  const auto balance = read_balance(home);
  if (!balance.ok()) return;
  const Balance& b = balance.value();
  const std::int64_t error = std::llabs(b.metrics.error()) + std::llabs(b.spans.error()) + std::llabs(b.logs.error());
  checks.push_back({"ledger", error == 0 ? Finding::fine : Finding::problem,
                    error == 0 ? "every record is accounted for" : "off by " + std::to_string(error) + " records",
                    error == 0 ? "" : "please report this with: honeytel status --json"});
}

void check_rings(const std::string& home, Checks& checks) {
  for (const RingStatus& ring : read_rings(home)) {
    if (!ring.why.empty())
      checks.push_back({"ring", Finding::problem, ring.path + ": " + ring.why, "no engine reads it; delete it"});
    for (const char* counter : {"too_many_threads", "memory_only", "ring_moved", "series_overflow"}) {
      const auto found = ring.counters.find(counter);
      if (found != ring.counters.end())
        checks.push_back({"pid " + std::to_string(ring.pid), Finding::note,
                          std::string(counter) + " " + format_count(found->second),
                          "docs/losses.md says what that costs"});
    }
  }
}

void check_clock(Checks& checks) {
  std::ifstream file("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  std::string name;
  if (!(file >> name)) return;
  const bool tsc = name == "tsc";
  checks.push_back({"clock", tsc ? Finding::fine : Finding::note, "the kernel's clock source is " + name,
                    tsc ? "" : "spans cost two to three times as much as with tsc"});
}

void check_levels(const std::string& home, Checks& checks) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  auto reader = SliReader::open(home, std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec);
  if (!reader.ok()) return;
  const auto slis = reader.value()->slis(false);
  if (!slis.ok()) return;
  std::size_t judged = 0, firing = 0;
  for (const SliView& sli : slis.value()) {
    judged += sli.no_data ? 0 : 1;
    firing += sli.level != Level::ok ? 1 : 0;
    for (const sli::Flaw& flaw : sli.flaws)
      checks.push_back({"service level", Finding::problem, flaw.key + ": " + flaw.what, flaw.suggestion});
  }
  checks.push_back({"service levels", firing == 0 ? Finding::fine : Finding::note,
                    std::to_string(judged) + " of " + std::to_string(slis.value().size()) + " have data, " +
                        std::to_string(firing) + " not OK",
                    firing == 0 ? "" : "honeytel sli shows which, honeytel alerts since when"});
}

}  // namespace

std::vector<Check> examine(const std::string& home) {
  Checks checks;
  if (check_home(home, checks)) {
    check_disk(home, checks);
    check_engine(home, checks);
    check_database("metrics.db", metrics_path(home), checks);
    check_database("traces.db", traces_path(home), checks);
    check_quarantine(home + "/metrics", checks);
    check_quarantine(logs_directory(home), checks);
    check_keys(home, checks);
    check_ledger(home, checks);
    check_levels(home, checks);
    check_rings(home, checks);
  }
  check_ring_directory(home, checks);
  check_clock(checks);
  return checks;
}

}  // namespace honeylink::telemetry::query
