#include "bennu/pubsub/incoming.hpp"

#include "bennu/base/log.hpp"
#include "bennu/pubsub/broadcast_wire.hpp"
#include "bennu/pubsub/presence_tracker.hpp"
#include "bennu/pubsub/pubsub.hpp"

namespace bennu::pubsub::detail {

void take_bytes(std::uint64_t from, std::string_view bytes) {
    if (presence::is_tracker_message(bytes)) return presence::receive(from, bytes);
    Result<Broadcast> broadcast = decode_broadcast(bytes);
    if (broadcast) {
        receive(*broadcast);
    } else {
        log_warning("another node sent what is no broadcast", {{"reason", broadcast.error()}});
    }
}

void tell_gap() {
    lost();
    local_broadcast(Topic(gap_topic), "gap");
}

}  // namespace bennu::pubsub::detail
