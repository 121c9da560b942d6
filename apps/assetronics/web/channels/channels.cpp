#include "apps/assetronics/web/channels/channels.hpp"

#include "bennu/channel/socket.hpp"

namespace assetronics::web {

void mount_channels(bennu::RouteScope& scope, Repo) {
    bennu::mount_socket(scope, {});
}

}  // namespace assetronics::web
