// Thirteen months under an injected clock, and every stored point held against the data (F34, F36; I-8, I-10).
#include "cli_support.h"

namespace honeylink::telemetry::test {
namespace {

class CliHistory : public CliTest {};

TEST_F(CliHistory, ThirteenMonthsAreKeptInTheirTiersAndEveryPointIsRight) {
  const Said said = honeytel({"bench", "--history", "13mo", "--series", "40", "--json"});
  ASSERT_EQ(said.exit, 0) << said.err << said.out;
  const auto json = said.json();
  EXPECT_EQ(json["wrong"], 0) << json["first_wrong"];
  EXPECT_EQ(json["expired"], 0);
  EXPECT_GT(json["checked"], 5'000'000);
  EXPECT_LE(json["bytes_most"], json["cap_bytes"]);
#ifndef __SANITIZE_ADDRESS__  // its own bookkeeping is no part of the promise
  EXPECT_LE(json["rss_bytes"], 64'000'000);
#endif
  EXPECT_GT(json["tiers"][0]["days"], 7.0);
  EXPECT_LE(json["tiers"][0]["days"], 8.1);
  EXPECT_GT(json["tiers"][1]["days"], 82.0);
  EXPECT_LE(json["tiers"][1]["days"], 84.0);
  EXPECT_GT(json["tiers"][2]["days"], 300.0);
}

TEST_F(CliHistory, QuantilesStayWithinTheirBoundsInEveryTierAndAKeptHistoryCanBeAsked) {
  const std::string home = home_ + "/history";
  const Said said =
      honeytel({"bench", "--history", "105d", "--series", "2", "--histograms", "1", "--keep", home, "--json"});
  ASSERT_EQ(said.exit, 0) << said.err << said.out;
  const auto json = said.json();
  EXPECT_GT(json["quantiles"], 10'000);
  EXPECT_LE(json["tiers"][0]["quantile_error"], 0.022);
  for (const int tier : {1, 2}) EXPECT_LE(json["tiers"][tier]["quantile_error"], 0.044) << tier;
  const Said asked = honeytel({"metrics", "request_duration_seconds", "--since", "@1699488000", "--limit", "0",
                               "--quantile", "0.95", "--json", "--home", home});
  ASSERT_EQ(asked.exit, 0) << asked.err;
  const auto points = asked.json()["points"];
  EXPECT_GE(points.size(), 90U);
  EXPECT_EQ(points[0]["step_s"], 43'200);
  EXPECT_NE(asked.err.find("kept per 10s + 1m + 1h"), std::string::npos) << asked.err;
  const Said fine =
      honeytel({"metrics", "request_duration_seconds", "--since", "@1699488000", "--step", "1m", "--home", home});
  EXPECT_NE(fine.err.find("instead of"), std::string::npos) << fine.err;
}

}  // namespace
}  // namespace honeylink::telemetry::test
