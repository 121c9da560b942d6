#include "bennu/web/event_stream.hpp"

#include <algorithm>
#include <stdexcept>

#include "bennu/runtime/race.hpp"

namespace bennu {

namespace {

void append_field(std::string& out, std::string_view name, std::string_view value) {
    if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) {
        throw std::invalid_argument("an event's " + std::string(name) + " must be one line");
    }
    out.append(name).append(": ").append(value).append("\n");
}

void append_data(std::string& out, std::string_view data) {
    // A client ends lines at CR LF, LF and CR alike, and joins what it got with LF.
    while (true) {
        std::size_t end = std::min(data.find_first_of("\r\n"), data.size());
        out.append("data: ").append(data.substr(0, end)).append("\n");
        if (end == data.size()) return;
        data.remove_prefix(end + (data.substr(end).starts_with("\r\n") ? 2 : 1));
    }
}

std::string retry_field(Duration retry) {
    auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(retry).count();
    return "retry: " + std::to_string(ms) + "\n";
}

Task<Result<>> keep_alive(net::BodyWriter out, EventStreamOptions options) {
    co_await require(out.write(options.retry ? retry_field(*options.retry) + "\n" : ":\n\n"));
    while (!co_await out.closing(options.heartbeat)) co_await require(out.write(":\n\n"));
    co_return Result<>();
}

}  // namespace

Response stream(const Conn&, int status, std::string_view content_type,
                net::BodyProducer::Run run) {
    Response response(status);
    response.headers.add("content-type", content_type);
    response.body = net::BodyProducer(std::move(run));
    return response;
}

std::string format_event(const ServerEvent& event) {
    std::string text;
    if (!event.id.empty()) append_field(text, "id", event.id);
    if (!event.event.empty()) append_field(text, "event", event.event);
    if (event.retry) text += retry_field(*event.retry);
    append_data(text, event.data);
    text += '\n';
    return text;
}

Task<Result<>> EventWriter::send(ServerEvent event) const {
    co_return co_await out_.write(format_event(event));
}

Response sse(const Conn& conn, Function<Task<Result<>>(EventWriter)> run,
             EventStreamOptions options) {
    std::string last(conn.header("last-event-id"));
    Response response = stream(
        conn, 200, "text/event-stream",
        [run = std::move(run), last, options](net::BodyWriter out) mutable -> Task<Result<>> {
            auto first =
                co_await race(keep_alive(out, options), run(EventWriter(out, std::move(last))));
            co_return std::move(first.value);
        });
    response.headers.add("cache-control", "no-store");
    response.headers.add("x-accel-buffering", "no");  // nginx passes each event on at once
    return response;
}

}  // namespace bennu
