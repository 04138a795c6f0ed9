// What a person may write into config.toml, and what is said when it is wrong.
#include "config/config.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "config/suggest.h"

namespace honeylink::telemetry::config {
namespace {

Loaded parse(std::string_view text) { return parse_config(text, "config.toml", default_config()); }
std::string only_problem(std::string_view text) {
  const Loaded loaded = parse(text);
  EXPECT_EQ(loaded.problems.size(), 1U);
  return loaded.problems.empty() ? std::string{} : loaded.problems.front().text();
}

TEST(Config, EmptyFileIsTheDefaults) {
  const Loaded loaded = parse("");
  EXPECT_TRUE(loaded.sound());
  EXPECT_EQ(loaded.config.telemetry.environment, "production");
  EXPECT_EQ(loaded.config.telemetry.sampler_arg, 0.1);
  EXPECT_EQ(loaded.config.store.metrics_mb, 500);
  EXPECT_EQ(loaded.config.slis.size(), 5U);
  EXPECT_EQ(loaded.config.slis[0].orange, 0.5);
  EXPECT_EQ(loaded.config.scrub.ids.size(), 3U);
}

TEST(Config, EveryKeyCanBeWrittenAsShownAndReadBack) {
  std::string text, section;
  for (const auto& key : list_keys(default_config())) {
    if (key.section != section) text += "[" + (section = key.section) + "]\n";
    if ((key.key == "of" || key.key == "ratio") && (key.value == "\"\"" || key.value == "[]")) continue;
    text += key.key + " = " + key.value + "\n";
  }
  const Loaded loaded = parse(text);
  for (const auto& problem : loaded.problems) ADD_FAILURE() << problem.text();
  const auto shown = list_keys(loaded.config), usual = list_keys(default_config());
  ASSERT_EQ(shown.size(), usual.size());
  for (std::size_t i = 0; i < shown.size(); ++i) {
    EXPECT_EQ(shown[i].value, usual[i].value) << shown[i].key;
    EXPECT_TRUE(shown[i].is_default) << shown[i].key;
  }
}

TEST(Config, UnknownKeyIsNamedByLineWithASuggestion) {
  EXPECT_EQ(only_problem("[store]\n\nmetric_mb = 3\n"),
            "config.toml:3:1: store.metric_mb: unknown key; did you mean store.metrics_mb?");
}
TEST(Config, UnknownSectionIsNamedWithASuggestion) {
  EXPECT_EQ(only_problem("[stores]\nmetrics_mb = 3\n"),
            "config.toml:1:2: stores: unknown section; did you mean store?");
}
TEST(Config, KeyInTheWrongSectionIsSentToItsOwn) {
  EXPECT_NE(only_problem("[alert]\nmetrics_mb = 3\n").find("did you mean store.metrics_mb?"), std::string::npos);
}
TEST(Config, WrongTypeIsNamedAndTheDefaultStays) {
  const Loaded loaded = parse("[store]\nmetrics_mb = \"much\"\n");
  ASSERT_EQ(loaded.problems.size(), 1U);
  EXPECT_EQ(loaded.problems[0].text(), "config.toml:2:14: store.metrics_mb: must be a whole number, is a string");
  EXPECT_EQ(loaded.config.store.metrics_mb, 500);
}
TEST(Config, WrongValueKeepsTheLastGoodOne) {
  Config last = default_config();
  last.store.metrics_mb = 77;
  last.slis[0].evaluation_window_s = 600;
  const Loaded loaded = parse_config(
      "[store]\nmetrics_mb = -1\n[sli.session_establishment_latency_p95]\nevaluation_window = 7\n", "f", last);
  EXPECT_EQ(loaded.problems.size(), 2U);
  EXPECT_EQ(loaded.config.store.metrics_mb, 77);
  EXPECT_EQ(loaded.config.slis[0].evaluation_window_s, 600);
}
TEST(Config, SyntaxErrorKeepsAllOfTheLastGoodValues) {
  Config last = default_config();
  last.view.port = 4242;
  const Loaded loaded = parse_config("[view]\nport = = 3\n", "f", last);
  ASSERT_EQ(loaded.problems.size(), 1U);
  EXPECT_EQ(loaded.problems[0].line, 2U);
  EXPECT_EQ(loaded.config.view.port, 4242);
}
TEST(Config, OutOfRangeIsSaidWithTheRange) {
  EXPECT_NE(only_problem("[telemetry]\nsampler_arg = 1.5\n").find("at least 0, at most 1"), std::string::npos);
}
TEST(Config, RealsThatAreNoNumbersAreRefused) {
  EXPECT_FALSE(only_problem("[telemetry]\nsampler_arg = nan\n").empty());
  EXPECT_FALSE(only_problem("[sli.packet_loss_rate]\nred = inf\n").empty());
}
TEST(Config, WordOutsideItsListIsRefusedWithTheNearest) {
  EXPECT_NE(only_problem("[telemetry]\nsampler = \"alway_on\"\n").find("did you mean \"always_on\"?"),
            std::string::npos);
}
TEST(Config, ArrayOfMixedTypesIsRefused) {
  EXPECT_NE(only_problem("[scrub]\nids = [\"a\", 3]\n").find("must be an array of strings, holds a whole number"),
            std::string::npos);
}
TEST(Config, SectionChangesABuiltInLevelAndAddsNewOnes) {
  const Loaded loaded = parse(
      "[sli.packet_loss_rate]\nred = 0.5\n[sli.mine]\nof = \"x_seconds\"\nquantile = 0.99\nyellow = 1\norange = 2\nred "
      "= 3\nobjective = 2\n");
  EXPECT_TRUE(loaded.sound());
  ASSERT_EQ(loaded.config.slis.size(), 6U);
  EXPECT_EQ(loaded.config.slis[3].red, 0.5);
  EXPECT_EQ(loaded.config.slis[3].yellow, 0.05);
  EXPECT_EQ(loaded.config.slis[5].of, "x_seconds");
}
TEST(Config, LevelWithoutAMetricOrWithFallingThresholdsIsLeftOut) {
  EXPECT_EQ(parse("[sli.mine]\nred = 3\n").config.slis.size(), 5U);
  EXPECT_EQ(parse("[sli.mine]\nof = \"x\"\nyellow = 3\norange = 2\nred = 3\n").problems.size(), 1U);
}
TEST(Config, HostileFilesAreProblemsAndNeverMore) {
  for (const char* text :
       {"\xff\xfe", "[[[[", "a", "[store", "[store]\n[store]\n", "sli = 3", "[sli]\nx = 3", "telemetry = [1]",
        "[telemetry]\nenvironment = 1979-05-27", "[store]\nmetrics_mb = 99999999999999999999999"})
    EXPECT_FALSE(parse(text).sound()) << text;
}
TEST(Config, MissingFileIsSoundAndADirectoryInItsPlaceIsAProblem) {
  char name[] = "/tmp/hl_config_XXXXXX";
  const std::string home = mkdtemp(name);
  EXPECT_TRUE(load_config(home, default_config()).sound());
  ASSERT_EQ(mkdir((home + "/config.toml").c_str(), 0700), 0);
  Config last = default_config();
  last.view.port = 4242;
  const Loaded loaded = load_config(home, last);
  EXPECT_FALSE(loaded.sound());
  EXPECT_EQ(loaded.config.view.port, 4242);
  ASSERT_EQ(rmdir((home + "/config.toml").c_str()), 0);
  std::ofstream(home + "/config.toml") << "[view]\nport = 7\n";
  EXPECT_EQ(load_config(home, default_config()).config.view.port, 7);
  unlink((home + "/config.toml").c_str());
  rmdir(home.c_str());
}
TEST(Config, DurationsAreExact) {
  EXPECT_EQ(parse_duration_s("5m"), 300);
  EXPECT_EQ(parse_duration_s("90s"), 90);
  EXPECT_EQ(parse_duration_s("2d"), 172800);
  EXPECT_EQ(parse_duration_s("1500ms"), 2);
  for (const char* bad : {"", "m", "5", "5 m", "-5m", "5mm", "99999999999999999999s"})
    EXPECT_EQ(parse_duration_s(bad), std::nullopt) << bad;
}
TEST(Suggest, NearWordsAreFoundAndFarOnesAreNot) {
  constexpr std::string_view kWords[] = {"status", "traces", "metrics"};
  EXPECT_EQ(nearest("stauts", kWords), "status");
  EXPECT_EQ(nearest("trace", kWords), "traces");
  EXPECT_EQ(nearest("xyz", kWords), "");
  EXPECT_EQ(edit_distance("ab", "ba"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

}  // namespace
}  // namespace honeylink::telemetry::config
