// See rings.h.
#include "query/rings.h"

#include <fcntl.h>

namespace honeylink::telemetry::query {

std::vector<OpenRing> open_rings(const std::string& home) {
  std::vector<OpenRing> rings;
  for (ring::RingFile& file : ring::list_rings(home)) {
    OpenRing open;
    Fd fd = open_file(file.directory + "/" + file.name, O_RDONLY, 0, open.why);
    if (fd) open.reader = ring::RingReader::open(std::move(fd), file.name, false, open.why);
    if (open.reader && !open.reader->refresh()) open.why = open.reader->why(), open.reader.reset();
    open.file = std::move(file);
    rings.push_back(std::move(open));
  }
  return rings;
}

}  // namespace honeylink::telemetry::query
