// See store.h: granting and taking back. Under consent/.lock, so that a grant and a revoke do not cross.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "audit/journal.h"
#include "base/file.h"
#include "base/text.h"
#include "base/utc.h"
#include "consent/own_key.h"
#include "consent/store.h"

namespace honeylink::telemetry::consent {
namespace {

constexpr std::int64_t kLockWaitMs = 3'000, kRevokeWaitMs = 300;
constexpr std::size_t kFileBytesMax = 4 << 20, kNonceBytes = 16;

std::string sibling(const std::string& receipt_path, std::string_view suffix) {
  return receipt_path.substr(0, receipt_path.size() - std::string_view(".receipt").size()).append(suffix);
}

Fd lock(const std::string& home, std::int64_t wait_ms, std::string& why) {
  if (!make_private_directory(home, why) || !make_private_directory(consent_directory(home), why)) return {};
  Fd file = open_file(consent_directory(home) + "/.lock", O_RDWR | O_CREAT, 0600, why);
  if (file && !lock_within(file.get(), wait_ms))
    return why = "another command is changing the consents of " + home, Fd();
  return file;
}

bool read_any(const std::string& path, std::string& to, std::string& why) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0) return why = "cannot read " + path + ": " + std::strerror(errno), false;
  if (!S_ISREG(info.st_mode) || static_cast<std::size_t>(info.st_size) > kFileBytesMax)
    return why = path + " is no file of certificates", false;
  to.resize(static_cast<std::size_t>(info.st_size));
  if (!read_exactly(file.get(), to.data(), to.size(), 0)) return why = "cannot read " + path, false;
  return true;
}

bool check_certificates(const Grant& grant, Receipt& receipt, std::string& why) {
  std::string content;
  if (!grant.endpoint.tls() && !(grant.ca_file + grant.pin + grant.cert_file + grant.key_file).empty())
    return why = "certificates and pins are of https:// and h3:// endpoints only", false;
  for (const std::string* file : {&grant.ca_file, &grant.cert_file, &grant.key_file})
    if (!file->empty() && (file->front() != '/' || !is_utf8(*file)))
      return why = "'" + *file + "' is no absolute path", false;
  if (!grant.ca_file.empty()) {
    if (!read_any(grant.ca_file, content, why)) return false;
    if (content.find("-----BEGIN CERTIFICATE-----") == std::string::npos)
      return why = grant.ca_file + " holds no certificate (PEM)", false;
    receipt.ca_sha256 = hex(audit::sha256(content));
  }
  if (!grant.pin.empty() && !is_pin(grant.pin))
    return why = "a pin is sha256// and 44 characters of base64: the hash of the endpoint's public key", false;
  if (grant.cert_file.empty() != grant.key_file.empty())
    return why =
               "a certificate needs its key, and a key its "
               "certificate",
           false;
  if (!grant.cert_file.empty() && (!own_key_is_private(grant.key_file, why) ||
                                   !read_any(grant.cert_file, content, why) || !read_any(grant.key_file, content, why)))
    return false;
  audit::wipe(content);
  receipt.ca_file = grant.ca_file, receipt.pin = grant.pin;
  receipt.cert_file = grant.cert_file, receipt.key_file = grant.key_file;
  return true;
}

/// From when on an earlier receipt for this endpoint, in force or taken back, let recorded data go.
std::array<std::int64_t, kSignals> earlier_moments(const std::string& home, const Endpoint& endpoint) {
  std::array<std::int64_t, kSignals> moments{-1, -1, -1, -1};
  audit::PublicKey install{};
  std::string why, bytes;
  if (audit::read_consent_public_key(home, install, why) != audit::KeyState::ready) return moments;
  const std::string path = consent_directory(home) + "/" + receipt_name(endpoint);
  for (const std::string& file : {path, sibling(path, ".revoked"), sibling(path, ".expired")}) {
    Receipt receipt;
    if (!read_whole(file, kReceiptBytesMax, bytes, why) || !read_receipt(bytes, install, receipt, why) ||
        receipt.endpoint != endpoint)
      continue;
    for (std::size_t i = 0; i < kSignals; ++i)
      if (moments[i] < 0) moments[i] = receipt.from_unix_ns[i];
  }
  return moments;
}

}  // namespace

