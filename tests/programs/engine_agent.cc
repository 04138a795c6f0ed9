// For the kill tests: an engine of a home, as `honeytel agent` runs one. Usage: engine_agent HOME. SIGTERM ends it in
// order.
#include <csignal>
#include <cstdio>
#include <string>

#include "engine/engine.h"

namespace engine = honeylink::telemetry::engine;

namespace {
engine::Engine* running = nullptr;
void on_term(int) {
  if (running != nullptr) running->stop();
}
}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::string why;
  const auto made = engine::Engine::start({argv[1], engine::Mode::agent, nullptr}, why);
  if (made == nullptr) return std::fprintf(stderr, "%s\n", why.c_str()), 3;
  running = made.get();
  std::signal(SIGTERM, on_term);
  made->run();
  return 0;
}
