// When to try again (OTLP rules C4, C5, H3): never sooner than the server asks, always with jitter.
#include "export/backoff.h"

#include <gtest/gtest.h>

#include <set>

namespace honeylink::telemetry::exporting {
namespace {

constexpr std::int64_t kMillisecondNs = 1'000'000;

TEST(BackOff, GrowsFrom200MillisecondsTo30SecondsAndAnAnswerResetsIt) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Backoff backoff(seed);
    std::int64_t step = kFirstWaitNs;
    for (int i = 0; i < 20; ++i) {
      const std::int64_t wait = backoff.next(0, false);
      EXPECT_GE(wait, step / 2);
      EXPECT_LE(wait, step);
      step = std::min(step * 2, kLongestWaitNs);
    }
    EXPECT_EQ(step, kLongestWaitNs);
    backoff.reset();
    EXPECT_LE(backoff.next(0, false), kFirstWaitNs);
  }
}

TEST(BackOff, WaitsAtLeastWhatTheServerAsksAndAFifthMoreAtMostThenGoesOnFromIt) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Backoff backoff(seed);
    const std::int64_t asked = 2500 * kMillisecondNs, wait = backoff.next(asked, false);
    EXPECT_GE(wait, asked);
    EXPECT_LE(wait, asked * 12 / 10);
    const std::int64_t next = backoff.next(0, false);
    EXPECT_GE(next, asked) << "exponential from what was asked: half of its double";
    EXPECT_LE(next, asked * 2);
  }
}

TEST(BackOff, TenMinutesAreWaitedWhereTheyAreAsked) {
  Backoff backoff(1);
  EXPECT_GE(backoff.next(600'000 * kMillisecondNs, false), 600'000 * kMillisecondNs);
  EXPECT_LE(backoff.next(0, false), kLongestWaitNs);
}

TEST(BackOff, NoTwoClientsComeBackTogether) {
  std::set<std::int64_t> waits;
  for (std::uint64_t seed = 0; seed < 100; ++seed) waits.insert(Backoff(seed).next(0, false) / kMillisecondNs);
  EXPECT_GT(waits.size(), 30U);
}

TEST(BackOff, WhatOnlyAPersonCanMendIsTriedOnceAMinute) {
  Backoff backoff(1);
  for (int i = 0; i < 10; ++i) EXPECT_GE(backoff.next(0, true), kRefusalWaitNs);
}

}  // namespace
}  // namespace honeylink::telemetry::exporting
