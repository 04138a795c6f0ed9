// For tests: a home in which consent can be given without asking anybody.
#pragma once
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.h"
#include "consent/gate.h"
#include "consent/store.h"

namespace honeylink::telemetry::consent {

class TestHome {
 public:
  TestHome() {
    char name[] = "/tmp/honeylink_consent_XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ~TestHome() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestHome(const TestHome&) = delete;
  TestHome& operator=(const TestHome&) = delete;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  static Endpoint endpoint(const std::string& text) {
    std::string why;
    const auto parsed = parse_endpoint(text, why);
    EXPECT_TRUE(parsed) << text << ": " << why;
    return parsed.value_or(Endpoint{});
  }
  /// As `honeytel consent grant --yes`; the receipt's path.
  std::string grant(Grant grant, const Clock& clock = system_clock()) const {
    Receipt receipt;
    std::string why;
    EXPECT_TRUE(prepare_grant(path_, grant, clock, receipt, why)) << why;
    EXPECT_TRUE(write_grant(path_, receipt, clock, why)) << why;
    return consent_directory(path_) + "/" + receipt_name(grant.endpoint);
  }
  std::string grant(const std::string& to, std::vector<Signal> signals) const {
    return grant(Grant{.endpoint = endpoint(to), .signals = std::move(signals)});
  }
  bool revoke(const std::string& from, bool purge = false, const Clock& clock = system_clock()) const {
    std::string why;
    return revoke_receipt(path_, check_receipt(path_, endpoint(from), clock), purge, clock, why) == Revoked::done;
  }
  Permit permit(const std::string& to, Signal signal) const {
    Gate gate(path_, system_clock());
    Gate::Answer answer = gate.ask(endpoint(to), signal);
    EXPECT_TRUE(answer.permit) << answer.why;
    return std::move(answer.permit.value());
  }

 private:
  std::string path_;
};

}  // namespace honeylink::telemetry::consent
