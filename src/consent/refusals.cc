// Peers that were refused for their TLS: remembered by receipt for all senders of this process, said once in the audit
// log. Part of Permit (gate.h).
#include <map>
#include <mutex>
#include <utility>

#include "audit/journal.h"
#include "consent/permit_shared.h"

namespace honeylink::telemetry::consent {
namespace {

constexpr std::int64_t kLockWaitMs = 500;

struct Remembered {
  FileIdentity identity;
  PeerRefusal last;
  std::int64_t until_ns = 0;  // on the clock that nobody sets
};

struct Memory {
  std::mutex mutex;
  std::map<std::string, Remembered> by_receipt;
};

Memory& memory() {
  static auto* const all = new Memory;  // never destroyed: a thread may be sending while the program ends
  return *all;
}

}  // namespace

std::optional<PeerRefusal> Permit::refused_lately() const {
  const Shared& s = *shared_;
  Memory& all = memory();
  const std::lock_guard lock(all.mutex);
  const auto at = all.by_receipt.find(s.path);
  if (at == all.by_receipt.end() || at->second.identity != s.identity || s.clock->boottime_ns() >= at->second.until_ns)
    return std::nullopt;
  return at->second.last;
}

void Permit::peer_was_refused(const PeerRefusal& refusal) const {
  const Shared& s = *shared_;
  {
    Memory& all = memory();
    const std::lock_guard lock(all.mutex);
    const auto [at, fresh] = all.by_receipt.try_emplace(s.path);
    Remembered& its = at->second;
    const bool known = !fresh && its.identity == s.identity && its.last.code == refusal.code;
    its = {s.identity, refusal, s.clock->boottime_ns() + kRefusedPeerRestNs};
    if (known) return;
  }
  std::string ignored;  // it was refused all the same
  (void)audit::Journal(s.home, *s.clock, kLockWaitMs)
      .append("peer.refused",
              {{"endpoint", s.receipt.endpoint.text()}, {"failure", refusal.name}, {"why", refusal.said}},
              audit::Result::refused, ignored);
}

void Permit::peer_was_reached() const {
  Memory& all = memory();
  const std::lock_guard lock(all.mutex);
  all.by_receipt.erase(shared_->path);
}

}  // namespace honeylink::telemetry::consent
