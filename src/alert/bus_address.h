// Where the session bus is, and whether it answers: looked at before the D-Bus library is let near it, because that
// library waits up to two minutes for a bus that hangs and would open a TCP connection if an address said so (I-5).
// Called by the toast's thread.
#pragma once
#include <cstdint>
#include <string>

namespace honeylink::telemetry::alert {

enum class BusFinding : std::uint8_t {
  usable,
  absent,   // no address, or nobody listens there
  hung,     // it takes the connection and does not answer
  refused,  // an address that is no socket of this machine's file system: tcp:, unixexec:, …
};

struct BusAddress {
  BusFinding finding = BusFinding::absent;
  std::string address;  // one address, "unix:path=…" or "unix:abstract=…", as the D-Bus library takes it
  std::string where;    // for people
};

/// `given`, else DBUS_SESSION_BUS_ADDRESS, else XDG_RUNTIME_DIR/bus, else /run/user/<uid>/bus. Of a list the first
/// address that may be used; "usable" here: not yet tried.
[[nodiscard]] BusAddress find_session_bus(const std::string& given);

struct BusAnswer {
  BusFinding finding = BusFinding::absent;
  std::string id;  // 32 hexadecimal digits: one run of one bus
};
/// Connects, greets (SASL EXTERNAL), and leaves. Waits at most `timeout_ms`.
[[nodiscard]] BusAnswer greet_bus(const BusAddress& bus, int timeout_ms);

}  // namespace honeylink::telemetry::alert
