// See engine.h: taking the lead, one pass, the loop.
#include "engine/engine.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <limits>

#include "base/killpoint.h"
#include "base/limits.h"
#include "base/version.h"
#include "engine/commit.h"
#include "engine/core.h"
#include "engine/dead_ring.h"
#include "engine/drain.h"
#include "engine/exports.h"
#include "engine/file_stamp.h"
#include "engine/metric_tick.h"
#include "engine/recorder_config.h"
#include "engine/release.h"
#include "engine/retro_keep.h"
#include "engine/rings.h"
#include "engine/upkeep.h"
#include "ring/home.h"

namespace honeylink::telemetry::engine {
namespace {

constexpr std::int64_t kDiscoveryNs = 500'000'000;
constexpr std::int64_t kExtraTickNs = 1'000'000'000;
constexpr std::int64_t kClockStepNs = 1'000'000'000;
constexpr std::int64_t kLongestSleepNs = 3'600'000'000'000;  // a doorbell that broke must not be for ever

bool dead_ring_waits(const Core& core) {
  return std::any_of(core.rings.begin(), core.rings.end(),
                     [](const auto& known) { return known.second->phase == RingPhase::awaiting_tick; });
}

}  // namespace

Engine::Engine(const EngineOptions& options)
    : options_(options),
      clock_(options.clock != nullptr ? *options.clock : system_clock()),
      election_(options.home, options.mode, clock_) {}

Engine::~Engine() {
  if (leads()) stand_down();
}

std::unique_ptr<Engine> Engine::start(const EngineOptions& options, std::string& why) try {
  if (options.home.empty() || options.home.front() != '/')
    return why = "the home directory must be an absolute path", nullptr;
  if (!make_private_directory(options.home, why) || !make_private_directory(options.home + "/run", why)) return nullptr;
  auto engine = std::unique_ptr<Engine>(new Engine(options));
  engine->bell_ = ring::map_doorbell(options.home, why);
  if (engine->bell_ == nullptr) return nullptr;
  return engine;
} catch (const std::exception& error) { return why = error.what(), nullptr; }

bool Engine::open_stores(std::string& why) {
  Core& core = *core_;
  store::StoreOptions options;
  options.home = options_.home, options.clock = &clock_;
  options.metrics_bytes_max = static_cast<std::uint64_t>(core.config.store.metrics_mb) * 1'000'000;
  options.traces_bytes_max = static_cast<std::uint64_t>(core.config.store.traces_mb) * 1'000'000;
  options.logs_bytes_max = static_cast<std::uint64_t>(core.config.store.logs_mb) * 1'000'000;
  std::string said_traces, said_logs, said_metrics;
  core.logs = store::LogFiles::open(options, said_logs);
  core.traces = store::TraceStore::open(options, said_traces);
  core.metrics = store::MetricStore::open(options, said_metrics);
  if (core.logs == nullptr || core.traces == nullptr || core.metrics == nullptr)
    return why = said_logs + (said_logs.empty() ? "" : " ") + said_traces + (said_traces.empty() ? "" : " ") +
                 said_metrics,
           false;
  const std::uint64_t epoch = core.traces->begin_epoch();
  if (epoch == 0 || core.logs->begin_epoch() == 0 || core.metrics->begin_epoch() == 0)
    return why = "a store does not take a new epoch: " + core.traces->why() + core.logs->why() + core.metrics->why(),
           false;
  killpoint("engine.after_epochs");
  core.own_log = std::make_unique<OwnLog>(*core.logs, clock_);
  for (const std::string& said : {said_logs, said_traces, said_metrics})
    if (!said.empty()) core.own_log->say(OwnLog::kError, "store.said", {}, said);
  return election_.write_state(epoch, why);
}

void Engine::read_cursors() {
  const auto read = [&](const std::vector<store::SlotCursor>& rows, std::size_t sink) {
    for (const auto& row : rows) core_->cursors[row.ring][sink][row.slot] = row.next_ordinal;
  };
  read(core_->traces->cursors(), kTraceSink);
  read(core_->logs->cursors(), kLogSink);
}

bool Engine::try_lead(std::string& why) try {
  if (!election_.try_lead(why)) return false;
  core_ = std::make_unique<Core>();
  core_->home = options_.home, core_->clock = &clock_;
  core_->alerts = options_.alerts;
  core_->config = config::default_config();
  reload_config(true);
  if (!open_stores(why)) {
    core_.reset();
    election_.resign();
    return false;
  }
  read_cursors();
  killpoint("engine.after_cursors");
  core_->scrubber = std::make_unique<scrub::Scrubber>(
      scrub::ScrubOptions{options_.home, core_->config.scrub.ids, core_->config.scrub.refuse, true});
  begin_audit();
  restore_bases(*core_);
  directories_stamp_.clear();
  discover_rings(*core_);
  core_->bases_lost = false;
  restore_marks(*core_);
  core_->ways.begin(*core_);
  core_->slis.begin(*core_);
  killpoint("sli.after_restoring");
  const std::int64_t now = clock_.monotonic_ns();
  for (Sink& sink : core_->sinks) sink.last_durable_ns = now;
  core_->last_tick_unix_ns = clock_.realtime_ns();
  clock_offset_ns_ = clock_.realtime_ns() - clock_.boottime_ns();
  next_tick_ns_ = core_->slis.due(*core_) ? now : next_tick_ns(*core_);
  next_discovery_ns_ = next_agent_look_ns_ = 0;
  leading_ = true;
  core_->own_log->say(
      OwnLog::kInfo, "engine.leads",
      {{"mode", options_.mode == Mode::agent ? "agent" : "embedded"}, {"pid", std::to_string(::getpid())}});
  return true;
} catch (const std::exception& error) {
  why = error.what();
  core_.reset();
  election_.resign();
  return false;
}

void Engine::begin_audit() {
  core_->audit = std::make_unique<AuditTrail>(options_.home, clock_);
  core_->audit->attach(core_->metrics.get(), core_->own_log.get());
  core_->audit->note("engine.start", {{"mode", options_.mode == Mode::agent ? "agent" : "embedded"},
                                      {"version", std::string(kProductVersion)},
                                      {"config", config_hash(options_.home)}});
  if (core_->scrubber->key_made()) core_->audit->note("key.created", {{"key", "pseudonym"}});
  core_->audit->tick();
}

void Engine::reload_config(bool at_start) {
  Core& core = *core_;
  const std::string stamp = stamp_of(config::config_path(options_.home));
  if (!at_start && stamp == config_stamp_) return;
  config_stamp_ = stamp;
  config::Loaded loaded = config::load_config(options_.home, core.config);
  core.config = std::move(loaded.config);
  core.self.config_problems += loaded.problems.size();
  for (const auto& problem : loaded.problems) {
    if (core.own_log != nullptr) core.own_log->say(OwnLog::kWarn, "config.problem", {}, problem.text());
    else std::fprintf(stderr, "honeytel: %s\n", problem.text().c_str());
  }
  if (core.audit != nullptr)
    core.audit->note("config.changed",
                     {{"sha256", config_hash(options_.home)}, {"problems", std::to_string(loaded.problems.size())}});
  std::string why;
  if (!ring::write_recorder_opts(options_.home, recorder_opts_of(core.config), why) && core.own_log != nullptr)
    core.own_log->say(OwnLog::kWarn, "config.not_handed_on", {}, why);
  if (!at_start) core.slis.define(core), core.ways.configure(core);
}

void Engine::note_clock_step() {
  const std::int64_t offset = clock_.realtime_ns() - clock_.boottime_ns();
  const std::int64_t step = offset - std::exchange(clock_offset_ns_, offset);
  if (step < kClockStepNs && step > -kClockStepNs) return;
  ++core_->self.clock_steps;
  core_->own_log->say(OwnLog::kWarn, "clock.step", {{"seconds", std::to_string(static_cast<double>(step) / 1e9)}});
  core_->audit->note("clock.step", {{"seconds", std::to_string(step / 1'000'000'000)}});
  next_tick_ns_ = next_tick_ns(*core_);
}

bool Engine::discover(std::int64_t now) {
  if (now < next_discovery_ns_) return false;
  next_discovery_ns_ = now + kDiscoveryNs;
  std::string stamp;
  for (const auto& directory : ring::ring_directories(options_.home)) stamp += stamp_of(directory) + "/";
  if (stamp == directories_stamp_) return notice_deaths(*core_);
  directories_stamp_ = stamp;
  return discover_rings(*core_);
}

bool Engine::answer_flushes() {
  bool asked = false;
  for (const auto& [serial, ring] : core_->rings) {
    const ring::LiveWords& live = ring->reader->live();
    asked = asked || (!ring->quarantined && ring->phase == RingPhase::live && ring->complete &&
                      live.flush_request > live.flush_done);
  }
  if (!asked || !core_->sinks[kTraceSink].failing.empty() || !core_->sinks[kLogSink].failing.empty()) return false;
  if (!commit_all(*core_, false) || !commit_tick(*core_, false)) return false;
  killpoint("flush.before_ack");
  for (const auto& [serial, ring] : core_->rings) {
    const ring::LiveWords& live = ring->reader->live();
    if (!ring->quarantined && ring->complete && live.flush_request > live.flush_done)
      ring->reader->acknowledge_flush(live.flush_request);
  }
  return true;
}

bool Engine::needs_tick() const {
  return !core_->rings.empty() || core_->metrics_failing || core_->ledger_dirty || !core_->metric_pending.empty() ||
         core_->slis.waits();
}

bool Engine::tick_if_due(std::int64_t now) {
  const bool dead_waits = dead_ring_waits(*core_);
  // A dead ring's last values do not wait for the wall clock: short-lived programs are seen at once. Nor does what a
  // receiver is to hear of within milliseconds.
  const bool waits = dead_waits || core_->exports.new_series;
  if (now < next_tick_ns_ && !(waits && now >= next_extra_tick_ns_)) return false;
  next_extra_tick_ns_ = now + kExtraTickNs;
  note_clock_step();
  reload_config(false);
  core_->ways.tend(*core_);
  const bool done = commit_tick(*core_, true);
  if (done) core_->ledger_dirty = false;
  expire_marks(*core_);
  core_->audit->tick();
  core_->traces->checkpoint();
  core_->metrics->checkpoint();
  next_tick_ns_ = next_tick_ns(*core_);
  return done && dead_waits;
}

// Packing what has settled: a slice of some milliseconds, then the rings again. What fails here fails at the next
// commit too, where it is said and mended.
bool Engine::step() try {
  if (!leads()) return false;
  Core& core = *core_;
  const std::int64_t now = clock_.monotonic_ns();
  bool worked = discover(now);
  for (auto& [serial, ring] : core.rings) {
    if (ring->phase == RingPhase::live) worked = drain_ring(core, *ring) || worked, count_unlinked(core, *ring);
    if (core.fenced) break;
  }
  hand_over_spans(core);
  ++core.self.drains;
  worked = answer_flushes() || worked;
  worked = commit_due(core) || worked;
  worked = tick_if_due(now) || worked;
  worked = look_at_cells(core, now) || worked;
  tend_exports(core, now);
  worked = advance_dead_rings(core) || worked;
  worked = tend_stores(core) || worked;
  if (now >= core.audit->due_ns()) core.audit->tick();
  const bool gives_way =
      now >= next_agent_look_ns_ && (next_agent_look_ns_ = now + Election::kTryNs, election_.agent_waits());
  if (core.fenced || gives_way) {
    if (core.fenced) core.own_log->say(OwnLog::kWarn, "engine.fenced", {});
    stand_down();
    return false;
  }
  return worked;
} catch (const std::exception& error) {
  std::fprintf(stderr, "honeytel: the engine stopped leading: %s\n", error.what());
  leading_ = false;
  core_.reset();
  election_.resign();
  return false;
}

void Engine::stand_down() try {
  if (!leads()) return;
  leading_ = false;
  if (!core_->fenced) {
    core_->own_log->say(OwnLog::kInfo, "engine.rests", {{"pid", std::to_string(::getpid())}});
    core_->audit->note("engine.stop", {});
    core_->audit->close();
    (void)commit_all(*core_, true);
    core_->ways.tend(*core_);
    (void)commit_tick(*core_, true);
  }
  const std::unique_ptr<alert::Outbox> outbox = core_->ways.take();  // ends last: it waits for what is under way
  core_.reset();
  election_.resign();
} catch (const std::exception& error) {
  std::fprintf(stderr, "honeytel: %s\n", error.what());
  core_.reset();
  election_.resign();
}

void Engine::stop() noexcept {
  stop_.store(1);
  syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&stop_), FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  if (bell_ != nullptr) ring::ring_doorbell(*bell_);
}

void Engine::wait(std::int64_t ns) {
  const timespec pause{static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
  syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&stop_), FUTEX_WAIT_PRIVATE, 0, &pause, nullptr, 0);
}

void Engine::sleep_until_rung() {
  ring::announce_sleep(*bell_);
  next_discovery_ns_ = next_agent_look_ns_ = 0;  // the last look before sleep is at everything
  if (stopping() || step() || !leads()) return ring::stay_awake(*bell_);
  const std::int64_t now = clock_.monotonic_ns();
  std::int64_t deadline = std::min({commit_deadline_ns(*core_), core_->audit->due_ns(), now + kLongestSleepNs});
  if (needs_tick()) deadline = std::min(deadline, next_tick_ns_);
  deadline = std::min(deadline, exports_deadline_ns(*core_));
  if (dead_ring_waits(*core_) || core_->exports.new_series) deadline = std::min(deadline, next_extra_tick_ns_);
  if (deadline > now && ring::sleep_on(*bell_, deadline)) {
    next_discovery_ns_ = 0;
    core_->exports.tend_at_ns = core_->exports.cells_at_ns = 0;  // a receipt may have come or gone; who records counts
    core_->ways.configure(*core_);
    reload_config(false);
    core_->audit->tick();
  } else {
    ring::stay_awake(*bell_);
  }
}

void Engine::run() {
  while (!stopping()) {
    if (!leads()) {
      std::string why;
      if (!try_lead(why)) {
        if (!why.empty() && why != said_)
          std::fprintf(stderr, "honeytel: cannot lead %s: %s\n", options_.home.c_str(), why.c_str());
        said_ = why;
        wait(Election::kTryNs);
        continue;
      }
    }
    if (step()) wait(kDrainIntervalNs);
    else if (leads()) sleep_until_rung();
  }
  if (leads()) step();
  stand_down();
}

}  // namespace honeylink::telemetry::engine
