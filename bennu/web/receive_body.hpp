#pragma once

#include "bennu/net/body_stream.hpp"
#include "bennu/web/conn_state.hpp"
#include "bennu/web/upload_folder.hpp"

namespace bennu::detail {

/// Whether a body of this type goes to disk on a route with these options. Private to this area.
bool goes_to_disk(const UploadOptions& options, std::string_view content_type);

/// Where the files of a body go while it arrives.
struct UploadTarget {
    const UploadOptions* options;
    std::shared_ptr<UploadFolder> folder;
};

/// Reads a body that goes to disk, no faster than that takes it. What was written goes with the
/// outcome, and when this is cancelled.
Task<Result<ConnState::Body>> receive_files(net::BodyReader body, std::string content_type,
                                            UploadTarget target);

struct ReceiveOptions {
    std::uint64_t max_body = 0;  ///< in memory, unless the route says otherwise
    std::shared_ptr<UploadFolder> folder = {};
};
/// Reads the body that waits for whoever looks at it first. Throws RequestError.
Task<> receive_body(Conn conn, ReceiveOptions options);

}  // namespace bennu::detail
