// honeytel demo: HoneyLink's five modules over a real encrypted loopback link, an engine, and a plain live screen. Ends
// by naming the next three commands, with the id of a trace that is really there.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <thread>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/levels.h"
#include "engine/engine.h"
#include "link/link.h"
#include "query/ledger.h"
#include "query/sli_text.h"
#include "query/time_text.h"
#include "query/trace_reader.h"

namespace honeylink::telemetry::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::int64_t kSecond = 1'000'000'000;
volatile std::sig_atomic_t interrupted = 0;

/// The engine on a thread of its own. Gives way to an agent; where one leads already it waits and does nothing.
class EngineThread {
 public:
  explicit EngineThread(std::unique_ptr<engine::Engine> engine)
      : engine_(std::move(engine)), thread_([this] { engine_->run(); }) {}
  ~EngineThread() {
    engine_->stop();
    thread_.join();
  }
  EngineThread(const EngineThread&) = delete;
  EngineThread& operator=(const EngineThread&) = delete;

 private:
  std::unique_ptr<engine::Engine> engine_;
  std::thread thread_;
};

std::uint64_t read(const std::atomic<std::uint64_t>& n) { return n.load(std::memory_order_relaxed); }

std::string percent(std::uint64_t part, std::uint64_t whole) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%",
                whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole));
  return text;
}

struct Books {
  std::uint64_t stored = 0, dropped = 0;
  bool exact = true;
};

Books books_of(const std::string& home) {
  Books books;
  const auto balance = query::read_balance(home);
  if (!balance.ok()) return books;
  for (const query::SignalBalance* signal : {&balance.value().metrics, &balance.value().spans, &balance.value().logs}) {
    books.stored += signal->counts.stored;
    for (const auto& [reason, n] : signal->counts.dropped) books.dropped += reason == "sampled_out" ? 0 : n;
    books.exact = books.exact && signal->error() == 0;
  }
  return books;
}

std::string headless_line(const link::LinkStats& stats, double elapsed_s, const Books& books) {
  char text[256];
  std::snprintf(text, sizeof text,
                "%4.0f s  sessions %llu open %llu made %llu failed  packets %llu sent %llu lost (%s)  qos %llu dropped "
                " stored %llu  dropped %llu\n",
                elapsed_s, static_cast<unsigned long long>(read(stats.sessions_open)),
                static_cast<unsigned long long>(read(stats.sessions_established)),
                static_cast<unsigned long long>(read(stats.sessions_failed)),
                static_cast<unsigned long long>(read(stats.packets_sent)),
                static_cast<unsigned long long>(read(stats.packets_lost)),
                percent(read(stats.packets_lost), read(stats.packets_sent)).c_str(),
                static_cast<unsigned long long>(read(stats.qos_dropped)), static_cast<unsigned long long>(books.stored),
                static_cast<unsigned long long>(books.dropped));
  return text;
}

class Screen {
 public:
  Screen(const Terminal& terminal, std::string title) : terminal_(terminal), title_(std::move(title)) {}
  /// Draws over what it drew before.
  void draw(const link::LinkStats& stats, double elapsed_s, double duration_s, const Books& books) {
    const Style& style = terminal_.style;
    std::string out = lines_ > 0 ? "\x1b[" + std::to_string(lines_) + "A" : "";
    lines_ = 0;
    const auto line = [&](const std::string& text) { out += text + "\x1b[K\n", ++lines_; };
    const auto row = [&](const char* what, const std::string& value, const std::string& more) {
      char name[32];
      std::snprintf(name, sizeof name, "  %-22s ", what);
      line(name + style.paint(Colour::bold, value) + more);
    };
    std::string bar;
    for (double i = 0; i < 30; ++i)
      bar += i < 30 * elapsed_s / duration_s ? style.sign("█", "#") : style.sign("░", ".");
    const auto left_s = static_cast<std::int64_t>(duration_s - elapsed_s);
    line("  " + title_ + "  " + style.paint(Colour::blue, bar) + "  " +
         (left_s > 0 ? query::format_duration(left_s * kSecond) + " left" : "done"));
    row("session-orchestrator", query::format_count(read(stats.sessions_open)) + " open",
        ", " + query::format_count(read(stats.sessions_established)) + " established, " +
            query::format_count(read(stats.sessions_failed)) + " failed, the last took " +
            query::format_duration(static_cast<std::int64_t>(read(stats.establish_last_us)) * 1000));
    row("policy-engine", query::format_count(read(stats.policy_fetches)) + " fetched",
        ", " + query::format_count(read(stats.policy_updates)) + " updates");
    row("transport", query::format_count(read(stats.packets_sent)) + " packets",
        ", " + query::format_count(read(stats.packets_acknowledged)) + " acknowledged, " +
            query::format_count(read(stats.packets_lost)) + " lost (" +
            percent(read(stats.packets_lost), read(stats.packets_sent)) + ")");
    row("qos-scheduler", query::format_count(read(stats.qos_offered)) + " offered",
        ", " + query::format_count(read(stats.qos_dropped)) + " dropped (" +
            percent(read(stats.qos_dropped), read(stats.qos_offered)) + ")");
    row("telemetry", query::format_count(books.stored) + " stored",
        ", " + query::format_count(books.dropped) + " dropped, balance " +
            (books.exact ? std::string(style.sign("● exact", "exact")) : std::string(style.sign("■ WRONG", "WRONG"))));
    terminal_.print(out);
    std::fflush(stdout);
  }

