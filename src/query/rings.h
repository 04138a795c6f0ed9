// The rings of a home, opened to look: nothing is written, nothing is mapped, the process is not disturbed. One thread.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "ring/home.h"
#include "ring/reader.h"

namespace honeylink::telemetry::query {

struct OpenRing {
  ring::RingFile file;
  std::unique_ptr<ring::RingReader> reader;  // refreshed; nullptr: `why` says what is wrong with it
  std::string why;
};
[[nodiscard]] std::vector<OpenRing> open_rings(const std::string& home);

}  // namespace honeylink::telemetry::query
