// See gate.h.
#include "consent/gate.h"

#include <sys/stat.h>

#include <map>
#include <mutex>
#include <utility>

#include "audit/journal.h"
#include "consent/permit_shared.h"

namespace honeylink::telemetry::consent {
namespace {

constexpr std::int64_t kLockWaitMs = 500;

/// Each state of a file is written down once in this process, by whichever gate sees it first.
bool first_time(const Checked& checked) {
  static std::mutex mutex;
  static auto* const said = new std::map<std::string, FileIdentity>;  // never destroyed: gates may be asked at exit
  const std::lock_guard lock(mutex);
  const auto [at, fresh] = said->try_emplace(checked.path, checked.identity);
  return fresh || std::exchange(at->second, checked.identity) != checked.identity;
}

}  // namespace

bool Permit::valid() const noexcept {
  const Shared& s = *shared_;
  if (s.clock->realtime_ns() >= s.receipt.expires_unix_ns || s.clock->boottime_ns() >= s.boottime_end_ns) return false;
  struct stat info {};
  return ::lstat(s.path.c_str(), &info) == 0 && identity_of(info) == s.identity;
}

const Endpoint& Permit::endpoint() const noexcept { return shared_->receipt.endpoint; }
std::int64_t Permit::from_unix_ns() const noexcept {
  return shared_->receipt.from_unix_ns[static_cast<std::size_t>(signal_)];
}
std::int64_t Permit::expires_unix_ns() const noexcept { return shared_->receipt.expires_unix_ns; }
const std::string& Permit::ca_pem() const noexcept { return shared_->ca_pem; }
const std::string& Permit::pin() const noexcept { return shared_->receipt.pin; }
const std::string& Permit::cert_file() const noexcept { return shared_->receipt.cert_file; }
const std::string& Permit::key_file() const noexcept { return shared_->receipt.key_file; }

Gate::Gate(std::string home, const Clock& clock) : home_(std::move(home)), clock_(clock) {}

void Gate::write_down(const Checked& checked) const {
  if (!first_time(checked)) return;
  if (checked.state == State::expired) return retire_expired(home_, checked, clock_);
  audit::Context context{{"file", checked.path}, {"why", checked.why}};
  if (!checked.receipt.endpoint.host.empty()) context.emplace_back("endpoint", checked.receipt.endpoint.text());
  std::string ignored;  // refused it is all the same
  (void)audit::Journal(home_, clock_, kLockWaitMs)
      .append("consent.refused", std::move(context), audit::Result::refused, ignored);
}

void Gate::look_at_all() const {
  for (const Checked& checked : list_receipts(home_, clock_))
    if (checked.state == State::expired || checked.state == State::refused) write_down(checked);
}

Gate::Answer Gate::ask(const Endpoint& endpoint, Signal signal) const {
  Checked checked = check_receipt(home_, endpoint, clock_);
  switch (checked.state) {
    case State::none:
      return {std::nullopt, Refusal::no_receipt, "there is no consent for " + endpoint.text()};
    case State::expired:
      write_down(checked);
      return {std::nullopt, Refusal::expired, "the consent for " + endpoint.text() + " is over"};
    case State::refused:
      write_down(checked);
      return {std::nullopt, Refusal::refused, "the receipt for " + endpoint.text() + " does not count: " + checked.why};
    case State::valid:
      break;
  }
  if (!checked.receipt.grants(signal))
    return {std::nullopt, Refusal::not_this_signal,
            "the consent for " + endpoint.text() + " is not for " + std::string(name_of(signal))};
  auto shared = std::make_shared<Permit::Shared>();
  shared->clock = &clock_;
  shared->home = home_;
  shared->boottime_end_ns = clock_.boottime_ns() + (checked.receipt.expires_unix_ns - clock_.realtime_ns());
  shared->receipt = std::move(checked.receipt);
  shared->path = std::move(checked.path), shared->ca_pem = std::move(checked.ca_pem);
  shared->identity = checked.identity;
  return {Permit(std::move(shared), signal), Refusal::none, {}};
}

}  // namespace honeylink::telemetry::consent
