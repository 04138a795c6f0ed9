// honeylink-link: the link without the tool, for trying it out and for measuring. Telemetry goes to --home; look at it
// with honeytel.
#include <csignal>
#include <cstdio>
#include <thread>

#include "link.h"

namespace {

using honeylink::link::LinkStats;

constinit std::atomic<bool> interrupted{false};

void print(const LinkStats& now) {
  const auto n = [](const std::atomic<std::uint64_t>& value) { return static_cast<unsigned long long>(value.load()); };
  const double share = now.packets_sent.load() == 0 ? 0
                                                    : 100.0 * static_cast<double>(now.packets_lost.load()) /
                                                          static_cast<double>(now.packets_sent.load());
  std::printf(
      "sessions %llu (%llu failed, %llu open)  packets %llu, lost %llu (%.2f %%)  qos dropped %llu of %llu  policy "
      "updates %llu  last establishment %.1f ms\n",
      n(now.sessions_established), n(now.sessions_failed), n(now.sessions_open), n(now.packets_sent),
      n(now.packets_lost), share, n(now.qos_dropped), n(now.qos_offered), n(now.policy_updates),
      static_cast<double>(now.establish_last_us.load()) / 1e3);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  namespace link = honeylink::link;
  if (argc > 1 && argv[1] == link::kChildCommand) return link::link_child_main(argc, argv);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 1 && (arguments[0] == "--help" || arguments[0] == "-h")) {
    std::printf(
        "honeylink-link: an encrypted link between two processes on this machine, over a bad network\n\n%s\nexample: "
        "honeylink-link --scenario lossy --duration 20s\n",
        link::options_help().data());
    return 0;
  }
  link::LinkOptions options;
  std::string error;
  if (!link::parse_options(arguments, options, error)) {
    std::fprintf(stderr, "honeylink-link: %s\n", error.c_str());
    return 2;
  }
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { interrupted.store(true); });
  link::LinkStats stats;
  const auto run = link::run_link(options, &stats);
  for (int tick = 1; run->running(); ++tick) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    if (interrupted.load()) run->stop();
    if (tick % 20 == 0) print(stats);
  }
  const int code = run->wait();
  print(stats);
  if (code != 0) std::fprintf(stderr, "honeylink-link: %s\n", run->error().c_str());
  return interrupted.load() && code == 0 ? 130 : code;
}
