#include "alert/toast_text.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace honeylink::telemetry::alert {
namespace {

AlertEvent an_alert() {
  AlertEvent event;
  event.alert_id = "alert_01J";
  event.severity = Level::orange;
  event.sli_name = "session_establishment_latency_p95";
  event.module = "session-orchestrator";
  event.environment = "production";
  event.unit = "s";
  event.current_value = 0.6505;
  event.threshold = 0.5;
  event.threshold_type = "upper";
  event.timestamp_unix_ns = 1'790'000'000'000'000'000;
  event.trace_id = "0af7651916cd43dd8448eb211c80319c";
  return event;
}

TEST(ToastText, SaysQuantitiesAsPeopleDo) {
  EXPECT_EQ(quantity(0.6505, "s"), "650.5 ms");
  EXPECT_EQ(quantity(2.5, "s"), "2.5 s");
  EXPECT_EQ(quantity(0.00002, "s"), "20 µs");
  EXPECT_EQ(quantity(0, "s"), "0 s");
  EXPECT_EQ(quantity(0.1125, "1"), "0.1125");
  EXPECT_EQ(quantity(12'400, "By"), "12.4 kB");
  EXPECT_EQ(quantity(3, "{packet}"), "3 {packet}");
  EXPECT_EQ(quantity(std::numeric_limits<double>::quiet_NaN(), "s"), "?");
}

TEST(ToastText, SaysWhatSinceWhenByHowMuchAndWhichTrace) {
  const Toast toast = make_toast(an_alert(), true, Language::en, {}, true);
  EXPECT_EQ(toast.summary, "◆ Orange: session_establishment_latency_p95");
  EXPECT_TRUE(toast.body.starts_with("650.5 ms > 500 ms\nsince 2026-")) << toast.body;
  EXPECT_TRUE(
      toast.body.ends_with(" · session-orchestrator · production\n"
                           "honeytel traces 0af7651916cd43dd8448eb211c80319c"))
      << toast.body;
}

TEST(ToastText, OfABurningBudgetSaysHowFast) {
  AlertEvent event = an_alert();
  event.threshold_type = "burn_rate";
  event.current_value = 15.25;
  event.threshold = 14.4;
  EXPECT_TRUE(make_toast(event, true, Language::en, {}, true).body.starts_with("error budget burns 15.25x > 14.4x\n"));
}

TEST(ToastText, ReadsInEachLanguage) {
  const char* orange[] = {"◆ Orange: ", "◆ 橙: ", "◆ Naranja: ", "◆ 橙色: "};
  for (std::size_t i = 0; i < 4; ++i) {
    const Toast toast = make_toast(an_alert(), true, static_cast<Language>(i), {.actions = true}, true);
    EXPECT_TRUE(toast.summary.starts_with(orange[i])) << toast.summary;
    EXPECT_TRUE(is_utf8(toast.body));
    EXPECT_EQ(toast.body.find('{'), std::string::npos) << toast.body;
    EXPECT_EQ(toast.actions.size(), 4U);
    if (i != 0) {
      EXPECT_EQ(toast.body.find("since"), std::string::npos) << toast.body;
      EXPECT_NE(toast.actions[1], "Show trace");
    }
  }
}

TEST(ToastText, OffersNoActionWithoutATraceADaemonThatCanOrAToolToStart) {
  AlertEvent without = an_alert();
  without.trace_id.clear();
  EXPECT_TRUE(make_toast(without, true, Language::en, {.actions = true}, true).actions.empty());
  EXPECT_TRUE(make_toast(an_alert(), true, Language::en, {}, true).actions.empty());
  EXPECT_TRUE(make_toast(an_alert(), true, Language::en, {.actions = true}, false).actions.empty());
  EXPECT_EQ(make_toast(an_alert(), true, Language::en, {.actions = true}, true).actions.size(), 4U);
}

TEST(ToastText, OfAnEndIsQuietAndSaysHowLongItLasted) {
  AlertEvent event = an_alert();
  event.cleared_at_unix_ns = event.timestamp_unix_ns + 7'500'000'000'000;
  const Toast toast = make_toast(event, false, Language::en, {.actions = true}, true);
  EXPECT_EQ(toast.summary, "● OK: session_establishment_latency_p95");
  EXPECT_TRUE(toast.body.starts_with("over after 2 h 5 min · ")) << toast.body;
  EXPECT_EQ(toast.urgency, 0);
  EXPECT_TRUE(toast.transient);
  EXPECT_GT(toast.expire_ms, 0);
  EXPECT_TRUE(toast.actions.empty());
}

TEST(ToastText, EscapesMarkupOnlyForDaemonsThatReadIt) {
  AlertEvent event = an_alert();
  event.module = "a<b>&c";
  EXPECT_NE(make_toast(event, true, Language::en, {.body_markup = true}, true).body.find("a&lt;b&gt;&amp;c"),
            std::string::npos);
  EXPECT_NE(make_toast(event, true, Language::en, {}, true).body.find("a<b>&c"), std::string::npos);
}

TEST(ToastText, OfAWrongLevelIsStillAToast) {
  AlertEvent event = an_alert();
  event.severity = static_cast<Level>(200);
  EXPECT_FALSE(make_toast(event, true, Language::en, {}, true).summary.empty());
}

}  // namespace
}  // namespace honeylink::telemetry::alert
