#pragma once

#include <memory>

#include "bennu/channel/connect.hpp"
#include "bennu/web/router.hpp"

namespace bennu::phoenix {

/// The requests of long polling at `path`. Every answer is HTTP 200, with the status in a JSON
/// body.
void mount_longpoll(RouteScope& scope, const std::string& path,
                    std::shared_ptr<const MountedSocket> socket);

/// The frames of a POST's body, by its content type: lines of `application/x-ndjson`, or one text
/// frame. Error `too_large` for over 100 of them.
struct PollFrame;
Result<std::vector<PollFrame>> read_poll_frames(std::string_view content_type,
                                                std::string_view body);

}  // namespace bennu::phoenix
