// What the last committed tick had seen of every ring's cells, in one of two files (bases.0, bases.1) beside the rings:
// a tick stores value − base. The new bases are written whole into the other file, then metrics.db commits rows, file
// number and checksum together; never a number by the tick's parity, which overwrites the committed file when a commit
// fails (PROTOCOL 6).
//
// The files need no fsync: they end with the boot, as the rings do. Two engines never write them: the lock.
#pragma once
#include <map>
#include <string>

#include "engine/core.h"

namespace honeylink::telemetry::engine {

using AllBases = std::map<RingId, MetricBases>;

/// Writes bases.<number>, with the number of the commit that will make it valid. False and `why` on failure.
bool write_bases(const std::string& home, int number, std::uint64_t commit_no, const AllBases& bases,
                 std::uint64_t& crc, std::string& why);
/// Finds the file that fits what metrics.db says, in any of the ring directories. False: there is none.
bool read_bases(const std::string& home, const store::BaseSlot& slot, AllBases& bases);

}  // namespace honeylink::telemetry::engine
