#pragma once

#include <gtest/gtest.h>

#include "clients/device/session.hpp"

/// What the tests of sessions share.
namespace bennu::device::session_tests {

using namespace std::chrono_literals;

/// A session with a clock that the test moves, and a server that the test plays.
struct World {
    explicit World(SessionOptions options = {.random = [] { return 0.0; }})
        : session(std::move(options)) {}

    void connect() {
        session.start(now);
        ASSERT_TRUE(session.wants_connection());
        session.opened(now);
    }
    /// Lets time pass as a driver would: tick by tick, at each deadline.
    void pass(Millis time) {
        const Time end = now + time;
        while (true) {
            const auto due = session.deadline();
            if (!due || *due > end) break;
            now = std::max(now, *due);
            session.tick(now);
            if (session.wants_close()) session.closed(now);
        }
        now = end;
    }
    std::string sent() {
        session.tick(now);
        std::string all;
        while (auto frame = session.next_frame(now)) all += frame->data + "\n";
        return all;
    }
    void receive(std::string_view frame) { session.received(now, frame, FrameKind::text); }
    void answer(std::string_view ref, std::string_view topic, std::string_view response = "{}",
                std::string_view status = "ok") {
        receive("[null,\"" + std::string(ref) + "\",\"" + std::string(topic) +
                "\",\"phx_reply\",{\"status\":\"" + std::string(status) +
                "\",\"response\":" + std::string(response) + "}]");
    }
    /// A channel that noted what happened in `log`.
    ChannelOptions noting(ChannelOptions options = {}) {
        options.on_join = [this](std::string_view response, Continuation how) {
            log += "joined " + std::string(response) + " " + std::to_string(int(how)) + "\n";
        };
        options.on_refused = [this](std::string_view response) {
            log += "refused " + std::string(response) + "\n";
        };
        options.on_resync = [this] { log += "resync\n"; };
        options.on_event = [this](std::string_view event, std::string_view payload) {
            log += std::string(event) + " " + std::string(payload) + "\n";
        };
        options.on_binary = [this](std::string_view event, std::string_view bytes) {
            log += std::string(event) + " of " + std::to_string(bytes.size()) + " bytes\n";
        };
        options.on_lost = [this] { log += "lost\n"; };
        options.on_closed = [this] { log += "closed\n"; };
        return options;
    }
    OnReply note(std::string name) {
        return [this, name](const Reply& reply) {
            log += name + ": " + std::to_string(int(reply.outcome)) + " " +
                   std::string(reply.status) + " " + std::string(reply.response) + "\n";
        };
    }
    std::string take_log() { return std::exchange(log, {}); }

    Session session;
    Time now{1000};
    std::string log;
};

}  // namespace bennu::device::session_tests
