#pragma once

#include "bennu/net/client/step.hpp"

namespace bennu::net {

struct CompressRequests {
    /// Shorter bodies travel as they are. Uploads are compressed whatever their length.
    std::size_t from = 1024;
    int level = 6;  ///< 1 (fast) to 9 (small)
};

/// Sends bodies and uploads with gzip, for a server that is known to take it; one that has a
/// `Content-Encoding`, or would not get shorter, stays as it is. The work is done off the shard. An
/// upload travels in chunks then, since its length is not known before. Put it before `retry`, so
/// that a body is compressed once.
StepPtr compress_requests(CompressRequests options = {});

}  // namespace bennu::net
