// The receipts of a home as files (docs/formats/consent.md): reading with every check, granting, revoking. Called by
// the gate (gate.h) and by `honeytel consent`. Functions over files; any thread; writers hold consent/.lock.
//
// Fail closed: a receipt that cannot be read, or about which anything is odd, grants nothing and says why.
#pragma once
#include <sys/stat.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include "audit/entry.h"
#include "base/clock.h"
#include "consent/receipt.h"

namespace honeylink::telemetry::consent {

/// Which file it was, and whether it has been touched since.
struct FileIdentity {
  std::uint64_t device = 0, inode = 0, size = 0;
  std::int64_t modified_ns = 0, changed_ns = 0;
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};
[[nodiscard]] FileIdentity identity_of(const struct stat& info) noexcept;

enum class State : std::uint8_t { valid, none, expired, refused };
struct Checked {
  State state = State::none;
  Receipt receipt;  // of `refused` what could be read
  std::string path;
  FileIdentity identity;
  std::string ca_pem;  // the bytes of ca_file, which have the hash that was granted
  std::string why;     // of `refused`, one sentence
};

[[nodiscard]] std::string consent_directory(const std::string& home);
/// The receipt for this endpoint.
[[nodiscard]] Checked check_receipt(const std::string& home, const Endpoint& endpoint, const Clock& clock);
/// All of them by endpoint, the refused and expired too.
[[nodiscard]] std::vector<Checked> list_receipts(const std::string& home, const Clock& clock);

/// What is to be granted; the rest of the receipt is filled in here.
struct Grant {
  Endpoint endpoint;
  std::vector<Signal> signals;
  std::int64_t lasts_ns = 90 * kDayNs;
  std::string ca_file = {}, pin = {}, cert_file = {}, key_file = {};  // absolute paths
  std::int64_t from_unix_ns = -1;  // -1: as an earlier receipt says, else from now on
};
/// What granting would write, for the words that are shown before. False and `why` where it cannot be granted.
bool prepare_grant(const std::string& home, const Grant& grant, const Clock& clock, Receipt& receipt, std::string& why);
/// Writes it into the audit log, then signs and writes the receipt; makes the key where there is none. An earlier
/// receipt for the endpoint is replaced. What the audit log does not take is not granted.
bool write_grant(const std::string& home, Receipt& receipt, const Clock& clock, std::string& why);

/// Takes the receipt away, then writes that into the audit log; with `purge` also what would let a later grant go on
/// where this one ends. `none`: there was no such file.
enum class Revoked : std::uint8_t { done, done_but_not_recorded, none, failed };
Revoked revoke_receipt(const std::string& home, const Checked& receipt, bool purge, const Clock& clock,
                       std::string& why);
/// Puts an expired receipt aside, and says so in the audit log.
void retire_expired(const std::string& home, const Checked& receipt, const Clock& clock);
/// What the audit log says of a receipt.
[[nodiscard]] audit::Context describe(const Receipt& receipt);

}  // namespace honeylink::telemetry::consent
