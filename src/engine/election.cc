// See election.h.
#include "engine/election.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/killpoint.h"

namespace honeylink::telemetry::engine {
namespace {

// An agent that waits touches its file every 500 ms; one that died does not hold others back for longer than this.
constexpr std::int64_t kWantedFreshNs = 3'000'000'000;

void touch(const std::string& path) {
  std::string why;
  const Fd file = open_file(path, O_RDWR | O_CREAT, 0600, why);
  if (file) ::futimens(file.get(), nullptr);
}

}  // namespace

Election::~Election() { resign(); }

bool Election::try_lead(std::string& why) {
  if (leads()) return true;
  why.clear();
  if (!make_private_directory(home_, why) || !make_private_directory(home_ + "/run", why)) return false;
  if (mode_ == Mode::embedded && agent_waits()) return false;
  lock_ = lock_for_process_life(AT_FDCWD, file("engine.lock"));
  if (lock_ == nullptr) {
    if (mode_ == Mode::agent) touch(file("agent.wanted"));
    return false;
  }
  killpoint("engine.after_lock");
  if (mode_ == Mode::agent) ::unlink(file("agent.wanted").c_str());
  return true;
}

bool Election::write_state(std::uint64_t epoch, std::string& why) const {
  const std::string json = "{\"pid\":" + std::to_string(::getpid()) + ",\"mode\":\"" +
                           (mode_ == Mode::agent ? "agent" : "embedded") + "\",\"epoch\":" + std::to_string(epoch) +
                           ",\"started_unix_nano\":\"" + std::to_string(clock_.realtime_ns()) + "\"}\n";
  return replace_file(file("state.json"), json, 0600, why);
}

void Election::resign() {
  if (lock_ == nullptr) return;
  ::unlink(file("state.json").c_str());
  release_process_lock(lock_);
  lock_ = nullptr;
}

bool Election::agent_waits() const {
  struct stat info {};
  if (mode_ != Mode::embedded || ::lstat(file("agent.wanted").c_str(), &info) != 0) return false;
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const std::int64_t age =
      (std::int64_t{now.tv_sec} - info.st_mtim.tv_sec) * 1'000'000'000 + (now.tv_nsec - info.st_mtim.tv_nsec);
  return age >= -kWantedFreshNs && age < kWantedFreshNs;
}

}  // namespace honeylink::telemetry::engine