 private:
  const Terminal& terminal_;
  std::string title_;
  std::size_t lines_ = 0;
};

/// The trace worth looking at: with an error, else slow, else the longest of the newest.
std::string best_trace(const std::string& home, std::int64_t since) {
  auto reader = query::TraceReader::open(home);
  if (!reader.ok()) return {};
  query::TraceFilter filter;
  filter.since_unix_ns = since;
  const auto list = reader.value()->list(filter, 0);
  if (!list.ok() || list.value().traces.empty()) return {};
  const query::TraceSummary* best = nullptr;
  const auto worth = [](const query::TraceSummary& t) {
    return std::tuple(t.errors > 0, t.slow, t.spans >= 4, t.duration_ns());
  };
  for (const query::TraceSummary& trace : list.value().traces) {
    if (best == nullptr || worth(trace) > worth(*best)) best = &trace;
  }
  return hex(best->trace_id);
}

/// The alerts of this run, oldest first, and the trace of the worst of them.
std::string say_alerts(const Call& call, const std::string& home, std::int64_t since) {
  auto reader = query::SliReader::open(home, since);
  if (!reader.ok()) return {};
  query::AlertFilter filter;
  filter.since_unix_ns = since;
  const auto list = reader.value()->alerts(filter);
  if (!list.ok()) return {};
  const query::AlertView* worst = nullptr;
  std::string lines;
  for (auto alert = list.value().alerts.rbegin(); alert != list.value().alerts.rend(); ++alert) {
    const AlertEvent& e = alert->event;
    if (e.timestamp_unix_ns < since) continue;
    lines += "    " + query::format_local(e.timestamp_unix_ns).substr(11, 8) + "  " +
             call.terminal.style.paint(colour_of(e.severity), level_text(e.severity, call.terminal.style)) + "  " +
             terminal_safe(e.sli_name) + " " + query::level_value(e.current_value, e.unit) + " > " +
             query::level_value(e.threshold, e.unit) + (alert->fires() ? "" : ", cleared") + "\n";
    if (!e.trace_id.empty() && (worst == nullptr || e.severity >= worst->event.severity)) worst = &*alert;
  }
  if (!lines.empty()) call.terminal.print("\n  Alerts (honeytel alerts):\n" + lines);
  return worst == nullptr ? std::string() : worst->event.trace_id;
}

void say_next(const Call& call, const std::string& home, std::int64_t since) {
  std::string trace = say_alerts(call, home, since);
  if (trace.empty()) trace = best_trace(home, since);
  const std::string where = call.has("home") ? " --home '" + call.text("home") + "'" : "";
  call.terminal.print("\n  Look at what was recorded:\n    honeytel traces" + (trace.empty() ? "" : " " + trace) +
                      where + "\n    honeytel sli" + where + "\n    honeytel logs --level warn" + where + "\n");
}

