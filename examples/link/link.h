// The demo's real link: two processes on loopback that establish encrypted sessions and send packets through a relay
// which loses and delays on demand. Nothing is canned: what the telemetry shows was measured on real sockets.
//
// Called by `honeytel demo` (run_link) and by examples/link/main.cc. A program that calls run_link must call
// link_child_main first thing in main() when argv[1] is kChildCommand: the two processes are the same executable again.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace honeylink::link {

enum class Scenario : std::uint8_t { healthy, lossy, slow, outage };
[[nodiscard]] std::string_view name(Scenario scenario) noexcept;
[[nodiscard]] std::optional<Scenario> scenario_from(std::string_view text) noexcept;

/// What a run looks like. An override holds for the whole run; an outage still drops everything while it lasts.
struct LinkOptions {
  Scenario scenario = Scenario::healthy;
  double duration_s = 60;                  ///< 0.1 … 86,400
  std::optional<double> loss;              ///< Share of datagrams that the relay loses, each direction. 0 … 1
  std::optional<double> delay_ms;          ///< One way. 0 … 5,000
  std::optional<double> jitter_ms;         ///< Added to the delay, evenly from 0. 0 … 5,000
  std::optional<double> policy_delay_ms;   ///< The policy server's own time. 0 … 5,000
  int sessions = 6;                        ///< At the same time. 1 … 32
  double packets_per_s = 120;              ///< Offered by each session while it is open. 1 … 2,000
  double bandwidth_bytes_per_s = 200'000;  ///< The QoS scheduler's rate, per session. 1,000 … 1e9
  std::string home;                        ///< Empty: as Options::home of the telemetry library.
  std::string environment = "development";
  unsigned seed = 1;  ///< Of losses, delays, traffic. Keys and ids are always random.
};

/// What the network does at one moment of a scenario. `fraction`: elapsed share of the duration, 0 … 1.
struct Conditions {
  double loss = 0, delay_ms = 0, jitter_ms = 0, policy_delay_ms = 0;
};
[[nodiscard]] Conditions conditions_at(const LinkOptions& options, double fraction) noexcept;

/// Reads `--loss 0.07 --duration 20s …`, as written by to_arguments(). False: `error` names the argument and what it
/// may be.
[[nodiscard]] bool parse_options(const std::vector<std::string>& arguments, LinkOptions& options, std::string& error);
[[nodiscard]] std::vector<std::string> to_arguments(const LinkOptions& options);
[[nodiscard]] std::string_view options_help() noexcept;

/// Running totals, for a live screen. Written by the link, read by anyone at any time; each field is exact, together
/// they are not one instant.
struct LinkStats {
  std::atomic<std::uint64_t> sessions_established{0}, sessions_failed{0}, sessions_open{0};
  std::atomic<std::uint64_t> packets_sent{0}, packets_acknowledged{0}, packets_lost{0};
  std::atomic<std::uint64_t> qos_offered{0}, qos_dropped{0};
  std::atomic<std::uint64_t> policy_fetches{0}, policy_updates{0};
  std::atomic<std::uint64_t> establish_last_us{0};
};
[[nodiscard]] std::string to_line(const LinkStats& stats);
[[nodiscard]] bool from_line(std::string_view line, LinkStats& stats) noexcept;

/// Where a responder is reached, all on 127.0.0.1, and the public key by which it is known.
struct Peer {
  std::uint16_t relay_port = 0;
  std::uint16_t policy_port = 0;
  std::array<std::uint8_t, 32> public_key{};
};

/// One side each, in the calling process; return 0 when the duration is over or `stop` was set, 1 when they could not
/// begin. `ready` is called once, when the responder can be reached. The caller has called telemetry's start(), or not.
[[nodiscard]] int run_initiator(const LinkOptions& options, const Peer& peer, LinkStats& stats,
                                const std::atomic<bool>& stop);
[[nodiscard]] int run_responder(const LinkOptions& options, const std::function<void(const Peer&)>& ready,
                                const std::atomic<bool>& stop);

/// The first argument of a child: `program __link responder|initiator …`.
inline constexpr std::string_view kChildCommand = "__link";
[[nodiscard]] int link_child_main(int argc, char** argv);

/// Both processes of a run. Owned by one thread; stop() and running() may be called from any. The children end with the
/// thread that called run_link, at the latest with its process.
class Link {
 public:
  virtual ~Link() = default;         ///< Stops and waits.
  virtual void stop() noexcept = 0;  ///< Asks both to end; returns at once. Repeatable; safe in a signal handler.
  [[nodiscard]] virtual bool running() const noexcept = 0;
  [[nodiscard]] virtual int wait() = 0;  ///< Until both have ended. 0, or 1 and error() says why.
  [[nodiscard]] virtual std::string error() const = 0;
};
/// Starts responder and initiator as children of this executable. Never null: where they could not begin, running() is
/// false and error() says why. `live` may be null; it must outlive the Link.
[[nodiscard]] std::unique_ptr<Link> run_link(const LinkOptions& options, LinkStats* live);

}  // namespace honeylink::link