bool prepare_grant(const std::string& home, const Grant& grant, const Clock& clock, Receipt& receipt,
                   std::string& why) {
  receipt = Receipt{};
  receipt.endpoint = grant.endpoint;
  receipt.uid = ::geteuid();
  receipt.granted_unix_ns = clock.realtime_ns();
  if (grant.signals.empty()) return why = "no signal is named: metrics, traces, logs, alerts", false;
  if (grant.lasts_ns <= 0 || grant.lasts_ns > kGrantNsMax)
    return why = "consent lasts a year at most, and more than no time", false;
  receipt.expires_unix_ns = receipt.granted_unix_ns + grant.lasts_ns;
  if (!check_certificates(grant, receipt, why)) return false;
  const auto earlier = earlier_moments(home, grant.endpoint);
  for (const Signal signal : grant.signals) {
    const auto i = static_cast<std::size_t>(signal);
    receipt.from_unix_ns[i] = grant.from_unix_ns >= 0 ? grant.from_unix_ns
                              : earlier[i] >= 0       ? earlier[i]
                                                      : receipt.granted_unix_ns;
  }
  return true;
}

audit::Context describe(const Receipt& r) {
  audit::Context context{{"endpoint", r.endpoint.text()},
                         {"signals", r.signals_text()},
                         {"expires", format_utc(r.expires_unix_ns)},
                         {"nonce", r.nonce}};
  if (!r.ca_file.empty()) context.emplace_back("ca", r.ca_file + " " + r.ca_sha256);
  if (!r.pin.empty()) context.emplace_back("pin", r.pin);
  if (!r.cert_file.empty()) context.emplace_back("certificate", r.cert_file);
  return context;
}

bool write_grant(const std::string& home, Receipt& receipt, const Clock& clock, std::string& why) {
  const Fd held = lock(home, kLockWaitMs, why);
  if (!held) return false;
  bool made_key = false;
  const auto key = audit::open_consent_key(home, made_key, why);
  if (key == nullptr) return false;
  const audit::Journal journal(home, clock);
  if (made_key &&
      !journal.append("key.created", {{"key", "consent"}, {"public", hex(key->public_key())}}, audit::Result::ok, why))
    return false;
  std::array<std::uint8_t, kNonceBytes> nonce{};
  audit::fill_random(nonce.data(), nonce.size());
  receipt.nonce = hex(nonce);
  receipt.install = key->public_key();
  // First the log, then the receipt: what is in force is always written down.
  if (!journal.append("consent.grant", describe(receipt), audit::Result::ok, why)) return false;
  const std::string path = consent_directory(home) + "/" + receipt_name(receipt.endpoint);
  if (!replace_file(path, write_receipt(receipt, *key), 0600, why)) {
    std::string ignored;
    (void)journal.append("consent.grant", {{"nonce", receipt.nonce}, {"why", why}}, audit::Result::failed, ignored);
    return false;
  }
  ::unlink(sibling(path, ".revoked").c_str());
  ::unlink(sibling(path, ".expired").c_str());
  return true;
}

Revoked revoke_receipt(const std::string& home, const Checked& receipt, bool purge, const Clock& clock,
                       std::string& why) {
  why.clear();
  // A lock that cannot be had (no room, no permission, a slow grant) does not keep consent alive.
  std::string ignored;
  const Fd held = lock(home, kRevokeWaitMs, ignored);
  const std::string kept = sibling(receipt.path, ".revoked");
  // A refused receipt is no base for a later one.
  const bool keep = !purge && receipt.state == State::valid;
  if (purge) ::unlink(kept.c_str()), ::unlink(sibling(receipt.path, ".expired").c_str());
  const bool gone = (keep && ::rename(receipt.path.c_str(), kept.c_str()) == 0) || ::unlink(receipt.path.c_str()) == 0;
  if (!gone && errno == ENOENT) return Revoked::none;
  if (!gone) return why = "cannot remove " + receipt.path + ": " + std::strerror(errno), Revoked::failed;
  audit::Context context = describe(receipt.receipt);
  context.emplace_back("purge", purge ? "yes" : "no");
  const bool recorded =
      audit::Journal(home, clock).append("consent.revoke", std::move(context), audit::Result::ok, why);
  return recorded ? Revoked::done : Revoked::done_but_not_recorded;
}

void retire_expired(const std::string& home, const Checked& receipt, const Clock& clock) {
  if (receipt.state != State::expired) return;
  std::string ignored;
  (void)audit::Journal(home, clock).append("consent.expired", describe(receipt.receipt), audit::Result::ok, ignored);
  (void)::rename(receipt.path.c_str(), sibling(receipt.path, ".expired").c_str());
}

}  // namespace honeylink::telemetry::consent
