// DESIGN 9, case by case: what is over a threshold how often, when a level is reached, when it is left, and what
// clocks, gaps and restarts have to do with it (F52: nothing).
#include <gtest/gtest.h>

#include "sli/test_script.h"

namespace honeylink::telemetry::sli {
namespace {

struct Case {
  const char* name;
  const char* script;  // Yellow over 50, Orange over 100, Red over 200 lost per thousand
  const char* levels;  // after each evaluation
  const char* told;
};

constexpr Case kCases[] = {
    {"ThreeOverYellowAreYellow", "60 60 60", "ooY", "Y"},
    {"TwoOverAreNone", "60 60 40 60 60 40", "oooooo", ""},
    {"AtTheThresholdIsNotOver", "50 50 50 50", "oooo", ""},
    {"JustOverIs", "50.1 50.1 50.1", "ooY", "Y"},
    {"OneOverRedIsRed", "201", "R", "R"},
    {"AtRedIsNotRed", "200 200 200", "ooO", "O"},
    {"ThreeOverOrangeAreOrangeAtOnce", "150 150 150", "ooO", "O"},
    {"OrangeBreachesCountTowardsYellow", "60 150 60", "ooY", "Y"},
    {"ARedOneCountsTowardsAll", "300 150 150", "RRR", "R"},
    {"ABreachBetweenGoodOnesBeginsAnew", "60 60 10 60 60 60", "oooooY", "Y"},
    {"NoDataNeitherBreachesNorBreaksARun", "60 - 60 - - 60", "oooooY", "Y"},
    {"NoDataClearsNothing", "60 60 60 - - - - -", "ooYYYYYY", "Y"},
    {"TooFewSamplesAreNoDataForRedToo", "few few few few", "oooo", ""},
    {"TooFewSamplesNeitherBreakARunNorClear", "60 few 60 few 60 few few few", "ooooYYYY", "Y"},
    {"StayingTellsNobodyAgain", "60 60 60 60 70 80 90", "ooYYYYY", "Y"},
    {"GoingUpTellsAgain", "60 60 60 150 150 150 250", "ooYYYOR", "YcOcR"},
    {"ThreeAtOrBelowClear", "60 60 60 50 50 50", "ooYYYo", "Yc"},
    {"TwoBelowDoNotClear", "60 60 60 10 10 60 10 10 60", "ooYYYYYYY", "Y"},
    {"NoDataBetweenGoodOnesDoesNotHinderClearing", "60 60 60 10 - 10 - 10", "ooYYYYYo", "Yc"},
    {"ClearedAndReachedAgainIsAnotherAlert", "60 60 60 10 10 10 60 60 60", "ooYYYoooY", "YcY"},
    {"OrangeFallsToYellow", "150 150 150 60 60 60", "ooOOOY", "OcY"},
    {"OrangeFallsToOk", "150 150 150 10 10 10", "ooOOOo", "Oc"},
    {"RedFallsToOrangeThatIsHeld", "250 150 150 150", "RRRO", "RcO"},
    {"RedFallsToOkWhereNothingElseIsHeld", "250 10 10 10", "RRRo", "Rc"},
    {"RedFallsLevelByLevel", "250 150 150 60 60 60 10 10 10", "RRROOYYYo", "RcOcYc"},
    {"RedFallsToYellowPastAnOrangeThatWasNotReached", "250 60 60 60", "RRRY", "RcY"},
    {"AllInsideTheWindowCount", "60 +135s 60 +135s 60", "ooY", "Y"},
    {"TheFirstOutsideTheWindowDoesNot", "60 +140s 60 +140s 60", "ooo", ""},
    {"TheWindowSlides", "60 +140s 60 +140s 60 60", "oooY", "Y"},
    {"AGapOfADayBetweenBreaches", "60 60 +86400s 60 60 60", "ooooY", "Y"},
    {"AGapOfADayClearsNothing", "60 60 60 +86400s 60", "ooYY", "Y"},
    {"AClockPutBackAnHourChangesNothing", "60 step-3600s 60 60 10 step-3600s 10 10", "ooYYYo", "Yc"},
    {"AClockPutForwardAnHourChangesNothing", "60 step+3600s 60 step+3600s 60", "ooY", "Y"},
    {"AClockPutBackDoesNotPutOldBreachesIntoTheWindow", "60 60 +600s step-600s 60", "ooo", ""},
    {"ARestartInARunLosesNothing", "60 restart 60 restart 60", "ooY", "Y"},
    {"ARestartTellsNobodyAgain", "60 60 60 restart 60 restart 60", "ooYYY", "Y"},
    {"ARestartForgetsNoAlert", "250 restart 10 restart 10 10", "RRRo", "Rc"},
    {"ARebootIsAGap", "60 60 boot restart 60", "ooY", "Y"},
    {"ARebootThatTookAnHourIsALongGap", "60 60 +3600s boot restart 60 60 60", "ooooY", "Y"},
    {"ARebootWithTheClockBehindIsNoTime", "60 60 step-3600s boot restart 60", "ooY", "Y"},
};

class Levels : public testing::TestWithParam<Case> {};

TEST_P(Levels, AreAsDesigned) {
  Played played;
  EXPECT_EQ(played.play(GetParam().script), GetParam().levels);
  EXPECT_EQ(played.told, GetParam().told);
  EXPECT_EQ(played.firing.empty(), played.tracker->level() == Level::ok);
}
INSTANTIATE_TEST_SUITE_P(Rules, Levels, testing::ValuesIn(kCases),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(LevelRules, MoreOrFewerBreachesMayBeRequired) {
  Definition once = packet_loss(), five = packet_loss();
  once.consecutive_breaches_required = 1, five.consecutive_breaches_required = 5;
  EXPECT_EQ(Played(once).play("60 10 10 10"), "YYYo");
  EXPECT_EQ(Played(five).play("60 60 60 60 60"), "ooooY");
}

TEST(LevelRules, AWindowThatJustHoldsThreeTicksTakesThreeInARow) {
  Definition narrow = packet_loss();
  narrow.evaluation_window_s = 30;
  EXPECT_EQ(Played(narrow).play("60 60 60"), "ooY");
  EXPECT_EQ(Played(narrow).play("60 - 60 60 60"), "ooooY");
}

TEST(LevelRules, MinSamplesOfADefinitionAreItsOwn) {
  Definition few = packet_loss();
  few.min_samples = 99;
  EXPECT_EQ(Played(few).play("few"), "R");
  Definition many = packet_loss();
  many.min_samples = 1001;
  EXPECT_EQ(Played(many).play("900 900 900"), "ooo");
}

TEST(LevelRules, OtherThresholdsKeepTheLevelUntilItClears) {
  Played played;
  EXPECT_EQ(played.play("60 60 60"), "ooY");
  Definition laxer = played.definition;
  laxer.yellow = 0.08;
  played.tracker->redefine(laxer);
  EXPECT_EQ(played.play("60 60 60"), "YYo");
  EXPECT_EQ(played.told, "Yc");
}

TEST(LevelRules, ConsecutiveCountsTowardsTheNextLevel) {
  Played played;
  const auto after = [&](const char* script) { return played.play(script), played.tracker->reading().consecutive; };
  EXPECT_EQ(after("10"), 0U);
  EXPECT_EQ(after("60"), 1U);
  EXPECT_EQ(after("60"), 2U);
  EXPECT_EQ(after("60"), 3U);  // Yellow
  EXPECT_EQ(after("150"), 1U);
  EXPECT_EQ(after("150"), 2U);
  EXPECT_EQ(after("150"), 3U);  // Orange
  EXPECT_EQ(after("10"), 0U);
}

TEST(LevelRules, TheTickIsEvaluatedOnceWhateverTheClockDoes) {
  const Moment at{1'000 * kSecond, 500 * kSecond, 1};
  const auto later = [&](std::int64_t boot_s, std::int64_t step_s) {
    return Moment{at.unix_ns + (boot_s + step_s) * kSecond, at.boottime_ns + boot_s * kSecond, 1};
  };
  EXPECT_FALSE(evaluation_due(at, later(4, 0)));
  EXPECT_FALSE(evaluation_due(at, later(9, 0)));
  EXPECT_TRUE(evaluation_due(at, later(10, 0)));
  EXPECT_FALSE(evaluation_due(at, later(3, 3607)));  // after the step the tick ends at once: too little to judge
  EXPECT_FALSE(evaluation_due(at, later(8, 3607)));  // a flush in the middle of a tick is no evaluation
  EXPECT_TRUE(evaluation_due(at, later(13, 3607)));
  EXPECT_TRUE(evaluation_due(at, later(6, 3604)));
  EXPECT_TRUE(evaluation_due(at, later(17, 0)));  // late is better than never
  EXPECT_FALSE(evaluation_due(at, later(2, -3600)));
  EXPECT_TRUE(evaluation_due(at, later(10, -3600)));
  EXPECT_FALSE(evaluation_due(at, later(10, -10)));  // the same tick of the wall clock again
  EXPECT_TRUE(evaluation_due(at, later(20, -10)));
}

}  // namespace
}  // namespace honeylink::telemetry::sli
