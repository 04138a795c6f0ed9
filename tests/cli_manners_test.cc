// How honeytel behaves, whatever it shows: help, mistakes, exit codes, formats, colours.
#include <sys/stat.h>
#include <fstream>
#include <regex>

#include "cli/command.h"
#include "cli_support.h"

namespace honeylink::telemetry::test {
namespace {

class CliManners : public CliTest {};

TEST_F(CliManners, AloneItExplainsItselfInFiveLines) {
  const Said said = honeytel({});
  EXPECT_EQ(said.exit, 0);
  EXPECT_EQ(std::count(said.out.begin(), said.out.end(), '\n'), 5);
  EXPECT_NE(said.out.find("honeytel demo"), std::string::npos);
}

TEST_F(CliManners, EveryCommandHasHelpWithAnExampleAndTheExitCodes) {
  for (const cli::Command* command : cli::all_commands()) {
    if (command->hidden) continue;
    const Said said = honeytel({std::string(command->name), "--help"});
    EXPECT_EQ(said.exit, 0) << command->name;
    EXPECT_NE(said.out.find("\nExample\n  honeytel " + std::string(command->name)), std::string::npos) << said.out;
    EXPECT_NE(said.out.find("6 not found"), std::string::npos) << command->name;
    EXPECT_EQ(said.out.find('\x1b'), std::string::npos) << command->name;
    EXPECT_TRUE(said.err.empty()) << said.err;
  }
}

TEST_F(CliManners, HelpNamesEveryCommand) {
  const Said said = honeytel({"--help"});
  for (const cli::Command* command : cli::all_commands()) {
    EXPECT_EQ(said.out.find("  " + std::string(command->name) + " ") != std::string::npos, !command->hidden)
        << command->name;
  }
}

TEST_F(CliManners, AMistypedCommandIsGuessed) {
  const Said said = honeytel({"traecs"});
  EXPECT_EQ(said.exit, 2);
  EXPECT_NE(said.err.find("unknown command 'traecs': did you mean 'traces'?"), std::string::npos) << said.err;
  EXPECT_TRUE(said.out.empty());
}

TEST_F(CliManners, AMistypedOptionIsGuessed) {
  const Said said = honeytel({"traces", "--sicne", "1h"});
  EXPECT_EQ(said.exit, 2);
  EXPECT_NE(said.err.find("did you mean '--since'?"), std::string::npos) << said.err;
}

TEST_F(CliManners, NonsenseIsRefusedInThreeShortLines) {
  const std::vector<std::vector<std::string>> wrong{{"traces", "--limit", "many"},
                                                    {"traces", "--since", "yesterday"},
                                                    {"traces", "zz"},
                                                    {"traces", "--format", "yaml"},
                                                    {"metrics", "--quantile", "95"},
                                                    {"metrics", "--since", "1m", "--until", "1h"},
                                                    {"metrics", "--step", "1s"},
                                                    {"metrics", "--label", "x"},
                                                    {"logs", "--grep", "(("},
                                                    {"logs", "--level", "loud"},
                                                    {"logs", "-f", "--json"},
                                                    {"record", "meter", "x"},
                                                    {"record", "gauge", "9x", "1"},
                                                    {"record", "counter", "x", "-1"},
                                                    {"record", "gauge", "x"},
                                                    {"config", "delete"},
                                                    {"completion", "tcsh"},
                                                    {"health", "--max-loss", "2"},
                                                    {"forget"},
                                                    {"forget", "--all", "--before", "1d"},
                                                    {"bench", "--mix", "metrics=1"},
                                                    {"bench", "--rate", "fast"},
                                                    {"demo", "--scenario", "stormy"},
                                                    {"run"},
                                                    {"status", "extra"},
                                                    {"agent", "--install", "--uninstall"},
                                                    {"sql"},
                                                    {"last-words", "me"},
                                                    {"traces", "--limit"}};
  for (const auto& words : wrong) {
    const Said said = honeytel(words);
    EXPECT_EQ(said.exit, 2) << words[0] << " " << (words.size() > 1 ? words[1] : "") << "\n" << said.out << said.err;
    EXPECT_TRUE(said.out.empty()) << said.out;
    EXPECT_TRUE(said.err.starts_with("honeytel: ")) << said.err;
    EXPECT_LE(std::count(said.err.begin(), said.err.end(), '\n'), 3) << said.err;
  }
}

TEST_F(CliManners, AHostileArgumentIsNotPrintedRaw) {
  const Said said = honeytel({"tra\x1b[2J\nces"});
  EXPECT_EQ(said.exit, 2);
  EXPECT_EQ(said.err.find('\x1b'), std::string::npos);
}

TEST_F(CliManners, OptionsMayStandBeforeTheCommand) {
  const Said said = honeytel({"--home", home_ + "/other", "config", "path"});
  EXPECT_EQ(said.out, home_ + "/other/config.toml\n");
}

TEST_F(CliManners, ColoursOnlyWhereAskedFor) {
  EXPECT_EQ(honeytel({"config", "show"}).out.find('\x1b'), std::string::npos);
  EXPECT_NE(honeytel({"config", "show", "--color", "always"}).out.find('\x1b'), std::string::npos);
  EXPECT_NE(honeytel({"config", "show"}, {"CLICOLOR_FORCE=1"}).out.find('\x1b'), std::string::npos);
}

TEST_F(CliManners, CompletionIsSoundShell) {
  const Said said = honeytel({"completion", "bash"});
  const std::string path = home_ + "/completion.bash";
  std::ofstream(path) << said.out;
  EXPECT_EQ(std::system(("bash -n " + path).c_str()), 0);
  for (const cli::Command* command : cli::all_commands()) {
    if (!command->hidden) {
      EXPECT_NE(said.out.find("    " + std::string(command->name) + ") words=\"--"), std::string::npos)
          << command->name;
    }
  }
  EXPECT_NE(honeytel({"completion", "zsh"}).out.find("#compdef honeytel"), std::string::npos);
  EXPECT_NE(honeytel({"completion", "fish"}).out.find("complete -c honeytel"), std::string::npos);
}

TEST_F(CliManners, AWrongConfigIsNamedByLineWithASuggestion) {
  std::ofstream(home_ + "/config.toml") << "[store]\nmetrics_mbb = 5\n";
  const Said said = honeytel({"config", "check"});
  EXPECT_EQ(said.exit, 2);
  EXPECT_NE(said.err.find("config.toml:2"), std::string::npos) << said.err;
  EXPECT_NE(said.err.find("metrics_mb"), std::string::npos) << said.err;
}

TEST_F(CliManners, AnEmptyHomeIsNoErrorAndSaysHowToGetSomething) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"traces"}, {"logs"}, {"last-words"}}) {
    const Said said = honeytel(words);
    EXPECT_EQ(said.exit, 0) << words[0] << said.err;
    EXPECT_FALSE(said.err.empty()) << words[0];
  }
  EXPECT_EQ(honeytel({"metrics"}).exit, 6);
  EXPECT_EQ(honeytel({"status"}).exit, 0);
  EXPECT_EQ(honeytel({"status", "--home", home_ + "/none"}).exit, 3);
}

TEST_F(CliManners, DoctorFindsAnOpenHome) {
  ASSERT_EQ(::chmod(home_.c_str(), 0755), 0);
  const Said said = honeytel({"doctor", "--json"});
  EXPECT_EQ(said.exit, 1) << said.out;
  bool found = false;
  const auto json = said.json();
  for (const auto& check : json["checks"])
    found =
        found || (check["check"] == "home" && check["finding"] == "problem" && check["to_do"] == "chmod 700 " + home_);
  EXPECT_TRUE(found) << said.out;
  ASSERT_EQ(::chmod(home_.c_str(), 0700), 0);
  EXPECT_EQ(honeytel({"doctor"}).exit, 0);
}

TEST_F(CliManners, WithoutAnyHomeItSaysSo) {
  const Said said = honeytel({"status", "--home", "/dev/null/x"});
  EXPECT_EQ(said.exit, 3);
}

}  // namespace
}  // namespace honeylink::telemetry::test
