// The directory of a zip archive. Members of a PyTorch file are stored, not compressed, so each is a range of the file.
#pragma once
#include <map>
#include <string>

#include "engine/weights/formats/byte_reader.h"

namespace meander {

struct ZipMember {
    std::uint64_t offset = 0, size = 0;  // of the data in the file
    bool isCompressed = false;
};

// Names are only compared, never used as paths. Throws Failure.
std::map<std::string, ZipMember> readZipDirectory(const MappedBytes& file);

}  // namespace meander