void wait_and_show(const Call& call, const link::LinkOptions& options, link::Link& link, const link::LinkStats& stats,
                   const std::string& home) {
  Screen screen(call.terminal, std::string("HoneyLink, ") + std::string(link::name(options.scenario)));
  const bool headless = call.has("headless") || !call.terminal.out_is_terminal;
  const auto began = Clock::now();
  const double tick_s = headless ? 5 : 1;
  double next_s = headless ? tick_s : 0;
  while (link.running() && interrupted == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const double elapsed = std::chrono::duration<double>(Clock::now() - began).count();
    if (elapsed < next_s) continue;
    next_s += tick_s;
    const Books books = books_of(home);
    if (headless) call.terminal.print(headless_line(stats, elapsed, books)), std::fflush(stdout);
    else screen.draw(stats, elapsed, options.duration_s, books);
  }
}

bool read_options(const Call& call, link::LinkOptions& options, query::Problem& problem) {
  const auto duration = call.duration("duration", 60 * kSecond, problem);
  const auto loss = call.real("loss", 0, problem), delay = call.real("delay-ms", 0, problem);
  if (!duration || !loss || !delay) return false;
  const auto scenario = link::scenario_from(call.text("scenario", "healthy"));
  if (!scenario) return problem = usage_problem("no scenario '" + call.text("scenario") + "'"), false;
  options.scenario = *scenario;
  options.duration_s = static_cast<double>(*duration) / 1e9;
  if (options.duration_s < 0.1 || options.duration_s > 86'400)
    return problem = usage_problem("--duration is from 100ms to 1d"), false;
  if (*loss < 0 || *loss > 1) return problem = usage_problem("--loss is a share from 0 to 1"), false;
  if (*delay < 0 || *delay > 5'000) return problem = usage_problem("--delay-ms is from 0 to 5000"), false;
  if (call.has("loss")) options.loss = *loss;
  if (call.has("delay-ms")) options.delay_ms = *delay;
  return true;
}

int run(Call& call) {
  query::Problem problem;
  link::LinkOptions options;
  if (!read_options(call, options, problem)) return report(call.terminal, problem);
  const auto home = call.home();
  if (!home.ok()) return report(call.terminal, home.problem());
  options.home = home.value();
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = 1; };
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  const std::int64_t since =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  engine::EngineOptions engine_options;
  engine_options.home = home.value(), engine_options.mode = engine::Mode::embedded;
  std::string why;
  auto engine = engine::Engine::start(engine_options, why);
  if (!engine)
    return report(call.terminal, {query::ProblemKind::environment, "the engine cannot use " + home.value(), why,
                                  "honeytel doctor looks for the cause"});
  link::LinkStats stats;
  int code = kOk;
  {
    const auto link = link::run_link(options, &stats);  // before our thread: its children are forked
    const EngineThread thread(std::move(engine));
    wait_and_show(call, options, *link, stats, home.value());
    link->stop();
    if (link->wait() != 0 && interrupted == 0) {
      code = report(call.terminal, {query::ProblemKind::failed, "the link could not run", link->error(),
                                    "honeytel doctor looks for the cause"});
    }
  }
  if (code != kOk) return code;
  const Books books = books_of(home.value());
  call.terminal.print("\n  " + query::format_count(books.stored) + " records stored, " +
                      query::format_count(books.dropped) + " dropped, the balance is " +
                      (books.exact ? "exact" : "WRONG") + "\n");
  if (interrupted != 0) call.terminal.say("interrupted; what was recorded is stored");
  say_next(call, home.value(), since);
  return interrupted != 0 ? kInterrupted : kOk;
}

constexpr Option kOptions[] = {
    {"duration", "TIME", "How long (default: 60s)"},
    {"scenario", "NAME", "What the network does (default: healthy)", "healthy|lossy|slow|outage"},
    {"headless", "", "A line every 5 s instead of a screen"},
    {"loss", "SHARE", "Share of datagrams that the relay loses: 0.07"},
    {"delay-ms", "N", "One way, in the relay"},
};

}  // namespace

extern const Command kDemo{
    .name = "demo",
    .summary = "Five modules over a real link for a minute: something to look at",
    .usage = "[--duration 60s] [--scenario healthy|lossy|slow|outage] [--headless]",
    .about =
        "Two processes on loopback exchange keys and packets through a relay that loses and delays. Nothing "
        "is\ncanned: change --loss and the numbers follow. Records into your home, as environment=development.",
    .example = "honeytel demo --scenario lossy --duration 30s\nhoneytel demo --headless --home /tmp/try",
    .options = kOptions,
    .run = run};

}  // namespace honeylink::telemetry::cli
